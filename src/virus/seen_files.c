/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "virus/seen_files.h"

void seen_files_add(struct seen_files *seen, struct text bytes)
{
    if (bytes.length >= SEEN_FILE_LEAST && seen->count < SEEN_FILES_MOST)
        digest_sha256(bytes, seen->digests[seen->count++]);
}

void seen_files_settle(struct seen_files *seen, bool is_clean)
{
    if (is_clean) seen->kept = seen->count;
    seen->count = seen->kept;
}

bool seen_files_has(const struct seen_files *seen, const uint8_t digest[DIGEST_BYTES])
{
    for (uint32_t i = 0; i < seen->kept; i++)
        if (memcmp(seen->digests[i], digest, DIGEST_BYTES) == 0) return true;
    return false;
}
