/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The digest: once a day, a mail to each user of ours of what is newly held for them. */
#ifndef SEKIMORI_REPORT_DIGEST_DIGEST_RECIPIENTS_H
#define SEKIMORI_REPORT_DIGEST_DIGEST_RECIPIENTS_H

#include "ledgerdb/held.h"
#include "ledgerdb/reader.h"
#include "ledgerdb/ticket.h"

/* One user's letter. Rows are of one recipient address, the oldest first; at most DIGEST_SHOWN_MOST are
 * named. */
enum { DIGEST_SHOWN_MOST = 100 };
struct digest_letter {
    const struct config *config;
    const struct ticket_key *key; /* NULL: no links; else there is a page or a reply address */
    enum language language;
    struct text to, id; /* id: of the letter */
    const struct held_row *rows;
    size_t count;
    uint64_t now_ms;
};
/* Appends the whole mail, header and body. */
void digest_mailing_print(const struct digest_letter *letter, struct buffer *out);

/* What became held in (from, until] and is still there, by address (any case), then by time; only for
   addresses of our domains, only of classes that users are told of. Lives in the arena. */
enum ledgerdb_outcome digest_mailing_gather(struct ledgerdb_reader *ledgerdb, const struct config *config,
                                            uint64_t from_ms, uint64_t until_ms, struct arena *arena,
                                            struct held_rows *out);
/* The order of users: addresses without case, by their bytes. */
int digest_mailing_order(struct text a, struct text b);
/* How many rows from `at` on have the same address. */
size_t digest_mailing_group(const struct held_rows *rows, size_t at);

/* How far the mailing is: kept in the file `digest` of the folder, written before each letter goes. */
struct digest_mailing {
    uint32_t done_day;          /* yyyymmdd: the last day of which all is sent; 0: none yet */
    uint64_t from_ms, until_ms; /* until: of the one under way, 0: none is */
    uint64_t offered_id;        /* the letter of which no answer is known, 0: none */
    char address[330];          /* its user; those before are done */
};
/* The file `digest` below `folder`; what is missing or no number is 0. False of the other: not written, and
   the log says why. */
void digest_mailing_read(int folder, struct digest_mailing *out);
bool digest_mailing_write(int folder, const struct digest_mailing *mailing);

/* That of the address's domain; else the report's. */
enum language digest_mailing_language(const struct config *config, struct text address);

#endif
