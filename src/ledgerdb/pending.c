/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Sums in a hash table, terms in a list; both live in an arena that is emptied with each transaction. */
#include "ledgerdb/pending.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"
#include "ledgerdb/partners.h"

enum { FIRST_SLOTS = 1024, CHAINS = 4096 };

struct entry {
    uint64_t hash;
    uint32_t day;
    uint16_t node;
    uint8_t hour, direction;
    enum sum_kind kind;
    struct text domain, name;
    uint64_t messages, recipients, bytes;
};

struct document {
    uint64_t id;
    struct text terms;
    bool is_refusal;
};

struct remembered {
    struct remembered *next;
    uint64_t message;
    uint32_t number;
    struct pending_sum sum;
};

struct pending {
    struct arena *arena;
    struct sum_clock clock;
    struct entry *entries; /* open addressing; hash 0: free */
    size_t entry_slots, entry_count;
    struct remembered *chains[CHAINS];
    bool has_remembered;
    struct document *documents;
    size_t document_count, document_room;
    struct buffer joined;
    struct partners *partners;
    struct sql_statement *add_day, *add_hour, *index[2];
};

struct pending *pending_new(struct sql *sql)
{
    struct pending *pending = memory_alloc(sizeof *pending);
    pending->add_day = sql_prepare(
        sql, "INSERT INTO sum_day(kind, day, node, direction, domain, name, messages, recipients, bytes)"
             " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)" SUMS_ADDED);
    pending->add_hour = sql_prepare(
        sql, "INSERT INTO sum_hour(kind, day, node, direction, domain, name, messages, recipients, bytes,"
             " hour) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)" SUMS_ADDED);
    pending->index[false] = sql_prepare(sql, "INSERT INTO find_message(rowid, terms) VALUES(?1, ?2)");
    pending->index[true] = sql_prepare(sql, "INSERT INTO find_refusal(rowid, terms) VALUES(?1, ?2)");
    pending->partners = partners_new(sql);
    pending->arena = arena_new(64 * 1024);
    pending->entry_slots = FIRST_SLOTS;
    pending->entries = memory_alloc(FIRST_SLOTS * sizeof *pending->entries);
    if (pending->add_day && pending->add_hour && pending->index[0] && pending->index[1] && pending->partners)
        return pending;
    pending_free(pending);
    return NULL;
}

void pending_free(struct pending *pending)
{
    if (!pending) return;
    sql_drop(pending->add_day);
    sql_drop(pending->add_hour);
    sql_drop(pending->index[0]);
    sql_drop(pending->index[1]);
    partners_free(pending->partners);
    arena_free(pending->arena);
    buffer_free(&pending->joined);
    free(pending->entries);
    free(pending->documents);
    free(pending);
}

/* --- sums --- */

static uint64_t entry_hash(const struct entry *entry)
{
    uint64_t numbers = (uint64_t)entry->day << 32 | (uint64_t)entry->node << 16 | entry->hour << 8 |
                       (uint64_t)entry->kind << 1 | entry->direction;
    uint64_t hash = hash_text(entry->domain) * 31 + hash_text(entry->name);
    hash = (hash ^ numbers * UINT64_C(0x9E3779B97F4A7C15)) * UINT64_C(0xD6E8FEB86659FD93);
    return hash ^ hash >> 32 ? hash ^ hash >> 32 : 1;
}

static bool is_same(const struct entry *a, const struct entry *b)
{
    return a->hash == b->hash && a->day == b->day && a->hour == b->hour && a->node == b->node &&
           a->direction == b->direction && a->kind == b->kind && text_equal(a->domain, b->domain) &&
           text_equal(a->name, b->name);
}

static struct entry *place_of(struct entry *entries, size_t slots, const struct entry *wanted)
{
    size_t at = wanted->hash & (slots - 1);
    while (entries[at].hash && !is_same(&entries[at], wanted)) at = (at + 1) & (slots - 1);
    return &entries[at];
}

static void table_grow(struct pending *pending)
{
    size_t slots = pending->entry_slots * 2;
    struct entry *entries = memory_alloc(slots * sizeof *entries);
    for (size_t i = 0; i < pending->entry_slots; i++)
        if (pending->entries[i].hash) *place_of(entries, slots, &pending->entries[i]) = pending->entries[i];
    free(pending->entries);
    pending->entries = entries;
    pending->entry_slots = slots;
}

/* Texts of `wanted` are copied when they are new. */
static void entry_add(struct pending *pending, struct entry wanted)
{
    wanted.hash = entry_hash(&wanted);
    struct entry *entry = place_of(pending->entries, pending->entry_slots, &wanted);
    if (entry->hash) {
        entry->messages += wanted.messages;
        entry->recipients += wanted.recipients;
        entry->bytes += wanted.bytes;
        return;
    }
    *entry = wanted;
    entry->domain = arena_text(pending->arena, wanted.domain);
    entry->name = arena_text(pending->arena, wanted.name);
    pending->entry_count++;
}

void pending_add_sum(struct pending *pending, const struct pending_sum *sum)
{
    sum_clock_set(&pending->clock, sum->time_ms);
    struct entry wanted = { .day = pending->clock.day,
                            .hour = sum->is_whole_day ? SUM_WHOLE_DAY : pending->clock.hour,
                            .node = sum->node,
                            .direction = sum->direction,
                            .kind = sum->kind,
                            .domain = sum->domain,
                            .name = sum->name,
                            .messages = sum->messages,
                            .recipients = sum->recipients,
                            .bytes = sum->bytes };
    entry_add(pending, wanted);
    if (pending->entry_count * 2 > pending->entry_slots) table_grow(pending);
}

