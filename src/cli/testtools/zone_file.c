/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by zone.c. Queries are foreign bytes: each length is checked, and nothing in them points anywhere.
 */
#include "cli/testtools/zone_file.h"

#include "base/address.h"
#include "dns/dns_name.h"
#include "dns/dns_record.h"

enum {
    HEADER = 12,
    LABEL_MOST = 63,
    NAME_MOST = 253,
    STRING_MOST = 255,
    TTL_S = 5,
    CLASS_IN = 1,
    TYPE_OPT = 41,
    NOERROR = 0,
    FORMERR = 1,
    NXDOMAIN = 3,
    NOT_IMPLEMENTED = 4
};

/* --- numbers and names, as the wire has them --- */

static void add_u16(struct buffer *out, unsigned number)
{
    buffer_add_char(out, (char)(number >> 8));
    buffer_add_char(out, (char)(number & 255));
}

static unsigned u16_at(struct text bytes, size_t at)
{
    return (unsigned)(uint8_t)bytes.at[at] << 8 | (uint8_t)bytes.at[at + 1];
}

/* False: it has a label that is empty or too long, or is too long itself. */
static bool add_name(struct buffer *out, struct text name)
{
    if (name.length > NAME_MOST) return false;
    while (name.length > 0) {
        size_t end = text_find_char(name, '.');
        if (end == 0 || end > LABEL_MOST) return false;
        buffer_add_char(out, (char)end);
        buffer_add_text(out, text_slice(name, 0, end));
        name = text_slice(name, end + 1, name.length);
    }
    buffer_add_char(out, '\0');
    return true;
}

/* --- the file --- */

static bool add_address(struct buffer *out, struct text value, bool wants_v4)
{
    struct address address;
    if (!address_parse(value, &address) || address_is_v4(&address) != wants_v4) return false;
    buffer_add(out, address.bytes + (wants_v4 ? 12 : 0), wants_v4 ? 4 : 16);
    return true;
}

static bool add_exchange(struct buffer *out, struct text value)
{
    struct text preference;
    uint64_t number;
    if (!text_next_word(&value, &preference) || !text_to_number(preference, UINT16_MAX, &number))
        return false;
    add_u16(out, (unsigned)number);
    return add_name(out, text_trim(value));
}

static bool add_strings(struct buffer *out, struct text value)
{
    do {
        struct text string = text_slice(value, 0, STRING_MOST);
        buffer_add_char(out, (char)string.length);
        buffer_add_text(out, string);
        value = text_slice(value, string.length, value.length);
    } while (value.length > 0);
    return true;
}

static bool add_data(struct buffer *out, enum dns_record_type type, struct text value)
{
    switch (type) {
    case RECORD_A:
        return add_address(out, value, true);
    case RECORD_AAAA:
        return add_address(out, value, false);
    case RECORD_MX:
        return add_exchange(out, value);
    case RECORD_PTR:
        return add_name(out, value);
    case RECORD_TXT:
        return add_strings(out, value);
    default:
        return false;
    }
}

/* NULL, or what is wrong with the line. */
static const char *line_read(struct zone *zone, struct text line, struct buffer *room)
{
    struct text name, type_name;
    enum dns_record_type type;
    buffer_clear(room);
    if (!text_next_word(&line, &name) || !text_next_word(&line, &type_name))
        return "NAME TYPE VALUE is wanted";
    name = arena_text_lower(zone->arena, dns_name_without_root(name));
    if (!add_name(room, name)) return "the name is none";
    if (!dns_record_type_find(type_name, &type) || type == RECORD_CNAME)
        return "the type is A, AAAA, MX, PTR or TXT";
    if (zone->count == ZONE_RECORDS_MOST) return "there are too many records";
    buffer_clear(room);
    if (!add_data(room, type, text_trim(line))) return "the value does not fit the type";
    if (buffer_length(room) > ZONE_DATA_MOST) return "the value is too long";
    zone->records[zone->count++] =
        (struct zone_record){ name, (uint16_t)type, arena_text(zone->arena, buffer_text(room)) };
    return NULL;
}

bool zone_read(struct zone *zone, struct text file, uint32_t *out_line, const char **out_why)
{
    struct buffer room = { 0 };
    zone->records = arena_alloc_array(zone->arena, ZONE_RECORDS_MOST, sizeof *zone->records);
    *out_why = NULL;
    for (*out_line = 1; file.length > 0 && !*out_why; ++*out_line) {
        size_t end = text_find_char(file, '\n');
        struct text line = text_trim(text_slice(file, 0, end));
        file = text_slice(file, end + 1, file.length);
        if (line.length > 0 && line.at[0] != '#') *out_why = line_read(zone, line, &room);
    }
    --*out_line;
    buffer_free(&room);
    return !*out_why;
}

/* --- an answer --- */

