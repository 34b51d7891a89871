/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Reads answers in wire format. libunbound hands them over validated and scrubbed, yet what stands in them
   was written by strangers: nothing is believed that was not checked. */
#include "dns/packet.h"

enum {
    HEADER_BYTES = 12,
    RECORD_FIXED_BYTES = 10,
    NAME_WIRE_LIMIT = 255,
    NAME_TEXT_SIZE = 4 * NAME_WIRE_LIMIT,
    CLASS_IN = 1,
    TYPE_SOA = 6,
    RCODE_NXDOMAIN = 3
};

struct cursor {
    struct text message;
    size_t at;
    bool failed;
};

struct name {
    char bytes[NAME_TEXT_SIZE];
    size_t length;
};

static uint8_t byte_at(const struct cursor *cursor, size_t at)
{
    return (uint8_t)cursor->message.at[at];
}

static uint16_t take_u16(struct cursor *cursor)
{
    if (cursor->message.length - cursor->at < 2) {
        cursor->failed = true;
        return 0;
    }
    cursor->at += 2;
    return (uint16_t)(byte_at(cursor, cursor->at - 2) << 8 | byte_at(cursor, cursor->at - 1));
}

static void label_add(struct name *name, const char *label, size_t length)
{
    if (name->length > 0) name->bytes[name->length++] = '.';
    for (size_t i = 0; i < length; i++) {
        char c = char_lower(label[i]);
        if (c > ' ' && c < 0x7f && c != '.' && c != '\\') {
            name->bytes[name->length++] = c;
            continue;
        }
        unsigned value = (unsigned char)c;
        name->bytes[name->length++] = '\\';
        name->bytes[name->length++] = (char)('0' + value / 100);
        name->bytes[name->length++] = (char)('0' + value / 10 % 10);
        name->bytes[name->length++] = (char)('0' + value % 10);
    }
}

/* RFC 1035 section 4.1.4. A pointer must lead before the piece of name it stands in, and a whole name has at
   most 255 bytes, so this ends. The cursor moves behind the name where it stands. */
static void take_name(struct cursor *cursor, struct name *out)
{
    size_t at = cursor->at, least = cursor->at, wire = 1;
    bool has_jumped = false;
    out->length = 0;
    for (;;) {
        if (at >= cursor->message.length) break;
        size_t length = byte_at(cursor, at);
        if (length == 0) {
            if (!has_jumped) cursor->at = at + 1;
            return;
        }
        if (length >= 0xc0) {
            if (at + 1 >= cursor->message.length) break;
            size_t target = (length & 0x3f) << 8 | byte_at(cursor, at + 1);
            if (target >= least) break;
            if (!has_jumped) cursor->at = at + 2;
            has_jumped = true;
            at = least = target;
            continue;
        }
        wire += length + 1;
        if (length > 63 || wire > NAME_WIRE_LIMIT || length >= cursor->message.length - at) break;
        label_add(out, cursor->message.at + at + 1, length);
        at += length + 1;
    }
    cursor->failed = true;
}

static struct text name_text(const struct name *name)
{
    return text_from(name->bytes, name->length);
}

/* RFC 1035 section 3.3.14: strings, each behind its length, up to `end`; joined. False: cut short. */
static bool take_strings(struct arena *arena, const struct cursor *cursor, size_t end, struct text *out)
{
    char *joined = arena_alloc(arena, end - cursor->at + 1);
    size_t length = 0;
    for (size_t at = cursor->at; at < end;) {
        size_t string = byte_at(cursor, at++);
        if (string > end - at) return false;
        memcpy(joined + length, cursor->message.at + at, string);
        length += string;
        at += string;
    }
    *out = text_from(joined, length);
    return true;
}

/* The data of one record, [cursor->at, end). False: not of the shape its type has. */
static bool take_data(struct arena *arena, struct cursor *cursor, size_t end, enum dns_record_type type,
                      struct dns_record *out)
{
    size_t length = end - cursor->at;
    struct name name;
    switch (type) {
    case RECORD_A:
        if (length != 4) return false;
        memset(out->address.bytes + 10, 0xff, 2);
        memcpy(out->address.bytes + 12, cursor->message.at + cursor->at, 4);
        return true;
    case RECORD_AAAA:
        if (length != 16) return false;
        memcpy(out->address.bytes, cursor->message.at + cursor->at, 16);
        return true;
    case RECORD_TXT:
        return take_strings(arena, cursor, end, &out->text);
    case RECORD_MX:
        if (length < 3) return false;
        out->preference = take_u16(cursor);
        break;
    default:
        break;
    }
    take_name(cursor, &name);
    if (cursor->failed || cursor->at != end) return false;
    out->name = arena_text(arena, name_text(&name));
    return true;
}

struct answer_walk {
    struct cursor cursor;
    struct name owner; /* whose records are wanted now: the name asked for, then its aliases */
    unsigned aliases;
    enum dns_record_type type;
};

