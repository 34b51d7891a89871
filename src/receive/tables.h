/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The tables of recipients that are in force, one a domain. */
#ifndef SEKIMORI_RECEIVE_TABLES_H
#define SEKIMORI_RECEIVE_TABLES_H

#include "config/settings.h"

struct tables;

/* From the contents in the configuration, which they borrow. A table that cannot be read is logged as an
   alarm: nobody knows then who is in it, and nobody is taken. */
struct tables *tables_new(const struct config *config);
void tables_free(struct tables *tables); /* NULL is allowed */

enum tables_answer {
    TABLES_NONE,      /* the domain has no table */
    TABLES_KNOWN,     /* the address, its local part or its @domain is in it */
    TABLES_UNKNOWN,   /* it is not */
    TABLES_UNREADABLE /* that cannot be said now: 450 */
};
/* `number`: the domain's in config->domains. `local`: without quotes; `name`: what stands behind its @. What
   is not in the table by its whole local part may be by what stands before a delimiter of the domain's. */
enum tables_answer tables_ask(const struct tables *tables, size_t number, const struct domain *domain,
                              struct text local, struct text name);

#endif
