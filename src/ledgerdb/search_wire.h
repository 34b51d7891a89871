/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Questions of `sekimori trace` and their answers as bytes, for who may ask the node and not read its files.
 */
#ifndef SEKIMORI_LEDGERDB_SEARCH_WIRE_H
#define SEKIMORI_LEDGERDB_SEARCH_WIRE_H

#include "base/buffer.h"
#include "ledgerdb/search.h"

enum { SEARCH_WIRE_MOST = 100000 }; /* hits of an answer, and what a question may ask for */

/* Each appends, and reads what the other wrote. Texts are borrowed from `bytes`, lists and the network live
   in the arena. False: malformed. */
void search_question_put(const struct search_question *question, struct buffer *out);
bool search_question_get(struct text bytes, struct arena *arena, struct search_question *out);
void search_result_put(const struct search_result *result, struct buffer *out);
bool search_result_get(struct text bytes, struct arena *arena, struct search_result *out);

#endif
