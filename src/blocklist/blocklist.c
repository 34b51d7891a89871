/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "blocklist/blocklist.h"

#include "base/hash.h"
#include "blocklist/image.h"

bool blocklist_open(struct text image, struct blocklist *out)
{
    const struct blocklist_head *head = (const void *)image.at;
    if (image.length < sizeof *head || (uintptr_t)image.at % 8 != 0) return false;
    if (memcmp(head->magic, BLOCKLIST_MAGIC, sizeof head->magic) != 0 || head->length != image.length)
        return false;
    *out = (struct blocklist){ image, head };
    return true;
}

enum blocklist_kind blocklist_kind_of(const struct blocklist *list)
{
    return list->head->kind;
}

uint32_t blocklist_count(const struct blocklist *list)
{
    return list->head->count;
}

static const struct blocklist_line *line_at(const struct blocklist *list, uint32_t entry)
{
    const struct blocklist_line *lines = blocklist_place(list, list->head->entries);
    return &lines[entry];
}

/* A length byte and as many bytes behind it. */
static struct text text_at(const struct blocklist *list, uint64_t pool, uint32_t place)
{
    const char *at = blocklist_place(list, pool + place);
    return text_from(at + 1, (unsigned char)at[0]);
}

static bool found(const struct blocklist *list, uint32_t entry, struct blocklist_entry *out)
{
    const struct blocklist_line *line = line_at(list, entry);
    *out = (struct blocklist_entry){ line->line, text_at(list, list->head->reasons, line->reason) };
    return true;
}

/* --- networks --- */

/* The first of spans [low, high) that does not end before the address; `high` where all do. */
static uint32_t v4_find(const struct blocklist_v4_span *spans, uint32_t low, uint32_t high, uint32_t address)
{
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (spans[middle].last < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool v4_has(const struct blocklist *list, uint32_t address, struct blocklist_entry *out)
{
    const struct blocklist_v4_span *spans = blocklist_place(list, list->head->v4s);
    const uint32_t *tops = blocklist_place(list, list->head->tops);
    uint32_t top = address >> 16, count = list->head->v4_count;
    uint32_t high = tops[top + 1] < count ? tops[top + 1] + 1 : count;
    uint32_t at = v4_find(spans, tops[top], high, address);
    return at < count && spans[at].first <= address && found(list, spans[at].entry, out);
}

static bool v6_has(const struct blocklist *list, const struct address *address, struct blocklist_entry *out)
{
    const struct blocklist_v6_span *spans = blocklist_place(list, list->head->v6s);
    uint32_t low = 0, high = list->head->v6_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (memcmp(spans[middle].last, address->bytes, 16) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == list->head->v6_count || memcmp(spans[low].first, address->bytes, 16) > 0) return false;
    return found(list, spans[low].entry, out);
}

bool blocklist_has_address(const struct blocklist *list, const struct address *address,
                           struct blocklist_entry *out)
{
    if (list->head->kind != BLOCKLIST_NETWORKS) return false;
    if (address_is_v4(address)) return v4_has(list, blocklist_v4_of(address->bytes), out);
    return v6_has(list, address, out);
}

/* --- names and hashes --- */

static struct text key_of(const struct blocklist *list, uint32_t entry)
{
    uint32_t key = line_at(list, entry)->key;
    if (list->head->kind == BLOCKLIST_NAMES) return text_at(list, list->head->keys, key);
    const char *hashes = blocklist_place(list, list->head->keys);
    return text_from(hashes + (size_t)key * BLOCKLIST_HASH_SIZE, BLOCKLIST_HASH_SIZE);
}

static bool key_find(const struct blocklist *list, struct text key, struct blocklist_entry *out)
{
    const struct blocklist_slot *slots = blocklist_place(list, list->head->table);
    uint64_t hash = hash_text_by(list->head->key, key);
    uint32_t mask = list->head->table_mask, tag = (uint32_t)(hash >> 32);
    for (uint32_t at = blocklist_slot_of(hash, mask); slots[at].entry; at = (at + 1) & mask)
        if (slots[at].tag == tag && text_equal(key_of(list, slots[at].entry - 1), key))
            return found(list, slots[at].entry - 1, out);
    return false;
}

/* Where the last `labels` labels of the name begin; 0 where it has no more than those. */
static size_t last_labels(struct text name, uint32_t labels)
{
    for (size_t at = name.length; at > 0; at--)
        if (name.at[at - 1] == '.' && --labels == 0) return at;
    return 0;
}

/* The longest entry decides. No more labels are looked at than any entry has: a stranger chooses the name. */
bool blocklist_has_name(const struct blocklist *list, struct text name, struct blocklist_entry *out)
{
    if (list->head->kind != BLOCKLIST_NAMES || name.length > 255) return false;
    struct text rest = text_slice(name, last_labels(name, list->head->labels_most), name.length);
    for (;;) {
        if (key_find(list, rest, out)) return true;
        size_t dot = text_find_char(rest, '.');
        if (dot == rest.length) return false;
        rest = text_slice(rest, dot + 1, rest.length);
    }
}

bool blocklist_has_hash(const struct blocklist *list, const uint8_t hash[BLOCKLIST_HASH_SIZE],
                        struct blocklist_entry *out)
{
    if (list->head->kind != BLOCKLIST_HASHES) return false;
    return key_find(list, text_from((const char *)hash, BLOCKLIST_HASH_SIZE), out);
}
