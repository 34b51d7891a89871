/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by main.c each second. */
#include "ledger/list_page.h"

#include "impostor/person_name.h"

enum { FILL_EVERY_MS = 60 * 1000 };

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

/* What is to be in the page. */
struct filling {
    struct arena *arena;
    struct fingerprint *items;
    size_t count, lists, people;
};

static void item_add(struct filling *filling, struct fingerprint item)
{
    if (filling->count < FINGERPRINTS_MOST) filling->items[filling->count++] = item;
}

static bool lists_add(struct filling *filling, struct database *database, uint32_t until_day)
{
    struct list_pair *pairs;
    size_t count;
    if (database_known_lists(database, until_day, filling->arena, &pairs, &count) != LEDGERDB_DONE)
        return false;
    for (size_t i = 0; i < count; i++) item_add(filling, fingerprint_of_list(pairs[i].id, pairs[i].domain));
    filling->lists = count;
    return true;
}

/* A name under each of its keys, alone and with the address of who bears it. */
static void colleague_add(struct filling *filling, const struct colleague *one, struct buffer *folded)
{
    char room[PERSON_KEY_MOST];
    buffer_clear(folded);
    person_name_fold(one->name, folded);
    struct text parts = buffer_text(folded), part;
    while (person_name_part(&parts, &part))
        for (int way = 0; way < PERSON_WAYS; way++) {
            struct text key = text_from(room, person_name_key_in(part, way, room));
            if (key.length == 0) continue;
            item_add(filling, fingerprint_of_colleague(key));
            item_add(filling, fingerprint_of_bearer(key, one->address));
        }
}

static bool people_add(struct filling *filling, struct database *database)
{
    struct colleague *all;
    struct buffer folded = { 0 };
    size_t count;
    if (database_colleagues(database, filling->arena, &all, &count) != LEDGERDB_DONE) return false;
    for (size_t i = 0; i < count; i++) {
        if (!all[i].is_settled) continue;
        colleague_add(filling, &all[i], &folded);
        filling->people++;
    }
    buffer_free(&folded);
    return true;
}

/* A database that cannot be read leaves it as it is. */
static void fill(struct list_page *page, struct database *database, bool has_lists, uint32_t until_day,
                 bool has_people)
{
    struct arena *arena = arena_new(0);
    struct filling filling = { .arena = arena,
                               .items = arena_alloc_array(arena, FINGERPRINTS_MOST, sizeof *filling.items) };
    bool is_read = (!has_lists || lists_add(&filling, database, until_day)) &&
                   (!has_people || people_add(&filling, database));
    if (is_read) fingerprint_page_write(page->lists, filling.items, filling.count);
    if (is_read) page->known = filling.lists;
    if (is_read) page->people = filling.people;
    arena_free(arena);
}

void list_page_look(struct list_page *page, struct ingest *ingest, const struct config *config,
                    uint64_t now_ms)
{
    struct database *database = ingest_database(ingest);
    uint64_t after_ms = config->auth.lists_after_ms, now = ingest_old_ms(ingest);
    if (!page->lists || now_ms < page->next_ms) return;
    bool has_lists = after_ms > 0 && after_ms <= now;
    bool has_people = config->outside.learns_people;
    if (!has_lists && !has_people) {
        fingerprint_page_write(page->lists, NULL, 0);
        page->known = page->people = 0;
    } else if (database) {
        fill(page, database, has_lists, has_lists ? (uint32_t)((now - after_ms) / DAY_MS) : 0, has_people);
    } else {
        return; /* it may be there in a second */
    }
    page->next_ms = now_ms + FILL_EVERY_MS;
}
