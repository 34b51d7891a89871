/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "spam/mail_vector.h"

#include <math.h>
#include <stdlib.h>

#include "base/codec.h"
#include "mail/encoded_word.h"
#include "spam/message_facts.h"
#include "spam/text_fold.h"

enum {
    NAME_MOST = 64,
    VALUE_MOST = 2000,
    FIELDS_MOST = 200,
    MARKUP_MOST = 256 * 1024,
    TAG_BYTES_MOST = 1000
};

struct block_draft {
    uint32_t *slots;
    uint16_t count, room;
};

/* A slot that a feature of another block has already is taken: one feature in a hundred of a mail meets that.
 */
struct vector_draft {
    struct arena *arena;
    uint64_t has[VECTOR_SLOTS / 64];
    struct block_draft blocks[VECTOR_BLOCKS];
    struct buffer room;
};

struct vector_draft *vector_draft_new(struct arena *arena)
{
    struct vector_draft *draft = arena_alloc(arena, sizeof *draft);
    draft->arena = arena;
    return draft;
}

/* --- features --- */

static void block_grow(struct vector_draft *draft, struct block_draft *block)
{
    uint16_t room = block->room ? block->room * 2 : 512;
    uint32_t *slots = arena_alloc_array(draft->arena, room, sizeof *slots);
    if (block->count) memcpy(slots, block->slots, block->count * sizeof *slots);
    block->slots = slots;
    block->room = room;
}

static void slot_add(struct vector_draft *draft, enum vector_block block, uint32_t slot)
{
    struct block_draft *to = &draft->blocks[block];
    uint64_t bit = UINT64_C(1) << (slot & 63);
    if ((draft->has[slot >> 6] & bit) || to->count == VECTOR_BLOCK_MOST) return;
    draft->has[slot >> 6] |= bit;
    if (to->count == to->room) block_grow(draft, to);
    to->slots[to->count++] = slot;
}

static uint32_t slot_of(uint64_t hash)
{
    hash *= 0x9E3779B97F4A7C15u;
    return (uint32_t)(hash >> (64 - VECTOR_BITS));
}

uint32_t vector_run_slot(uint32_t run)
{
    return slot_of(((uint64_t)VECTOR_TEXT << 60) + run);
}

/* Every run of three bytes; `salt` keeps runs of one field apart from those of another. */
static void runs_add(struct vector_draft *draft, enum vector_block block, uint64_t salt, struct text folded)
{
    const uint8_t *at = (const uint8_t *)folded.at;
    if (folded.length < 3) return;
    uint32_t run = (uint32_t)at[0] << 8 | at[1];
    salt = (salt ^ salt >> 32) << 24;
    for (size_t i = 2; i < folded.length; i++) {
        run = (run << 8 | at[i]) & 0xFFFFFF;
        slot_add(draft, block, slot_of((salt ^ (uint64_t)block << 60) + run));
    }
}

static void shape_add(struct vector_draft *draft, const char *kind, struct text one, struct text other)
{
    uint64_t hash = text_checksum_on(text_checksum(text_of(kind)), TEXT("="));
    hash = text_checksum_on(text_checksum_on(hash, one), TEXT("\n"));
    slot_add(draft, VECTOR_SHAPE, slot_of(text_checksum_on(hash, other) ^ (uint64_t)VECTOR_SHAPE << 60));
}

/* --- parts --- */

static struct text extension_of(struct text name)
{
    size_t dot = text_find_last_char(name, '.');
    return dot < name.length ? text_slice(name, dot + 1, dot + 9) : TEXT_NONE;
}

static size_t word_length(struct text text)
{
    size_t length = 0;
    while (length < text.length && (char_is_alpha(text.at[length]) || char_is_digit(text.at[length]) ||
                                    text.at[length] == '-' || text.at[length] == '/'))
        length++;
    return length < NAME_MOST ? length : NAME_MOST;
}

