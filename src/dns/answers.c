/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A list that is searched from its start: an evaluation has some ten questions. */
#include "dns/answers.h"

#include "dns/dns_name.h"

enum { NAME_MOST = 253, LABEL_MOST = 63 };

static const struct dns_answer none = { .status = DNS_NONE, .is_nxdomain = true };
static const struct dns_answer temperror = { .status = DNS_TEMPERROR };

/* A byte may be written as \DDD, as names in answers are. */
static bool is_name(struct text name)
{
    size_t octets = 0, label = 0;
    for (size_t i = 0; i < name.length; i++, octets++) {
        if (name.at[i] == '.') {
            if (label == 0) return false;
            label = 0;
            continue;
        }
        if (name.at[i] == '\\') i += 3;
        if (++label > LABEL_MOST) return false;
    }
    return label > 0 && octets <= NAME_MOST;
}

static struct dns_lookup *find(const struct dns_answers *answers, struct text name, enum dns_record_type type)
{
    for (uint32_t i = 0; i < answers->count; i++) {
        struct dns_lookup *item = &answers->items[i];
        if (item->type == type && text_equal_nocase(item->name, name)) return item;
    }
    return NULL;
}

static struct dns_lookup *add(struct dns_answers *answers, struct text name, enum dns_record_type type)
{
    if (answers->count == answers->room) {
        uint32_t room = answers->room ? 2 * answers->room : 16;
        struct dns_lookup *items = arena_alloc_array(answers->arena, room, sizeof *items);
        if (answers->count) memcpy(items, answers->items, answers->count * sizeof *items);
        answers->items = items;
        answers->room = room;
    }
    char *lower = arena_alloc(answers->arena, name.length + 1);
    for (size_t i = 0; i < name.length; i++) lower[i] = char_lower(name.at[i]);
    struct dns_lookup *item = &answers->items[answers->count++];
    *item = (struct dns_lookup){ .name = text_from(lower, name.length), .type = type };
    return item;
}

const struct dns_answer *dns_answers_find(struct dns_answers *answers, struct text name,
                                          enum dns_record_type type)
{
    name = dns_name_without_root(name);
    if (!is_name(name)) return &none;
    struct dns_lookup *item = find(answers, name, type);
    if (!item && answers->count == DNS_ANSWERS_MOST) return &temperror;
    if (!item) {
        item = add(answers, name, type);
        if (answers->at_hand)
            item->is_known = answers->at_hand(answers->context, item->name, type, &item->answer);
    }
    return item->is_known ? &item->answer : NULL;
}

const struct dns_lookup *dns_answers_wanted(const struct dns_answers *answers, uint32_t from)
{
    for (uint32_t i = from; i < answers->count; i++)
        if (!answers->items[i].is_known) return &answers->items[i];
    return NULL;
}

void dns_answers_put(struct dns_answers *answers, struct text name, enum dns_record_type type,
                     const struct dns_answer *answer)
{
    name = dns_name_without_root(name);
    struct dns_lookup *item = find(answers, name, type);
    if (!item && answers->count == DNS_ANSWERS_MOST) return;
    if (!item) item = add(answers, name, type);
    item->is_known = true;
    item->answer = *answer;
}

void dns_answers_close(struct dns_answers *answers)
{
    for (uint32_t i = 0; i < answers->count; i++) {
        if (answers->items[i].is_known) continue;
        answers->items[i].is_known = true;
        answers->items[i].answer = temperror;
    }
}

/* --- the byte form --- */

enum { FLAG_NXDOMAIN = 1, FLAG_SECURE = 2 };

static void record_write(const struct dns_record *record, struct buffer *out)
{
    put_u16(out, record->preference);
    buffer_add(out, record->address.bytes, sizeof record->address.bytes);
    put_text(out, record->name);
    put_text(out, record->text);
}

static void lookup_write(const struct dns_lookup *item, struct buffer *out)
{
    const struct dns_answer *answer = &item->answer;
    put_text(out, item->name);
    put_u16(out, (uint16_t)item->type);
    put_u8(out, (uint8_t)answer->status);
    put_u8(out, (uint8_t)((answer->is_nxdomain ? FLAG_NXDOMAIN : 0) | (answer->secure ? FLAG_SECURE : 0)));
    put_u32(out, answer->count);
    for (uint32_t i = 0; i < answer->count; i++) record_write(&answer->records[i], out);
}

void dns_answers_write(const struct dns_answers *answers, size_t most, struct buffer *out)
{
    struct buffer item = { 0 };
    size_t begin = buffer_length(out);
    for (uint32_t i = 0; i < answers->count; i++) {
        if (!answers->items[i].is_known) continue;
        buffer_clear(&item);
        lookup_write(&answers->items[i], &item);
        if (buffer_length(out) - begin + buffer_length(&item) > most) break;
        buffer_add_text(out, buffer_text(&item));
    }
    buffer_free(&item);
}

static void records_read(struct arena *arena, struct reader *reader, struct dns_answer *out)
{
    out->count = get_count(reader, UINT16_MAX, 2 + 16 + 4 + 4);
    out->records = arena_alloc_array(arena, out->count, sizeof *out->records);
    for (uint32_t i = 0; i < out->count; i++) {
        out->records[i].preference = get_u16(reader);
        get_bytes(reader, out->records[i].address.bytes, sizeof out->records[i].address.bytes);
        out->records[i].name = get_text(reader);
        out->records[i].text = get_text(reader);
    }
}

bool dns_answers_read(struct dns_answers *answers, struct reader *reader)
{
    while (reader->rest.length > 0 && !reader->failed) {
        struct dns_answer answer = { .status = DNS_TEMPERROR };
        struct text name = get_text(reader);
        enum dns_record_type type = get_u16(reader);
        unsigned status = get_u8(reader), flags = get_u8(reader);
        answer.is_nxdomain = flags & FLAG_NXDOMAIN;
        answer.secure = flags & FLAG_SECURE;
        records_read(answers->arena, reader, &answer);
        if (status > DNS_BOGUS || !dns_record_type_name(type)) reader->failed = true;
        answer.status = status;
        if (!reader->failed) dns_answers_put(answers, name, type, &answer);
    }
    return !reader->failed;
}
