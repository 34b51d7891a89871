/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by main.c each second. */
#include "ledger/list_page.h"

enum { FILL_EVERY_MS = 60 * 1000 };

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

/* A database that cannot be read leaves it as it is. */
static void fill(struct list_page *page, struct database *database, uint32_t until_day)
{
    struct arena *arena = arena_new(0);
    struct list_pair *pairs;
    size_t count;
    bool is_read = database_known_lists(database, until_day, arena, &pairs, &count) == LEDGERDB_DONE;
    struct fingerprint *items = arena_alloc_array(arena, is_read ? count : 0, sizeof *items);
    for (size_t i = 0; is_read && i < count; i++)
        items[i] = fingerprint_of_list(pairs[i].id, pairs[i].domain);
    if (is_read) fingerprint_page_write(page->lists, items, count);
    if (is_read) page->known = count;
    arena_free(arena);
}

void list_page_look(struct list_page *page, struct ingest *ingest, const struct config *config,
                    uint64_t now_ms)
{
    struct database *database = ingest_database(ingest);
    uint64_t after_ms = config->auth.lists_after_ms, now = ingest_old_ms(ingest);
    if (!page->lists || now_ms < page->next_ms) return;
    if (after_ms == 0 || after_ms > now) {
        fingerprint_page_write(page->lists, NULL, 0);
        page->known = 0;
    } else if (database) {
        fill(page, database, (uint32_t)((now - after_ms) / DAY_MS));
    } else {
        return; /* it may be there in a second */
    }
    page->next_ms = now_ms + FILL_EVERY_MS;
}
