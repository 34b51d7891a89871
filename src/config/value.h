/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One value of the language: read into the field a schema row points at, and printed from it. */
#ifndef SEKIMORI_CONFIG_VALUE_H
#define SEKIMORI_CONFIG_VALUE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "config/lexer.h"
#include "config/schema.h"

enum { VALUE_LIST_MOST = 9000 }; /* items of one list setting */

/* Reads a word into the row's field of the struct at `base`; a list grows by it. Returns NULL, or what is
   wrong with the word in a few words ("is too large"). Relative paths are put behind `folder`. */
const char *value_parse(const struct schema_row *row, void *base, const struct token *word,
                        struct text folder, struct arena *arena);

/* Several words may follow, and the setting may be said again, a command excepted. */
bool value_is_list(const struct schema_row *row);

/* The field, so that value_parse reads the same from it; a list as words with one blank between. */
void value_print(const struct schema_row *row, const void *base, struct buffer *out);

/* The field of the row, for those who want it raw. Numbers of any width, booleans and choices. */
uint64_t value_number(const struct schema_row *row, const void *base);

/* A word bare where the lexer would read it back as the same value, else in quotes. */
void value_word_print(struct text word, struct buffer *out);

/* endpoint_parse for a port that is not 0. With `port_fallback` above 0 the port may be missing. */
bool value_endpoint_parse(struct text word, uint16_t port_fallback, struct endpoint *out);
/* Leaves the port out when it is `port_fallback`. */
void value_endpoint_print(const struct endpoint *endpoint, uint16_t port_fallback, struct buffer *out);

/* "192.0.2.53" or, on another port than 53, "192.0.2.53@5353": a DNS server. */
bool value_is_server(struct text word);

/* Letters, digits, hyphens and underscores in labels of at most 63; the last label is no number. */
bool value_is_host_name(struct text word);

/* USER@NAME: a user without blanks, quotes and other signs that need them, a host name behind it. */
bool value_is_mailbox(struct text word);

/* Room for one more item of `size` bytes behind `count` items in `arena`: the (moved) array. */
void *value_list_grow(struct arena *arena, void *items, size_t count, size_t size);

/* "recipients" and "operators" stand in lists of users for those that a case concerns, and are no users. */
bool value_is_user_group(struct text word);

#endif
