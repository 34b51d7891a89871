/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Key records from foreign bytes, and the keys in them: none that is too short or too long is calculated
 * with. */
#include <stdlib.h>

#include "auth/dkim_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t digest[KEY_DIGEST_BYTES] = { 1 };
    static const char signature[256] = { 1 };
    struct dkim_key key;
    uint32_t bits;
    struct arena *arena = arena_new(0);
    dkim_key_parse(arena, text_from((const char *)data, size), &key);
    if (key.reason == DKIM_GOOD) {
        enum key_outcome outcome =
            public_key_verify(key.kind, key.bytes, digest, text_from(signature, sizeof signature), &bits);
        if (outcome == KEY_HOLDS) abort();
        if (outcome == KEY_DIFFERS && key.kind == KEY_RSA && (bits < 1024 || bits > 4096)) abort();
    }
    public_key_verify(KEY_RSA, text_from((const char *)data, size), digest, text_from(signature, 128), &bits);
    arena_free(arena);
    return 0;
}