/* Names of attributes, behind the tag's own. */
static void attributes_look(struct vector_draft *draft, struct text tag, struct text inside)
{
    bool is_name = true;
    for (size_t i = 0; i < inside.length; i++) {
        char c = inside.at[i];
        if (c == '"' || c == '\'') {
            i += 1 + text_find_char(text_slice(inside, i + 1, inside.length), c);
            is_name = true;
        } else if (char_is_blank(c) || c == '\n' || c == '\r') {
            is_name = true;
        } else if (is_name) {
            size_t length = word_length(text_slice(inside, i, inside.length));
            shape_add(draft, "attribute", tag,
                      arena_text_lower(draft->arena, text_slice(inside, i, i + length)));
            i += length ? length - 1 : 0;
            is_name = false;
        }
    }
}

static void row_add(struct vector_draft *draft, const struct text before[2], struct text tag)
{
    uint64_t hash = text_checksum_on(text_checksum(TEXT("tags=")), before[0]);
    hash = text_checksum_on(text_checksum_on(hash, TEXT(" ")), before[1]);
    hash = text_checksum_on(text_checksum_on(hash, TEXT("\n")), tag);
    slot_add(draft, VECTOR_SHAPE, slot_of(hash ^ (uint64_t)VECTOR_SHAPE << 60));
}

/* Tags in a row, three at a time, and each with its attributes. */
static void tags_look(struct vector_draft *draft, struct text html)
{
    struct text before[2] = { TEXT_NONE, TEXT_NONE };
    html = text_slice(html, 0, MARKUP_MOST);
    for (unsigned count = 0; count < 4000; count++) {
        html = text_slice(html, text_find_char(html, '<') + 1, html.length);
        size_t length = word_length(html);
        size_t end = text_find_char(text_slice(html, 0, length + TAG_BYTES_MOST + 1), '>');
        if (html.length == 0) return;
        if (length == 0 || end - length > TAG_BYTES_MOST) continue;
        struct text tag = arena_text_lower(draft->arena, text_slice(html, 0, length));
        attributes_look(draft, tag, text_slice(html, length, end));
        row_add(draft, before, tag);
        before[0] = before[1];
        before[1] = tag;
    }
}

void vector_draft_part(struct vector_draft *draft, const struct mime_part *part, struct text bytes)
{
    if (text_equal(part->type, TEXT("text/html"))) tags_look(draft, bytes);
}

static void part_shape(struct vector_draft *draft, const struct mime *mime, const struct mime_part *part)
{
    struct text above = part->parent == MIME_NO_PARENT ? TEXT("message") : mime->parts[part->parent].type;
    shape_add(draft, "type", part->type, TEXT_NONE);
    shape_add(draft, "charset", part->type, part->charset);
    shape_add(draft, "encoding", part->type, part->encoding_text);
    shape_add(draft, "tree", above, part->type);
    shape_add(draft, "disposition", part->type, part->disposition);
    if (part->name.length == 0) return;
    struct text name = arena_text_lower(draft->arena, text_slice(part->name, 0, 200));
    shape_add(draft, "extension", extension_of(name), TEXT_NONE);
    runs_add(draft, VECTOR_HEADER, text_checksum(TEXT("name")), name);
}

/* --- header --- */

bool vector_is_of_carrier(const struct header_field *field)
{
    static const char *const begins[] = { "authentication-results",
                                          "arc-",
                                          "dkim-signature",
                                          "received",
                                          "x-spam",
                                          "x-sekimori",
                                          "delivered-to",
                                          "x-virus",
                                          "x-original-to",
                                          "domainkey-signature",
                                          "lines",
                                          "content-length",
                                          "x-uid",
                                          "x-status",
                                          "status",
                                          "x-mozilla",
                                          "x-keywords" };
    if (field->id == HEADER_RETURN_PATH) return true;
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (text_starts_nocase(field->name, text_of(begins[i]))) return true;
    return false;
}

struct text vector_untagged(struct text subject)
{
    struct text tag = TEXT("[SPAM]");
    subject = text_trim(subject);
    return text_starts(subject, tag) ? text_trim(text_slice(subject, tag.length, subject.length)) : subject;
}

