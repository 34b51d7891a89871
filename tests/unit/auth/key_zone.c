/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "key_zone.h"

#include <stdlib.h>

void zone_add(struct zone *zone, struct text name, struct text value)
{
    if (zone->count == sizeof zone->records / sizeof *zone->records) abort();
    zone->records[zone->count++] = (struct zone_record){ .name = name, .value = value };
}

static bool at_hand(void *context, struct text name, enum dns_record_type type, struct dns_answer *out)
{
    struct zone *zone = context;
    *out = (struct dns_answer){ .status = DNS_NONE };
    if (type != RECORD_TXT) return true;
    out->records = arena_alloc_array(zone->arena, zone->count, sizeof *out->records);
    for (size_t i = 0; i < zone->count; i++) {
        if (!text_equal_nocase(zone->records[i].name, name)) continue;
        out->status = zone->records[i].status;
        if (out->status == DNS_FOUND) out->records[out->count++].text = zone->records[i].value;
    }
    return true;
}

struct dns_answers zone_answers(struct zone *zone)
{
    return (struct dns_answers){ .arena = zone->arena, .at_hand = at_hand, .context = zone };
}

void zone_header(struct arena *arena, struct text message, struct header *out)
{
    static const struct header_limits limits = { .bytes = 16 << 20, .fields = 1000000 };
    header_parse(arena, message, &limits, out);
}

void zone_judge(struct zone *zone, struct text message, uint64_t now_s, struct judged *out)
{
    struct message_signatures read;
    struct buffer form = { 0 };
    struct dns_answers answers = zone_answers(zone);
    zone_header(zone->arena, message, &out->header);
    message_signatures_read(zone->arena, message, &out->header, &read);
    message_signatures_put(&read, &form);
    struct reader reader = reader_of(arena_text(zone->arena, buffer_text(&form)));
    buffer_free(&form);
    if (!message_signatures_get(zone->arena, &reader, &out->signatures) || !reader_done(&reader)) abort();
    if (!message_signatures_judge(zone->arena, &out->signatures, &answers, now_s, out->dkim, &out->arc))
        abort();
}

struct text zone_crlf(struct arena *arena, struct text text)
{
    char *out = arena_alloc(arena, 2 * text.length + 1);
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.at[i] == '\n' && (i == 0 || text.at[i - 1] != '\r')) out[length++] = '\r';
        out[length++] = text.at[i];
    }
    return text_from(out, length);
}
