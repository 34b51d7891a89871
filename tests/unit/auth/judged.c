/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "judged.h"

#include <stdlib.h>

void judged_header(struct arena *arena, struct text message, struct header *out)
{
    static const struct header_limits limits = { .bytes = 16 << 20, .fields = 1000000 };
    header_parse(arena, message, &limits, out);
}

void judged_make(struct zone *zone, struct text message, uint64_t now_s, struct judged *out)
{
    struct message_signatures read;
    struct buffer form = { 0 };
    struct dns_answers answers = zone_answers(zone);
    judged_header(zone->arena, message, &out->header);
    message_signatures_read(zone->arena, message, &out->header, &read);
    message_signatures_put(&read, &form);
    struct reader reader = reader_of(arena_text(zone->arena, buffer_text(&form)));
    buffer_free(&form);
    if (!message_signatures_get(zone->arena, &reader, &out->signatures) || !reader_done(&reader)) abort();
    if (!message_signatures_judge(zone->arena, &out->signatures, &answers, now_s, out->dkim, &out->arc))
        abort();
}

struct text judged_crlf(struct arena *arena, struct text text)
{
    char *out = arena_alloc(arena, 2 * text.length + 1);
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.at[i] == '\n' && (i == 0 || text.at[i - 1] != '\r')) out[length++] = '\r';
        out[length++] = text.at[i];
    }
    return text_from(out, length);
}
