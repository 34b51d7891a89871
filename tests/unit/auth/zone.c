/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A list of entries, searched from its start. */
#include "zone.h"

#include <stdio.h>
#include <stdlib.h>

enum { ALIASES_MOST = 8, RECORDS_MOST = 64 };

struct zone *zone_new(struct arena *arena)
{
    struct zone *zone = arena_alloc(arena, sizeof *zone);
    *zone = (struct zone){ .arena = arena };
    return zone;
}

static struct text name_of(struct arena *arena, struct text name)
{
    char *out = arena_alloc(arena, 4 * name.length + 1);
    size_t length = 0;
    if (name.length > 0 && name.at[name.length - 1] == '.') name.length--;
    for (size_t i = 0; i < name.length; i++) {
        char c = char_lower(name.at[i]);
        if (c > ' ' && c < 0x7f)
            out[length++] = c;
        else
            length += (size_t)sprintf(out + length, "\\%03u", (unsigned char)c);
    }
    return text_from(out, length);
}

_Noreturn static void refuse(struct text name, struct text value)
{
    printf("zone: %.*s: %.*s\n", TEXT_ARG(name), TEXT_ARG(value));
    abort();
}

static struct dns_record record_of(struct zone *zone, enum dns_record_type type, struct text value)
{
    struct dns_record record = { 0 };
    struct text word, rest = value;
    uint64_t number = 0;
    switch (type) {
    case RECORD_A:
    case RECORD_AAAA:
        if (!address_parse(value, &record.address)) refuse(TEXT("address"), value);
        break;
    case RECORD_MX:
        if (!text_next_word(&rest, &word) || !text_to_number(word, 65535, &number)) refuse(TEXT("MX"), value);
        record.preference = (uint16_t)number;
        record.name = name_of(zone->arena, text_trim(rest));
        break;
    case RECORD_TXT:
        record.text = arena_text(zone->arena, value);
        break;
    default:
        record.name = name_of(zone->arena, value);
        break;
    }
    return record;
}

void zone_add(struct zone *zone, struct text name, struct text type, struct text value)
{
    struct zone_entry *entry = arena_alloc(zone->arena, sizeof *entry);
    entry->name = name_of(zone->arena, name);
    if (text_equal(type, TEXT("TIMEOUT")))
        entry->kind = ZONE_TIMEOUT;
    else if (text_equal(type, TEXT("EMPTY")))
        entry->kind = ZONE_EMPTY;
    else if (dns_record_type_find(type, &entry->type))
        entry->record = record_of(zone, entry->type, value);
    else
        refuse(name, type);
    entry->next = NULL;
    *(zone->end ? zone->end : &zone->first) = entry;
    zone->end = &entry->next;
}

void zone_add_txt(struct zone *zone, struct text name, struct text value)
{
    zone_add(zone, name, TEXT("TXT"), value);
}

void zone_clear(struct zone *zone)
{
    zone->first = NULL;
    zone->end = NULL;
}

void zone_read(struct zone *zone, const char *lines)
{
    struct text rest = text_of(lines), line, name, type;
    while (text_next_line(&rest, &line)) {
        if (!text_next_word(&line, &name) || !text_next_word(&line, &type)) refuse(TEXT("line"), line);
        zone_add(zone, name, type, text_trim(line));
    }
}

static void answer(struct zone *zone, struct text name, enum dns_record_type type, struct dns_answer *out,
                   unsigned depth)
{
    bool exists = false, times_out = depth > ALIASES_MOST;
    const struct zone_entry *alias = NULL;
    *out =
        (struct dns_answer){ .records = arena_alloc_array(zone->arena, RECORDS_MOST, sizeof *out->records) };
    for (const struct zone_entry *entry = zone->first; entry; entry = entry->next) {
        if (!text_equal_nocase(entry->name, name)) continue;
        exists = true;
        times_out |= entry->kind == ZONE_TIMEOUT;
        if (entry->kind != ZONE_RECORD) continue;
        if (entry->type == type && out->count < RECORDS_MOST) out->records[out->count++] = entry->record;
        if (entry->type == RECORD_CNAME) alias = entry;
    }
    if (out->count > 0) return;
    if (alias && !times_out) {
        answer(zone, alias->record.name, type, out, depth + 1);
        return;
    }
    out->status = times_out ? DNS_TEMPERROR : DNS_NONE;
    out->is_nxdomain = !times_out && !exists;
}

bool zone_fill(struct zone *zone, struct dns_answers *answers)
{
    bool any = false;
    for (uint32_t i = 0; i < answers->count; i++) {
        if (answers->items[i].is_known) continue;
        struct dns_answer found;
        answer(zone, answers->items[i].name, answers->items[i].type, &found, 0);
        dns_answers_put(answers, answers->items[i].name, answers->items[i].type, &found);
        zone->asked++;
        any = true;
    }
    return any;
}

static bool at_hand(void *context, struct text name, enum dns_record_type type, struct dns_answer *out)
{
    answer(context, name, type, out, 0);
    return true;
}

struct dns_answers zone_answers(struct zone *zone)
{
    return (struct dns_answers){ .arena = zone->arena, .at_hand = at_hand, .context = zone };
}
