/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Recipient tables: the text of a file with one address, local part or @domain a line, made searchable. */
#ifndef SEKIMORI_CONFIG_TABLE_H
#define SEKIMORI_CONFIG_TABLE_H

#include "base/text.h"

struct table;

enum { TABLE_LINES_MOST = 10000000, TABLE_LINE_MOST = 2048 };

/* Lines: "user@example.jp", "user" (at any domain that uses the table), "@example.jp" (everybody there).
   A local part may stand in quotes, which it needs where it has a blank: "\"a b\"@example.jp", "\"a b\"".
   Blank lines and lines that start with # are skipped; a # after a blank starts a comment.
   Borrows `content`. NULL when a line is not one of these, with "LINE: reason" in `error`. */
struct table *table_new(struct text content, char *error, size_t size);
void table_free(struct table *table); /* NULL is allowed */

size_t table_count(const struct table *table); /* lines that name somebody */

/* ASCII case is ignored on both sides. `local_part` without quotes and backslashes. */
bool table_has(const struct table *table, struct text local_part, struct text domain);

#endif
