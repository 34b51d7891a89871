/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Who gets a digest, of what, and how far the mailing is. */
#include "report/digest/digest_recipients.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/domains.h"
#include "mail/envelope.h"
#include "report/state_file.h"

enum { PAGE_ROWS = 500, OLDER_MS = 6 * 3600 * 1000 };

static const struct domain *domain_of(const struct config *config, struct text address)
{
    return config_find_domain(config, envelope_domain_of(address));
}

enum language digest_mailing_language(const struct config *config, struct text address)
{
    const struct domain *domain = domain_of(config, address);
    return domain->has_language ? domain->language : config->report.language;
}

/* --- who is told of what --- */

static bool is_told_of(const struct config *config, enum held_class class)
{
    return config->digest.viruses || (class != HELD_VIRUS && class != HELD_PHISHING);
}

static bool is_told(const struct config *config, const struct held_row *row, uint64_t from_ms,
                    uint64_t until_ms)
{
    if (row->state != HELD_KEPT || row->is_arriving) return false;
    if (row->stored_ms <= from_ms || row->stored_ms > until_ms) return false;
    return text_find_last_char(row->address, '@') < row->address.length && row->address.length < 320 &&
           config_route_is_local(domain_of(config, row->address));
}

int digest_mailing_order(struct text a, struct text b)
{
    size_t least = a.length < b.length ? a.length : b.length;
    for (size_t i = 0; i < least; i++) {
        int difference = (unsigned char)char_lower(a.at[i]) - (unsigned char)char_lower(b.at[i]);
        if (difference) return difference;
    }
    return a.length < b.length ? -1 : a.length > b.length;
}

static int row_order(const void *a, const void *b)
{
    const struct held_row *x = a, *y = b;
    int order = digest_mailing_order(x->address, y->address);
    if (order) return order;
    return x->message < y->message ? -1 : x->message > y->message;
}

static void rows_add(struct held_rows *all, size_t *capacity, struct held_row row, struct arena *arena)
{
    if (all->count == *capacity) {
        *capacity = *capacity ? *capacity * 2 : 256;
        struct held_row *items = arena_alloc_array(arena, *capacity, sizeof *items);
        if (all->count) memcpy(items, all->items, all->count * sizeof *items);
        all->items = items;
    }
    row.sender = arena_text(arena, row.sender);
    row.address = arena_text(arena, row.address);
    row.subject = arena_text(arena, row.subject);
    row.author = arena_text(arena, row.author);
    row.virus = arena_text(arena, row.virus);
    row.reason = arena_text(arena, row.reason);
    all->items[all->count++] = row;
}

/* Page by page, each a short read; `class` below 0: of what is held in the queue. What is stored now came a
   little earlier, or waited for room; what cannot be delivered was tried until it expired. */
static enum ledgerdb_outcome class_gather(struct ledgerdb_reader *ledgerdb, const struct config *config,
                                          int class, uint64_t from_ms, uint64_t until_ms, struct arena *arena,
                                          struct held_rows *out, size_t *capacity)
{
    struct arena *page = arena_new(0);
    struct held_rows rows;
    uint64_t older_ms = OLDER_MS + (class < 0 || class == HELD_UNDELIVERABLE ? config->queue.expire_ms : 0);
    uint64_t after = from_ms > older_ms ? (from_ms - older_ms) << 22 : 0;
    enum ledgerdb_outcome outcome;
    do {
        arena_reset(page);
        sql_time_limit(ledgerdb_sql(ledgerdb), READER_STEP_MS);
        outcome = class < 0 ? held_queued_page(ledgerdb_sql(ledgerdb), page, after, PAGE_ROWS, &rows)
                            : held_page(ledgerdb_sql(ledgerdb), page, class, after, PAGE_ROWS, &rows);
        for (size_t i = 0; i < rows.count; i++)
            if (is_told_of(config, rows.items[i].class) && is_told(config, &rows.items[i], from_ms, until_ms))
                rows_add(out, capacity, rows.items[i], arena);
        if (rows.count) after = rows.items[rows.count - 1].message;
    } while (outcome == LEDGERDB_DONE && rows.count);
    arena_free(page);
    return outcome;
}

enum ledgerdb_outcome digest_mailing_gather(struct ledgerdb_reader *ledgerdb, const struct config *config,
                                            uint64_t from_ms, uint64_t until_ms, struct arena *arena,
                                            struct held_rows *out)
{
    size_t capacity = 0;
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    *out = (struct held_rows){ 0 };
    for (int class = config->quarantine.most_bytes ? 0 : -1; class < HELD_CLASSES; class ++) {
        outcome = class_gather(ledgerdb, config, class, from_ms, until_ms, arena, out, &capacity);
        if (outcome != LEDGERDB_DONE) break;
    }
    if (out->count) qsort(out->items, out->count, sizeof *out->items, row_order);
    return outcome;
}

size_t digest_mailing_group(const struct held_rows *rows, size_t at)
{
    size_t end = at;
    while (end < rows->count && text_equal_nocase(rows->items[end].address, rows->items[at].address)) end++;
    return end - at;
}

/* --- what is remembered --- */

void digest_mailing_read(int folder, struct digest_mailing *out)
{
    struct buffer file = { 0 };
    struct text word;
    uint64_t numbers[4] = { 0 };
    state_file_read(folder, "digest", &file);
    struct text rest = text_trim(buffer_text(&file));
    for (int i = 0; i < 4; i++)
        if (!text_next_word(&rest, &word) || !text_to_number(word, UINT64_MAX, &numbers[i])) numbers[i] = 0;
    *out = (struct digest_mailing){ (uint32_t)numbers[0], numbers[1], numbers[2], numbers[3], "" };
    snprintf(out->address, sizeof out->address, "%.*s", TEXT_ARG(text_trim(rest)));
    buffer_free(&file);
}

bool digest_mailing_write(int folder, const struct digest_mailing *mailing)
{
    struct buffer file = { 0 };
    buffer_printf(&file, "%u %" PRIu64 " %" PRIu64 " %" PRIu64 " %s\n", mailing->done_day, mailing->from_ms,
                  mailing->until_ms, mailing->offered_id, mailing->address);
    bool is_written = state_file_write(folder, "digest", buffer_text(&file));
    buffer_free(&file);
    return is_written;
}