/* Times and names of messages: they differ from mail to mail and say nothing of what it is. */
static bool is_passed_over(enum header_id id)
{
    return id == HEADER_DATE || id == HEADER_MESSAGE_ID || id == HEADER_IN_REPLY_TO ||
           id == HEADER_REFERENCES;
}

static bool is_of_author(enum header_id id)
{
    return id == HEADER_FROM || id == HEADER_REPLY_TO || id == HEADER_SUBJECT;
}

static bool is_of_address(char c)
{
    return char_is_alpha(c) || char_is_digit(c) || (c != '\0' && strchr("._+-=", c));
}

/* Addresses as one sign each: whom a mail was sent to says who is written to, not what it is. */
static void addresses_hide(struct buffer *value)
{
    char *at = value->memory + value->start;
    size_t length = buffer_length(value), to = 0;
    for (size_t i = 0; i < length; i++) {
        at[to++] = at[i];
        if (at[i] != '@') continue;
        while (to > 1 && is_of_address(at[to - 2])) at[--to - 1] = '@';
        while (i + 1 < length && is_of_address(at[i + 1])) i++;
    }
    buffer_truncate(value, to);
}

static void field_look(struct vector_draft *draft, const struct mime *mime, const struct header_field *field,
                       struct text name)
{
    struct text value = text_trim(text_slice(field->value, 0, VALUE_MOST));
    if (is_passed_over(field->id)) return;
    if (field->id == HEADER_SUBJECT) value = vector_untagged(value);
    value = word_decode_in(draft->arena, value, mime->declared, NULL);
    buffer_clear(&draft->room);
    buffer_add_char(&draft->room, ' ');
    text_fold(value, &draft->room, NULL);
    buffer_add_char(&draft->room, ' ');
    if (field->id == HEADER_TO || field->id == HEADER_CC || field->id == HEADER_BCC)
        addresses_hide(&draft->room);
    runs_add(draft, VECTOR_HEADER, text_checksum(name), buffer_text(&draft->room));
    if (is_of_author(field->id))
        runs_add(draft, VECTOR_AUTHOR, text_checksum(name), buffer_text(&draft->room));
}

/* Carriers write their fields on top, so order is that of the fields which the sender wrote. */
static void header_look(struct vector_draft *draft, const struct mime *mime)
{
    const struct header *header = mime->parts[0].header;
    struct text before = TEXT_NONE;
    for (size_t i = 0; i < header->count && i < FIELDS_MOST; i++) {
        const struct header_field *field = &header->fields[i];
        if (vector_is_of_carrier(field)) continue;
        struct text name = arena_text_lower(draft->arena, text_slice(field->name, 0, NAME_MOST));
        shape_add(draft, "field", name, TEXT_NONE);
        shape_add(draft, "spelled", text_slice(field->name, 0, NAME_MOST), TEXT_NONE);
        shape_add(draft, "order", before, name);
        before = name;
        field_look(draft, mime, field, name);
    }
}

/* --- the whole --- */

void vector_draft_finish(struct vector_draft *draft, const struct mime *mime, const struct message_text *text,
                         const struct features *features, struct mail_vector *out)
{
    const struct feature_set *facts = &features->blocks[FEATURE_FACT];
    uint32_t total = 0, at = 0;
    runs_add(draft, VECTOR_TEXT, 0, text->visible);
    header_look(draft, mime);
    for (size_t i = 0; i < mime->count && i < FIELDS_MOST; i++) part_shape(draft, mime, &mime->parts[i]);
    for (uint32_t i = 0; i < facts->count; i++)
        slot_add(draft, VECTOR_FACT, slot_of((uint64_t)VECTOR_FACT << 60 | facts->slots[i]));
    for (int block = 0; block < VECTOR_BLOCKS; block++)
        total += out->counts[block] = draft->blocks[block].count;
    out->slots = arena_alloc_array(draft->arena, total + 1, sizeof *out->slots);
    for (int block = 0; block < VECTOR_BLOCKS; at += out->counts[block++])
        if (out->counts[block])
            memcpy(out->slots + at, draft->blocks[block].slots, out->counts[block] * sizeof *out->slots);
    buffer_free(&draft->room);
}

