/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A head, the records, the texts. A record is found by its kind and key: the text, or of a network its
   address and bits. */
#include "config/entry_image.h"

#include <stdlib.h>

enum {
    NETWORK_KEY = 17,
    BITS_BYTES = 20,
    FLAG_ENVELOPE = 1,
    FLAG_UNPROVEN = 2,
    FLAG_CONFIGURED = 4,
    FLAG_USERS = 8
};

struct image_head {
    uint64_t pattern_sum; /* entry_image_pattern_sum */
    uint32_t count;
    uint8_t bits[BITS_BYTES]; /* a bit for each length of a network that occurs */
};

struct image_record {
    uint64_t expires_ms;
    uint32_t number, key_at, to_at; /* places of bytes from the image's begin */
    uint32_t pattern_at[ENTRY_FEATURES];
    uint16_t pattern_length[ENTRY_FEATURES], key_length, to_length;
    uint8_t verb, kind, flags, action;
};

static struct text key_of(const struct sender_entry *entry, char room[NETWORK_KEY])
{
    if (entry->kind == ENTRY_ANYBODY) {
        memcpy(room, &entry->number, sizeof entry->number);
        return text_from(room, sizeof entry->number);
    }
    if (entry->kind != ENTRY_NETWORK) return entry->what;
    memcpy(room, entry->network.address.bytes, NETWORK_KEY - 1);
    room[NETWORK_KEY - 1] = (char)entry->network.bits;
    return text_from(room, NETWORK_KEY);
}

static int key_compare(unsigned a_kind, struct text a, unsigned b_kind, struct text b)
{
    return a_kind != b_kind ? (a_kind < b_kind ? -1 : 1) : text_compare(a, b);
}

/* --- writing --- */

static int order(const void *a, const void *b)
{
    const struct sender_entry *one = *(const struct sender_entry *const *)a,
                              *other = *(const struct sender_entry *const *)b;
    char one_room[NETWORK_KEY], other_room[NETWORK_KEY];
    int by_key = key_compare(one->kind, key_of(one, one_room), other->kind, key_of(other, other_room));
    return by_key ? by_key : (one > other) - (one < other);
}

static uint32_t text_place(struct buffer *pool, size_t pool_at, struct text text)
{
    size_t at = pool_at + buffer_length(pool);
    buffer_add_text(pool, text);
    return (uint32_t)at;
}

static uint8_t flags_of(const struct sender_entry *entry)
{
    return (uint8_t)((entry->is_envelope ? FLAG_ENVELOPE : 0) | (entry->is_unproven ? FLAG_UNPROVEN : 0) |
                     (entry->is_configured ? FLAG_CONFIGURED : 0) | (entry->is_users ? FLAG_USERS : 0));
}

static struct image_record record_of(const struct sender_entry *entry, struct buffer *pool, size_t pool_at)
{
    char room[NETWORK_KEY];
    struct text key = key_of(entry, room);
    struct image_record record = { .expires_ms = entry->expires_ms,
                                   .number = entry->number,
                                   .key_at = text_place(pool, pool_at, key),
                                   .to_at = text_place(pool, pool_at, entry->to),
                                   .key_length = (uint16_t)key.length,
                                   .to_length = (uint16_t)entry->to.length,
                                   .verb = (uint8_t)entry->verb,
                                   .kind = (uint8_t)entry->kind,
                                   .flags = flags_of(entry),
                                   .action = (uint8_t)entry->action };
    for (int i = 0; i < ENTRY_FEATURES; i++) {
        record.pattern_at[i] = text_place(pool, pool_at, entry->patterns[i]);
        record.pattern_length[i] = (uint16_t)entry->patterns[i].length;
    }
    return record;
}

/* Of any order of entries another sum. */
static void patterns_note(struct image_head *head, const struct sender_entry *entry)
{
    uint32_t own[] = { entry->number, sender_entry_pattern_check(entry) };
    if (own[1])
        head->pattern_sum =
            text_checksum_on(head->pattern_sum, text_from((const char *)own, sizeof own)) | 1U;
}

static void bits_note(struct image_head *head, const struct sender_entry *entry)
{
    if (entry->kind == ENTRY_NETWORK)
        head->bits[entry->network.bits / 8] |= (uint8_t)(1U << entry->network.bits % 8);
}

bool entry_image_write(const struct sender_entry *entries, size_t count, struct buffer *out)
{
    struct image_head head = { .count = (uint32_t)count };
    struct buffer records = { 0 }, pool = { 0 };
    if (count > ENTRIES_MOST) return false;
    const size_t pool_at = sizeof head + count * sizeof(struct image_record);
    const struct sender_entry **sorted = memory_alloc((count + 1) * sizeof *sorted);
    for (size_t i = 0; i < count; i++) sorted[i] = &entries[i];
    qsort(sorted, count, sizeof *sorted, order);
    for (size_t i = 0; i < count; i++) {
        struct image_record record = record_of(sorted[i], &pool, pool_at);
        bits_note(&head, sorted[i]);
        patterns_note(&head, sorted[i]);
        buffer_add(&records, &record, sizeof record);
    }
    bool fits = pool_at + buffer_length(&pool) <= ENTRY_IMAGE_MOST;
    if (fits) {
        buffer_add(out, &head, sizeof head);
        buffer_add_text(out, buffer_text(&records));
        buffer_add_text(out, buffer_text(&pool));
    }
    free(sorted);
    buffer_free(&records);
    buffer_free(&pool);
    return fits;
}

