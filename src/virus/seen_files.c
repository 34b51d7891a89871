/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "virus/seen_files.h"

#include <stdlib.h>

#include "base/arena.h"

static const bool is_white[256] = { [' '] = true, ['\t'] = true, ['\r'] = true, ['\n'] = true };

/* False: the bytes are no text of a length that is compared so. */
static bool characters_digest(struct text text, uint8_t out[DIGEST_BYTES])
{
    if (text.length < SEEN_FILE_LEAST || text.length > SEEN_TEXT_MOST || memchr(text.at, 0, text.length))
        return false;
    char *solid = memory_grow(NULL, text.length);
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++) {
        solid[length] = text.at[i];
        length += !is_white[(uint8_t)text.at[i]];
    }
    digest_sha256(text_from(solid, length), out);
    free(solid);
    return true;
}

void seen_files_add(struct seen_files *seen, struct text bytes)
{
    if (bytes.length < SEEN_FILE_LEAST || seen->count + 2 > SEEN_FILES_MOST) return;
    digest_sha256(bytes, seen->digests[seen->count++]);
    if (characters_digest(bytes, seen->digests[seen->count])) seen->count++;
}

void seen_files_settle(struct seen_files *seen, bool is_clean)
{
    if (is_clean) seen->kept = seen->count;
    seen->count = seen->kept;
}

void seen_files_keep(struct seen_files *seen, const uint8_t digest[DIGEST_BYTES])
{
    if (seen->count == SEEN_FILES_MOST) return;
    memcpy(seen->digests[seen->count], digest, DIGEST_BYTES);
    seen->kept = ++seen->count;
}

bool seen_files_has(const struct seen_files *seen, const uint8_t digest[DIGEST_BYTES])
{
    for (uint32_t i = 0; i < seen->kept; i++)
        if (memcmp(seen->digests[i], digest, DIGEST_BYTES) == 0) return true;
    return false;
}

bool seen_files_has_text(const struct seen_files *seen, struct text text)
{
    uint8_t digest[DIGEST_BYTES];
    return seen->kept > 0 && characters_digest(text, digest) && seen_files_has(seen, digest);
}
