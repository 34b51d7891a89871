/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A row of the page for each engine, found by its name. */
#include "consult/engine_measures.h"

#include <stdio.h>

static bool is_of(const struct measured_engine *row, const struct engine_client *client)
{
    char name[MEASURES_NAME_SIZE];
    snprintf(name, sizeof name, "%.*s", TEXT_ARG(engine_client_engine(client)->name));
    return strncmp(row->name, name, sizeof name) == 0;
}

/* A new engine's row: one that is free, else one of an engine that is no more. NULL: there is none. */
static struct measured_engine *row_make(struct consult_measures *page, const struct engine_client *client)
{
    struct measured_engine *free_row = NULL;
    for (size_t i = 0; i < MEASURES_ENGINES; i++) {
        struct measured_engine *row = &page->engines[i];
        if (row->is_configured) continue;
        if (!free_row || (free_row->name[0] && !row->name[0])) free_row = row;
    }
    if (!free_row) return NULL;
    *free_row = (struct measured_engine){ 0 };
    snprintf(free_row->name, sizeof free_row->name, "%.*s", TEXT_ARG(engine_client_engine(client)->name));
    return free_row;
}

static struct measured_engine *row_of(struct consult_measures *page, const struct engine_client *client)
{
    for (size_t i = 0; i < MEASURES_ENGINES; i++)
        if (is_of(&page->engines[i], client)) return &page->engines[i];
    return NULL;
}

static void row_write(struct measured_engine *row, struct engine_client *client)
{
    struct engine_counts since;
    engine_client_counts_take(client, &since);
    row->asked += since.asked;
    row->clean += since.clean;
    row->found += since.found;
    row->limits += since.limits;
    row->failed += since.failed;
    row->late += since.late;
    row->spared += since.spared;
    row->skipped += since.skipped;
    row->is_up = !engine_client_is_sick(client);
}

void engine_measures_write(struct consult_measures *page, struct engine_client *const *clients, size_t count)
{
    for (size_t i = 0; i < MEASURES_ENGINES; i++) {
        bool is_configured = false;
        for (size_t k = 0; k < count; k++) is_configured |= is_of(&page->engines[i], clients[k]);
        page->engines[i].is_configured = is_configured;
    }
    for (size_t i = 0; i < count; i++) {
        struct measured_engine *row = row_of(page, clients[i]);
        if (!row) row = row_make(page, clients[i]);
        if (!row) continue;
        row->is_configured = true;
        row_write(row, clients[i]);
    }
}
