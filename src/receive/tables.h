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
/* `domain`: its number in config->domains. `address`: local part, @ and domain. */
enum tables_answer tables_ask(const struct tables *tables, size_t domain, struct text address);

#endif
