/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Texts that many messages share (domains, reasons), each kept once and counted, known by a number. */
#ifndef SEKIMORI_QUEUE_JOURNAL_NAMES_H
#define SEKIMORI_QUEUE_JOURNAL_NAMES_H

#include "base/text.h"

struct names;

/* Never NULL. NULL may be freed. */
struct names *names_new(void);
void names_free(struct names *names);

/* The text's number, with one more holder. 0 is the empty text: it is always there and not counted. */
uint32_t names_hold(struct names *names, struct text text);
void names_hold_again(struct names *names, uint32_t number);
/* One holder less; with the last one the number may be given to another text. */
void names_drop(struct names *names, uint32_t number);

struct text names_text(const struct names *names, uint32_t number); /* borrowed while it is held */
uint32_t names_holders(const struct names *names, uint32_t number); /* `number` is one that names_hold gave */
uint32_t names_limit(const struct names *names);                    /* every number is below */

/* The number of a text that somebody holds, or 0. */
uint32_t names_find(const struct names *names, struct text text);

#endif
