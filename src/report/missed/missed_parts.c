/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by missed_spam.c. Digests as scan makes them of what it delivers (virus/inspect.h). */
#include "report/missed/missed_parts.h"

#include <string.h>

#include "mail/digest.h"
#include "mail/mime.h"

struct part_digest *missed_parts(struct arena *arena, struct text message, uint32_t *out_count)
{
    struct part_digest *parts = arena_alloc_array(arena, PART_DIGESTS_MOST, sizeof *parts);
    struct buffer room = { 0 };
    uint8_t digest[DIGEST_BYTES];
    *out_count = 0;
    if (message.length > MISSED_PARTS_BYTES_MOST) return parts;
    const struct mime *mime = mime_parse(arena, message, &mime_limits_default, MIME_FIRST);
    for (size_t i = 0; i < mime->count && *out_count < PART_DIGESTS_MOST; i++) {
        if (!mime_part_is_file(&mime->parts[i]) || text_starts(mime->parts[i].type, TEXT("image/")))
            continue; /* a logo is in everybody's mail */
        struct text bytes = mime_decode(&mime->parts[i], &room, NULL);
        if (bytes.length < PART_DIGEST_LEAST) continue;
        digest_sha256(bytes, digest);
        struct part_digest *part = &parts[(*out_count)++];
        part->is_infected = true;
        memcpy(part->bytes, digest, PART_DIGEST_BYTES);
    }
    buffer_free(&room);
    return parts;
}