void pending_add_partner(struct pending *pending, const struct pending_sum *sum, const struct proof *proof)
{
    sum_clock_set(&pending->clock, sum->time_ms);
    partners_add(pending->partners, pending->clock.day, sum->node, proof->author, proof->fate);
}

/* An empty text is bound as NULL, which a key cannot have. */
static void bind_key(struct sql_statement *statement, int column, struct text text)
{
    if (text.length)
        sql_bind_text(statement, column, text);
    else
        sql_bind_empty(statement, column);
}

static enum ledgerdb_outcome sum_write(struct pending *pending, const struct entry *entry)
{
    bool is_whole_day = entry->hour == SUM_WHOLE_DAY;
    struct sql_statement *add = is_whole_day ? pending->add_day : pending->add_hour;
    sql_bind(add, 1, (uint64_t)entry->kind);
    sql_bind(add, 2, entry->day);
    sql_bind(add, 3, entry->node);
    sql_bind(add, 4, entry->direction);
    bind_key(add, 5, entry->domain);
    bind_key(add, 6, entry->name);
    sql_bind(add, 7, entry->messages);
    sql_bind(add, 8, entry->recipients);
    sql_bind(add, 9, entry->bytes);
    if (!is_whole_day) sql_bind(add, 10, entry->hour);
    return sql_do(add);
}

/* An entry of the whole day for each that has an hour. There is room for all of them first, so that no entry
   moves on the way. */
static void days_add(struct pending *pending)
{
    while (pending->entry_count * 4 > pending->entry_slots) table_grow(pending);
    for (size_t i = 0; i < pending->entry_slots; i++) {
        struct entry entry = pending->entries[i];
        if (!entry.hash || entry.hour == SUM_WHOLE_DAY) continue;
        entry.hour = SUM_WHOLE_DAY;
        entry_add(pending, entry);
    }
}

static enum ledgerdb_outcome sums_write(struct pending *pending)
{
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    days_add(pending);
    for (size_t i = 0; i < pending->entry_slots && outcome == LEDGERDB_DONE; i++)
        if (pending->entries[i].hash) outcome = sum_write(pending, &pending->entries[i]);
    return outcome;
}

/* --- recipients --- */

static size_t chain_of(uint64_t message, uint32_t number)
{
    return ((message ^ number) * UINT64_C(0x9E3779B97F4A7C15)) >> 32 & (CHAINS - 1);
}

void pending_remember(struct pending *pending, uint64_t message, uint32_t number,
                      const struct pending_sum *sum)
{
    struct remembered **chain = &pending->chains[chain_of(message, number)];
    struct remembered *one = arena_alloc(pending->arena, sizeof *one);
    *one = (struct remembered){ *chain, message, number, *sum };
    one->sum.domain = arena_text(pending->arena, sum->domain);
    *chain = one;
    pending->has_remembered = true;
}

const struct pending_sum *pending_recall(const struct pending *pending, uint64_t message, uint32_t number)
{
    const struct remembered *one = pending->chains[chain_of(message, number)];
    while (one && (one->message != message || one->number != number)) one = one->next;
    return one ? &one->sum : NULL;
}

/* --- terms --- */

void pending_add_terms(struct pending *pending, bool is_refusal, uint64_t id, struct text terms)
{
    if (!terms.length) return;
    if (pending->document_count == pending->document_room) {
        pending->document_room = pending->document_room ? pending->document_room * 2 : 1024;
        pending->documents =
            memory_grow(pending->documents, pending->document_room * sizeof *pending->documents);
    }
    pending->documents[pending->document_count++] =
        (struct document){ id, arena_text(pending->arena, terms), is_refusal };
}

static int document_order(const void *a, const void *b)
{
    const struct document *x = a, *y = b;
    if (x->is_refusal != y->is_refusal) return x->is_refusal ? 1 : -1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* What was said of one id in this transaction becomes one document. */
static enum ledgerdb_outcome terms_write(struct pending *pending)
{
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    if (pending->document_count > 1)
        qsort(pending->documents, pending->document_count, sizeof *pending->documents, document_order);
    for (size_t i = 0, next; i < pending->document_count && outcome == LEDGERDB_DONE; i = next) {
        const struct document *first = &pending->documents[i];
        struct text terms = first->terms;
        for (next = i + 1; next < pending->document_count; next++) {
            if (document_order(first, &pending->documents[next]) != 0) break;
            if (next == i + 1) {
                buffer_clear(&pending->joined);
                buffer_add_text(&pending->joined, first->terms);
            }
            buffer_add_char(&pending->joined, ' ');
            buffer_add_text(&pending->joined, pending->documents[next].terms);
            terms = buffer_text(&pending->joined);
        }
        struct sql_statement *index = pending->index[first->is_refusal];
        sql_bind(index, 1, first->id);
        sql_bind_text(index, 2, terms);
        outcome = sql_do(index);
    }
    return outcome;
}

enum ledgerdb_outcome pending_write(struct pending *pending)
{
    enum ledgerdb_outcome outcome = terms_write(pending);
    if (outcome == LEDGERDB_DONE) outcome = sums_write(pending);
    if (outcome == LEDGERDB_DONE) outcome = partners_write(pending->partners);
    pending_drop(pending);
    return outcome;
}

void pending_drop(struct pending *pending)
{
    if (pending->entry_count) memset(pending->entries, 0, pending->entry_slots * sizeof *pending->entries);
    if (pending->has_remembered) memset(pending->chains, 0, sizeof pending->chains);
    pending->has_remembered = false;
    pending->entry_count = pending->document_count = 0;
    partners_drop(pending->partners);
    arena_reset(pending->arena);
}