void vector_read_mail(struct arena *arena, const struct mime *mime, struct message_text *text,
                      struct features *features, struct mail_vector *vector)
{
    struct vector_draft *draft = vector ? vector_draft_new(arena) : NULL;
    struct buffer room = { 0 };
    features->arena = arena;
    message_text_begin(text, arena);
    for (size_t i = 0; i < mime->count; i++) {
        if (mime->parts[i].kind != MIME_LEAF) continue;
        struct text bytes = mime_decode(&mime->parts[i], &room, NULL);
        message_text_part(text, &mime->parts[i], bytes);
        if (draft) vector_draft_part(draft, &mime->parts[i], bytes);
    }
    message_text_finish(text, mime);
    message_features_add(features, mime, text);
    if (draft) vector_draft_finish(draft, mime, text, features, vector);
    buffer_free(&room);
}

uint32_t vector_total(const struct mail_vector *vector)
{
    uint32_t total = 0;
    for (int block = 0; block < VECTOR_BLOCKS; block++) total += vector->counts[block];
    return total;
}

void vector_values(const struct mail_vector *vector, double out[VECTOR_BLOCKS])
{
    static const double weights[VECTOR_BLOCKS] = { 1.5, 1, 0.7, 0.5, 0.5 };
    double square = 1e-12;
    for (int block = 0; block < VECTOR_BLOCKS; block++) {
        out[block] = weights[block] / sqrt(vector->counts[block] + 1.0);
        square += out[block] * out[block] * vector->counts[block];
    }
    for (int block = 0; block < VECTOR_BLOCKS; block++) out[block] /= sqrt(square);
}

/* --- bytes --- */

static int by_slot(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

void vector_sort(struct mail_vector *vector)
{
    uint32_t *from = vector->slots;
    for (int block = 0; block < VECTOR_BLOCKS; from += vector->counts[block++])
        qsort(from, vector->counts[block], sizeof *from, by_slot);
}

/* Distances, seven bits a byte, the low ones first; the eighth says that more follow. */
static void distance_write(struct buffer *out, uint32_t distance)
{
    while (distance > 0x7F) {
        buffer_add_char(out, (char)(0x80 | (distance & 0x7F)));
        distance >>= 7;
    }
    buffer_add_char(out, (char)distance);
}

/* False at an end, and where it is longer than it need be. */
static bool distance_read(struct reader *reader, uint32_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 21; shift += 7) {
        uint8_t byte = get_u8(reader);
        *out |= (uint32_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80)) return !reader->failed && (byte != 0 || shift == 0);
    }
    return false;
}

void vector_write(const struct mail_vector *sorted, struct buffer *out)
{
    const uint32_t *slots = sorted->slots;
    for (int block = 0; block < VECTOR_BLOCKS; block++) {
        uint32_t next = 0;
        put_u16(out, sorted->counts[block]);
        for (uint32_t i = 0; i < sorted->counts[block]; i++) {
            distance_write(out, slots[i] - next);
            next = slots[i] + 1;
        }
        slots += sorted->counts[block];
    }
}

static bool block_read(struct reader *reader, uint32_t *slots, uint16_t count)
{
    uint32_t next = 0, distance;
    for (uint16_t i = 0; i < count; i++) {
        if (!distance_read(reader, &distance) || next + distance >= VECTOR_SLOTS) return false;
        slots[i] = next + distance;
        next = slots[i] + 1;
    }
    return true;
}

bool vector_read(struct text bytes, struct arena *arena, struct mail_vector *out)
{
    struct reader reader = reader_of(bytes);
    if (bytes.length > VECTOR_BYTES_MOST) return false;
    out->slots = arena_alloc_array(arena, bytes.length + 1, sizeof *out->slots); /* a byte each, at least */
    uint32_t at = 0;
    for (int block = 0; block < VECTOR_BLOCKS; block++) {
        uint16_t count = out->counts[block] = get_u16(&reader);
        if (reader.failed || count > VECTOR_BLOCK_MOST || at + count > bytes.length) return false;
        if (!block_read(&reader, out->slots + at, count)) return false;
        at += count;
    }
    return !reader.failed && reader_done(&reader);
}
