/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Many literals looked for in one pass over a text. A hash table by hand, since it is asked at every byte:
   rows by the hash of their first bytes. */
#ifndef SEKIMORI_RULES_LITERAL_TABLE_H
#define SEKIMORI_RULES_LITERAL_TABLE_H

#include "base/text.h"

enum { LITERAL_LEAST = 3 }; /* bytes of a literal: a character of Japanese */

struct literal_table;

/* An empty one; owned by the caller. */
struct literal_table *literal_table_new(void);
void literal_table_free(struct literal_table *table); /* NULL is allowed */

/* `literal` is borrowed for as long as the table lives, and has LITERAL_LEAST bytes or more. The same literal
   may stand for several values. */
void literal_table_add(struct literal_table *table, struct text literal, uint32_t value);

/* A walk over a text: set table and text, zeroes else. */
struct literal_walk {
    const struct literal_table *table;
    struct text text;
    size_t at;      /* where the literal was found */
    uint32_t value; /* what it stands for */
    uint32_t next;  /* rows of this place that are left; 0: none */
    size_t from;    /* the next place */
};

/* The next literal in the order of the text, overlapping ones too; false: there is none any more. */
bool literal_table_next(struct literal_walk *walk);

#endif
