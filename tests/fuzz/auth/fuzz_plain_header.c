/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Headers that receive reads: what is plain is within the limits, and names what can be asked for. */
#include <stdlib.h>

#include "auth/plain_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_name(struct text domain)
{
    if (domain.length == 0 || domain.length > 512) abort();
    for (size_t i = 0; i < domain.length; i++) {
        char c = domain.at[i];
        if (!(c >= 'a' && c <= 'z') && !char_is_digit(c) && c != '-' && c != '_' && c != '.') abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct plain_header plain;
    struct arena *arena = arena_new(0);
    bool is_plain = plain_header_read(arena, text_from((const char *)data, size), &plain);
    if (plain.signer_count > PLAIN_SIGNERS_MOST || plain.key_count > PLAIN_KEYS_MOST) abort();
    if (is_plain) must_be_name(plain.domain);
    for (uint32_t i = 0; is_plain && i < plain.signer_count; i++) must_be_name(plain.signers[i]);
    for (uint32_t i = 0; is_plain && i < plain.key_count; i++) must_be_name(plain.keys[i]);
    size_t at = text_find_char(plain.author, '@');
    if (is_plain && (at == 0 || at == plain.author.length)) abort();
    arena_free(arena);
    return 0;
}
