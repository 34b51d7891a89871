/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Recipient tables by domain. Master checks each file before it puts it in force, so one that cannot be read
   here was spoiled on its way; the answer is the same as for a file that is away: not now. */
#include "receive/tables.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/log.h"
#include "config/domains.h"
#include "config/table.h"

struct tables {
    size_t count;
    struct table_entry {
        bool is_wanted;
        struct table *table; /* NULL: unreadable */
    } * by_domain;           /* as config->domains */
};

struct tables *tables_new(const struct config *config)
{
    struct tables *tables = memory_alloc(sizeof *tables);
    tables->count = config->domain_count;
    tables->by_domain = memory_alloc(tables->count * sizeof *tables->by_domain);
    for (size_t i = 0; i < tables->count; i++) {
        const struct domain *domain = &config->domains[i];
        struct table_entry *entry = &tables->by_domain[i];
        char error[200];
        entry->is_wanted = domain->recipients == RECIPIENTS_TABLE;
        if (!entry->is_wanted) continue;
        entry->table = table_new(domain->recipients_table.content, error, sizeof error);
        if (!entry->table)
            log_error("ALARM: %.*s:%s: recipients of %.*s cannot be checked, each is told 450",
                      TEXT_ARG(domain->recipients_table.path), error, TEXT_ARG(domain->name));
    }
    return tables;
}

void tables_free(struct tables *tables)
{
    if (!tables) return;
    for (size_t i = 0; i < tables->count; i++) table_free(tables->by_domain[i].table);
    free(tables->by_domain);
    free(tables);
}

enum tables_answer tables_ask(const struct tables *tables, size_t number, const struct domain *domain,
                              struct text local, struct text name)
{
    if (number >= tables->count) return TABLES_UNREADABLE;
    const struct table_entry *entry = &tables->by_domain[number];
    if (!entry->is_wanted) return TABLES_NONE;
    if (!entry->table) return TABLES_UNREADABLE;
    if (table_has(entry->table, local, name)) return TABLES_KNOWN;
    if (domain->delimiter.length == 0) return TABLES_UNKNOWN;
    struct text user = text_slice(local, 0, config_user_length(domain, local));
    bool is_postmaster = text_equal_nocase(user, TEXT("postmaster"));
    return is_postmaster || table_has(entry->table, user, name) ? TABLES_KNOWN : TABLES_UNKNOWN;
}
