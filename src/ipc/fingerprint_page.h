/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Pages below run/ of which scan's workers ask whether something is known: run/lists has the mailing lists
   that this node knows for long and the names of our own senders, run/approved the newsletters that users
   approved. They hold fingerprints alone. ledger writes them, workers read them and ask nobody. */
#ifndef SEKIMORI_IPC_FINGERPRINT_PAGE_H
#define SEKIMORI_IPC_FINGERPRINT_PAGE_H

#include "base/text.h"

enum { FINGERPRINTS_MOST = 32768, FINGERPRINT_BYTES = 16 };

#define FINGERPRINT_PAGE_BYTES (2 * FINGERPRINTS_MOST * FINGERPRINT_BYTES + 4096)

struct fingerprint {
    uint8_t bytes[FINGERPRINT_BYTES];
};
/* The first half of SHA-256 of all: nobody finds other texts with the fingerprint of some that are known. The
   texts have no NUL. */
struct fingerprint fingerprint_of(const struct text *texts, size_t count);

/* Of a mailing list, by its id and proven domain. */
struct fingerprint fingerprint_of_list(struct text id, struct text domain);
/* Of a name of our senders, as impostor/person_name.h makes keys of them, and of it with one who bears it. A
   List-Id never begins with a blank, as the texts of these do. */
struct fingerprint fingerprint_of_colleague(struct text key);
struct fingerprint fingerprint_of_bearer(struct text key, struct text address); /* address: small letters */
/* Of a newsletter, by name and proven domain, that `recipient` approved, in lower case; empty: everybody. */
struct fingerprint fingerprint_of_approval(struct text name, struct text domain, struct text recipient);

struct fingerprint_page;

/* `fd`: a file of FINGERPRINT_PAGE_BYTES, opened for what is to be done. NULL with errno. The descriptor may
   be closed then. */
struct fingerprint_page *fingerprint_page_map(int fd, bool is_writer);
void fingerprint_page_unmap(struct fingerprint_page *page); /* NULL is allowed */

/* These are known from now on, and no others. Sorts `items`; over FINGERPRINTS_MOST the rest is left out. One
   process writes. */
void fingerprint_page_write(struct fingerprint_page *page, struct fingerprint *items, size_t count);

/* Never waits and never reads outside, whatever stands in the file. A reader that is overtaken by two
   writings may miss one. NULL: none is known. */
bool fingerprint_page_has(const struct fingerprint_page *page, struct fingerprint item);

#endif
