/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Terms: what a message can be found by, as short words for the index tables find_message and find_refusal.
   A question to trace is an intersection of their lists, so it costs no more than the shortest list. A term
   is a letter of its kind and a hash; letters of ASCII are folded. A term found says "may be": rows are
   compared where it matters. */
#ifndef SEKIMORI_LEDGERDB_TERMS_H
#define SEKIMORI_LEDGERDB_TERMS_H

#include "base/address.h"
#include "base/buffer.h"
#include "ledgerdb/sql.h"

enum term_kind {
    TERM_SENDER = 's',
    TERM_SENDER_DOMAIN = 'e',
    TERM_RECIPIENT = 'r',
    TERM_RECIPIENT_DOMAIN = 'd',
    TERM_CLIENT = 'c',
    TERM_WORD = 'w',
    TERM_CLASS = 'v',
    TERM_STATUS = 't', /* what happened: "delivered", "deferred", "rejected" … */
    TERM_VIRUS = 'n',
};

/* Each appends terms, separated by spaces. */
void terms_add(struct buffer *out, enum term_kind kind, struct text value);
/* The address and its domain. */
void terms_add_sender(struct buffer *out, struct text address);
void terms_add_recipient(struct buffer *out, struct text address);
/* The address itself and the networks it is in: /24 and /16, for IPv6 /64 and /48. */
void terms_add_client(struct buffer *out, struct text address);
/* Words of letters and digits, folded; where a script has no blanks between words, each pair of neighbours.
 */
void terms_add_words(struct buffer *out, struct text subject);

/* The status term of a refusal with this code. */
const char *terms_refused_status(uint16_t code);

/* Parts of a question: an expression of FTS5. */
void terms_ask(struct buffer *out, enum term_kind kind, enum term_kind or_kind, struct text value);
/* A network of at most 2^24 addresses (/8), for IPv6 a /40; false: it is larger. Where the lists are coarser
   than the network, rows are to be compared. */
bool terms_ask_client(struct buffer *out, const struct network *network);
/* All words; false: there is none. `out_has_lone`: one is a single character of a script without blanks. It
   finds only what stands as alone as itself. */
bool terms_ask_words(struct buffer *out, struct text subject, bool *out_has_lone);

/* Of rows that were stored before there was an index; for the migration. */
enum ledgerdb_outcome terms_fill(struct sql *sql);

#endif