struct zone_question {
    struct text name; /* lower case, no final dot */
    unsigned type, class;
    size_t end; /* octets of the query up to behind it */
    bool has_extension;
};

/* A pointer in the first name of a message could point at nothing but itself. */
static bool question_read(struct text query, char room[NAME_MOST + 1], struct zone_question *out)
{
    size_t at = HEADER, length = 0;
    while (at < query.length && query.at[at] != '\0') {
        size_t label = (uint8_t)query.at[at];
        if (label > LABEL_MOST || at + 1 + label >= query.length || length + label + 1 > NAME_MOST)
            return false;
        if (length) room[length++] = '.';
        for (size_t i = 1; i <= label; i++) room[length++] = char_lower(query.at[at + i]);
        at += 1 + label;
    }
    if (at + 5 > query.length || u16_at(query, 4) != 1) return false;
    *out = (struct zone_question){ .name = text_from(room, length),
                                   .type = u16_at(query, at + 1),
                                   .class = u16_at(query, at + 3),
                                   .end = at + 5,
                                   .has_extension = u16_at(query, 10) > 0 };
    return true;
}

/* Something stands at the name or below it (RFC 8020). */
static bool name_exists(const struct zone *zone, struct text name)
{
    for (uint32_t i = 0; i < zone->count; i++) {
        struct text other = zone->records[i].name;
        if (name.length == 0 || dns_name_is_within(other, name)) return true;
    }
    return false;
}

static void head_add(struct buffer *out, struct text query, unsigned code, unsigned questions,
                     bool has_extension)
{
    enum { RESPONSE = 0x80, AUTHORITATIVE = 0x04, RECURSION_AVAILABLE = 0x80 };
    buffer_add_text(out, text_slice(query, 0, 2));
    buffer_add_char(out, (char)(RESPONSE | AUTHORITATIVE | ((uint8_t)query.at[2] & 0x79))); /* opcode, RD */
    buffer_add_char(out, (char)(RECURSION_AVAILABLE | code));
    add_u16(out, questions);
    add_u16(out, 0);
    add_u16(out, 0);
    add_u16(out, has_extension);
}

static void record_add(struct buffer *out, const struct zone_record *record)
{
    enum { POINTER = 0xC000 };
    add_u16(out, POINTER | HEADER); /* the name of the question */
    add_u16(out, record->type);
    add_u16(out, CLASS_IN);
    add_u16(out, 0);
    add_u16(out, TTL_S);
    add_u16(out, (unsigned)record->data.length);
    buffer_add_text(out, record->data);
}

/* An OPT record (RFC 6891 section 6.1.2) that says how much we would take. */
static void extension_add(struct buffer *out)
{
    buffer_add_char(out, '\0');
    add_u16(out, TYPE_OPT);
    add_u16(out, ZONE_ANSWER_MOST);
    for (int i = 0; i < 3; i++) add_u16(out, 0);
}

static unsigned records_add(const struct zone *zone, const struct zone_question *question, struct buffer *out,
                            bool *out_is_cut)
{
    enum { RECORD_HEAD = 12, EXTENSION = 11 };
    unsigned count = 0;
    *out_is_cut = false;
    for (uint32_t i = 0; i < zone->count; i++) {
        const struct zone_record *record = &zone->records[i];
        if (record->type != question->type || !text_equal(record->name, question->name)) continue;
        *out_is_cut = buffer_length(out) + RECORD_HEAD + record->data.length + EXTENSION > ZONE_ANSWER_MOST;
        if (*out_is_cut) break;
        record_add(out, record);
        count++;
    }
    return count;
}

bool zone_answer(const struct zone *zone, struct text query, struct buffer *out)
{
    enum { IS_RESPONSE = 0x80, OPCODE = 0x78, TRUNCATED = 0x02 };
    char room[NAME_MOST + 1];
    struct zone_question question;
    bool is_cut;
    if (query.length < HEADER || (uint8_t)query.at[2] & IS_RESPONSE) return false;
    if (query.at[2] & OPCODE || !question_read(query, room, &question) || question.class != CLASS_IN) {
        head_add(out, query, query.at[2] & OPCODE ? NOT_IMPLEMENTED : FORMERR, 0, false);
        return true;
    }
    size_t start = buffer_length(out);
    bool exists = name_exists(zone, question.name);
    head_add(out, query, exists ? NOERROR : NXDOMAIN, 1, question.has_extension);
    buffer_add_text(out, text_slice(query, HEADER, question.end));
    unsigned count = records_add(zone, &question, out, &is_cut);
    if (question.has_extension) extension_add(out);
    char *head = out->memory + out->start + start;
    head[6] = (char)(count >> 8);
    head[7] = (char)(count & 255);
    if (is_cut) head[2] = (char)(head[2] | TRUNCATED);
    return true;
}