/* --- reading: nothing that stands there is believed --- */

/* 0 where the image is none. */
static uint32_t count_of(struct text image)
{
    struct image_head head;
    if (image.length < sizeof head) return 0;
    memcpy(&head, image.at, sizeof head);
    size_t most = (image.length - sizeof head) / sizeof(struct image_record);
    return head.count <= most && head.count <= ENTRIES_MOST ? head.count : 0;
}

static struct image_record record_at(struct text image, size_t n)
{
    struct image_record record;
    memcpy(&record, image.at + sizeof(struct image_head) + n * sizeof record, sizeof record);
    return record;
}

static struct text key_at(struct text image, const struct image_record *record)
{
    return text_slice(image, record->key_at, (size_t)record->key_at + record->key_length);
}

/* The first record that is not below the key. */
static void seek(struct entry_cursor *cursor)
{
    struct text key = text_from(cursor->key, cursor->key_length);
    size_t low = 0, high = count_of(cursor->image);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct image_record record = record_at(cursor->image, middle);
        if (key_compare(record.kind, key_at(cursor->image, &record), cursor->kind, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    cursor->at = low;
}

void entry_image_seek(struct text image, enum entry_kind kind, struct text what, struct entry_cursor *out)
{
    out->image = what.length <= sizeof out->key ? image : TEXT_NONE;
    out->kind = kind;
    out->key_length = out->image.length ? what.length : 0;
    if (out->key_length) memcpy(out->key, what.at, out->key_length);
    seek(out);
}

static struct address masked(const struct address *address, unsigned bits)
{
    struct address out = { { 0 } };
    memcpy(out.bytes, address->bytes, bits / 8);
    if (bits % 8) out.bytes[bits / 8] = address->bytes[bits / 8] & (uint8_t)(0xff << (8 - bits % 8));
    return out;
}

void entry_image_seek_network(struct text image, const struct address *address, unsigned bits,
                              struct entry_cursor *out)
{
    char room[NETWORK_KEY];
    const struct sender_entry asked = { .kind = ENTRY_NETWORK,
                                        .network = { masked(address, bits), (uint8_t)bits } };
    entry_image_seek(image, ENTRY_NETWORK, key_of(&asked, room), out);
}

static bool record_read(struct text image, const struct image_record *record, struct sender_entry *out)
{
    struct text key = key_at(image, record);
    *out = (struct sender_entry){ .number = record->number,
                                  .is_configured = record->flags & FLAG_CONFIGURED,
                                  .verb = record->verb,
                                  .kind = record->kind,
                                  .to = text_slice(image, record->to_at,
                                                   (size_t)record->to_at + record->to_length),
                                  .is_envelope = record->flags & FLAG_ENVELOPE,
                                  .is_unproven = record->flags & FLAG_UNPROVEN,
                                  .is_users = record->flags & FLAG_USERS,
                                  .action = record->action,
                                  .expires_ms = record->expires_ms };
    if (out->kind == ENTRY_NETWORK && key.length == NETWORK_KEY) {
        memcpy(out->network.address.bytes, key.at, NETWORK_KEY - 1);
        out->network.bits = (uint8_t)key.at[NETWORK_KEY - 1];
    }
    if (out->kind == ENTRY_ADDRESS || out->kind == ENTRY_DOMAIN) out->what = key;
    for (int i = 0; i < ENTRY_FEATURES; i++) {
        size_t from = record->pattern_at[i], length = record->pattern_length[i];
        out->patterns[i] = text_slice(image, from, from + length);
        if (out->patterns[i].length != length || length > ENTRY_PATTERN_MOST) return false;
    }
    return record->kind < ENTRY_KINDS && record->verb < ENTRY_VERBS && record->action <= ACTION_REJECT &&
           out->to.length == record->to_length;
}

bool entry_image_next(struct entry_cursor *cursor, struct sender_entry *out)
{
    struct text key = text_from(cursor->key, cursor->key_length);
    if (cursor->at >= count_of(cursor->image)) return false;
    struct image_record record = record_at(cursor->image, cursor->at++);
    return record.kind == cursor->kind && text_equal(key_at(cursor->image, &record), key) &&
           record_read(cursor->image, &record, out);
}

bool entry_image_has_bits(struct text image, unsigned bits)
{
    struct image_head head;
    if (count_of(image) == 0 || bits > 128) return false;
    memcpy(&head, image.at, sizeof head);
    return head.bits[bits / 8] >> bits % 8 & 1;
}

void entry_image_seek_number(struct text image, uint32_t number, struct entry_cursor *out)
{
    entry_image_seek(image, ENTRY_ANYBODY, text_from((const char *)&number, sizeof number), out);
}

bool entry_image_next_patterned(struct text image, size_t *at, struct sender_entry *out)
{
    while (*at < count_of(image)) {
        struct image_record record = record_at(image, (*at)++);
        if (record_read(image, &record, out) && sender_entry_has_patterns(out)) return true;
    }
    return false;
}

uint64_t entry_image_pattern_sum(struct text image)
{
    struct image_head head;
    if (count_of(image) == 0) return 0;
    memcpy(&head, image.at, sizeof head);
    return head.pattern_sum;
}
