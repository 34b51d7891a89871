/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Where in a table a text stands. Strangers choose many of these texts, so the hashes are keyed: who does not
   know the key cannot make texts that all fall into one place. */
#ifndef SEKIMORI_BASE_HASH_H
#define SEKIMORI_BASE_HASH_H

#include "base/text.h"

/* 64 bits, by a key that this process drew at its first call (a forked child has the same); the second folds
   ASCII case. For tables in memory: never stored, never told to another process. */
uint64_t hash_text(struct text text);
uint64_t hash_text_nocase(struct text text);
uint64_t hash_number(uint64_t number); /* likewise: ids are chosen by another process */

/* By a key of the caller's, the same everywhere and for ever: from hash_new_key, for a table that several
   processes share; or a constant, to tell a record that was damaged. */
uint64_t hash_text_by(uint64_t key, struct text text);
uint64_t hash_new_key(void); /* random, never 0 */

#endif