/* What stands before the data of a record, which ends at `end`. */
struct head {
    struct name owner;
    unsigned type, class;
    uint32_t ttl_s;
    size_t end;
};

static uint32_t take_u32(struct cursor *cursor)
{
    uint32_t high = take_u16(cursor);
    return high << 16 | take_u16(cursor);
}

static bool take_head(struct cursor *cursor, struct head *out)
{
    take_name(cursor, &out->owner);
    if (cursor->failed || cursor->message.length - cursor->at < RECORD_FIXED_BYTES) return false;
    out->type = take_u16(cursor);
    out->class = take_u16(cursor);
    out->ttl_s = take_u32(cursor);
    if (out->ttl_s > INT32_MAX) out->ttl_s = 0; /* RFC 2181 section 8 */
    size_t length = take_u16(cursor);
    if (length > cursor->message.length - cursor->at) return false;
    out->end = cursor->at + length;
    return true;
}

static void ttl_limit(struct dns_answer *answer, uint32_t ttl_s)
{
    if (answer->ttl_s > ttl_s) answer->ttl_s = ttl_s;
}

/* One record of the answer section: added to `out`, followed as an alias, or passed over. */
static bool take_record(struct arena *arena, struct answer_walk *walk, struct dns_answer *out)
{
    struct cursor *cursor = &walk->cursor;
    struct head head;
    if (!take_head(cursor, &head)) return false;

    bool is_ours = head.class == CLASS_IN && text_equal(name_text(&head.owner), name_text(&walk->owner));
    if (is_ours && head.type == RECORD_CNAME && walk->type != RECORD_CNAME) {
        if (++walk->aliases > PACKET_ALIASES) return false;
        take_name(cursor, &walk->owner);
        if (cursor->failed || cursor->at != head.end) return false;
        ttl_limit(out, head.ttl_s);
    } else if (is_ours && head.type == walk->type && out->count < PACKET_RECORDS) {
        if (!take_data(arena, cursor, head.end, walk->type, &out->records[out->count])) return false;
        out->count++;
        ttl_limit(out, head.ttl_s);
    }
    cursor->at = head.end;
    return true;
}

/* RFC 2308 section 5: how long it holds that there is nothing stands in the SOA of the authority section, as
   its TTL and as the last number of its data. Without one: not at all. */
static void take_negative_ttl(struct cursor *cursor, unsigned records, struct dns_answer *out)
{
    bool has_soa = false;
    struct head head;
    for (unsigned i = 0; i < records && take_head(cursor, &head); i++) {
        bool is_soa = head.type == TYPE_SOA && head.end - cursor->at >= sizeof(uint32_t);
        cursor->at = head.end;
        if (!is_soa) continue;
        cursor->at -= sizeof(uint32_t);
        ttl_limit(out, take_u32(cursor));
        ttl_limit(out, head.ttl_s);
        has_soa = true;
    }
    if (!has_soa) out->ttl_s = 0;
}

/* Passes over the questions; false when one is cut short. */
static bool skip_questions(struct cursor *cursor, unsigned count)
{
    struct name name;
    for (unsigned i = 0; i < count; i++) {
        take_name(cursor, &name);
        take_u16(cursor);
        take_u16(cursor);
        if (cursor->failed) return false;
    }
    return true;
}

static bool answers_take(struct arena *arena, struct answer_walk *walk, struct dns_answer *out)
{
    struct cursor *cursor = &walk->cursor;
    if (cursor->message.length < HEADER_BYTES) return false;
    cursor->at = 2;
    unsigned flags = take_u16(cursor), questions = take_u16(cursor), answers = take_u16(cursor);
    unsigned authority = take_u16(cursor), rcode = flags & 0xf;
    if (rcode != 0 && rcode != RCODE_NXDOMAIN) return false;
    cursor->at = HEADER_BYTES;
    if (!skip_questions(cursor, questions)) return false;

    out->is_nxdomain = rcode == RCODE_NXDOMAIN;
    out->ttl_s = UINT32_MAX;
    out->records =
        arena_alloc_array(arena, answers < PACKET_RECORDS ? answers : PACKET_RECORDS, sizeof *out->records);
    for (unsigned i = 0; i < answers; i++)
        if (!take_record(arena, walk, out)) return false;
    if (out->count == 0) take_negative_ttl(cursor, authority, out);
    return true;
}

void packet_parse(struct arena *arena, struct text message, struct text name, enum dns_record_type type,
                  struct dns_answer *out)
{
    struct answer_walk walk = { .cursor = { .message = message }, .type = type };
    *out = (struct dns_answer){ .status = DNS_TEMPERROR };
    if (name.length > sizeof walk.owner.bytes) return;
    memcpy(walk.owner.bytes, name.at, name.length);
    walk.owner.length = name.length;
    if (!answers_take(arena, &walk, out)) {
        *out = (struct dns_answer){ .status = DNS_TEMPERROR };
        return;
    }
    if (out->count > 0) out->is_nxdomain = false;
    out->status = out->count > 0 ? DNS_FOUND : DNS_NONE;
}
