/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Texts that many messages share (domains, reasons), each kept once and counted, known by a number. */
#ifndef SEKIMORI_QUEUE_JOURNAL_STRING_POOL_H
#define SEKIMORI_QUEUE_JOURNAL_STRING_POOL_H

#include "base/text.h"

struct string_pool;

/* Never NULL. NULL may be freed. */
struct string_pool *string_pool_new(void);
void string_pool_free(struct string_pool *pool);

/* The text's number, with one more holder. 0 is the empty text: it is always there and not counted. */
uint32_t string_pool_hold(struct string_pool *pool, struct text text);
void string_pool_hold_again(struct string_pool *pool, uint32_t number);
/* One holder less; with the last one the number may be given to another text. */
void string_pool_drop(struct string_pool *pool, uint32_t number);

struct text string_pool_text(const struct string_pool *pool, uint32_t number); /* borrowed while it is held */
uint32_t string_pool_holders(const struct string_pool *pool,
                             uint32_t number);              /* `number` is one that string_pool_hold gave */
uint32_t string_pool_limit(const struct string_pool *pool); /* every number is below */

/* The number of a text that somebody holds, or 0. */
uint32_t string_pool_find(const struct string_pool *pool, struct text text);

#endif
