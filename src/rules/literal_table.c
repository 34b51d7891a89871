/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "rules/literal_table.h"

#include <endian.h>
#include <stdlib.h>

#include "base/arena.h"

enum { BUCKET_BITS = 13, MET_BITS = 16 };

/* Nearly all that do not match are told by the row itself. */
struct literal_row {
    struct text literal;
    uint64_t head, mask; /* its first bytes, eight at most, and where they stand */
    uint32_t value;
    uint32_t next; /* index + 1 in the bucket; 0: the last */
};

/* `met` is small enough to stay near the processor, and answers for nearly every byte of a text. It knows
   what may be the fourth byte of a literal: five bits of it, all of them where a literal has three. */
struct literal_table {
    uint64_t met[1 << (MET_BITS - 6)]; /* hashes of the first four bytes of rows, by their first bits */
    uint32_t first[1 << BUCKET_BITS];  /* of the first three */
    struct literal_row *rows;
    uint32_t count, room;
};

struct literal_table *literal_table_new(void)
{
    return memory_alloc(sizeof(struct literal_table));
}

void literal_table_free(struct literal_table *table)
{
    if (table) free(table->rows);
    free(table);
}

enum { FOURTH_SHIFT = 24, FOURTH_ENDS = 32 };

/* The first three bytes, of three or more, and what is known of the fourth. */
static uint32_t word_at(const char *at, size_t left)
{
    uint32_t word = 0;
    if (left < sizeof word)
        memcpy(&word, at, LITERAL_LEAST);
    else
        memcpy(&word, at, sizeof word);
    return le32toh(word) & (((uint32_t)FOURTH_ENDS << FOURTH_SHIFT) - 1);
}

static uint32_t hash_of(uint32_t word)
{
    return word * 0x9E3779B1u;
}

static uint32_t bucket_of(uint32_t word)
{
    return hash_of(word & ((UINT32_C(1) << FOURTH_SHIFT) - 1)) >> (32 - BUCKET_BITS);
}

static bool is_met(const struct literal_table *table, uint32_t word)
{
    uint32_t bit = hash_of(word) >> (32 - MET_BITS);
    return table->met[bit >> 6] >> (bit & 63) & 1;
}

static void met_add(struct literal_table *table, uint32_t word)
{
    uint32_t bit = hash_of(word) >> (32 - MET_BITS);
    table->met[bit >> 6] |= UINT64_C(1) << (bit & 63);
}

/* The first eight bytes; zeroes where there are fewer. */
static uint64_t head_of(struct text text)
{
    uint64_t head = 0;
    memcpy(&head, text.at, text.length < sizeof head ? text.length : sizeof head);
    return head;
}

static uint64_t mask_of(struct text literal)
{
    static const char ones[] = { -1, -1, -1, -1, -1, -1, -1, -1 };
    return head_of(text_slice(text_from(ones, sizeof ones), 0, literal.length));
}

void literal_table_add(struct literal_table *table, struct text literal, uint32_t value)
{
    uint32_t word = word_at(literal.at, literal.length);
    uint32_t ends = literal.length > LITERAL_LEAST ? 1 : FOURTH_ENDS;
    uint32_t *first = &table->first[bucket_of(word)];
    for (uint32_t end = 0; end < ends; end++) met_add(table, word + (end << FOURTH_SHIFT));
    if (table->count == table->room) {
        table->room = table->room ? table->room * 2 : 256;
        table->rows = memory_grow(table->rows, table->room * sizeof *table->rows);
    }
    table->rows[table->count] =
        (struct literal_row){ literal, head_of(literal), mask_of(literal), value, *first };
    *first = ++table->count;
}

/* Goes on in the bucket of walk->at. */
static bool row_match(struct literal_walk *walk)
{
    if (!walk->next) return false;
    struct text rest = text_slice(walk->text, walk->at, walk->text.length);
    uint64_t head = head_of(rest);
    while (walk->next) {
        const struct literal_row *row = &walk->table->rows[walk->next - 1];
        walk->next = row->next;
        if ((head & row->mask) != row->head || !text_starts(rest, row->literal)) continue;
        walk->value = row->value;
        return true;
    }
    return false;
}

/* Where, from `at` on, a literal may begin. The length of the text: nowhere. */
static size_t next_place(const struct literal_table *table, struct text text, size_t at)
{
    for (; at + sizeof(uint32_t) <= text.length; at++)
        if (is_met(table, word_at(text.at + at, sizeof(uint32_t)))) return at;
    bool is_last = at + LITERAL_LEAST <= text.length && is_met(table, word_at(text.at + at, LITERAL_LEAST));
    return is_last ? at : text.length;
}

bool literal_table_next(struct literal_walk *walk)
{
    const struct text text = walk->text;
    while (!row_match(walk)) {
        walk->at = next_place(walk->table, text, walk->from);
        walk->from = walk->at + 1;
        if (walk->at >= text.length) return false;
        walk->next = walk->table->first[bucket_of(word_at(text.at + walk->at, text.length - walk->at))];
    }
    return true;
}
