/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* run/lists: which mailing lists this node knows for long, as fingerprints of id and proven domain. ledger
   writes it out of its database, scan's workers read it and ask nobody; it outlives ledger. */
#ifndef SEKIMORI_IPC_KNOWN_LISTS_H
#define SEKIMORI_IPC_KNOWN_LISTS_H

#include "base/text.h"

enum { KNOWN_LISTS_MOST = 8192, KNOWN_LIST_BYTES = 16 };

#define KNOWN_LISTS_FILE_BYTES (512 * 1024)

struct known_list {
    uint8_t bytes[KNOWN_LIST_BYTES];
};
/* The first half of SHA-256 of both: nobody finds another list with the fingerprint of one that is known. */
struct known_list known_list_of(struct text id, struct text domain);

struct known_lists;

/* `fd`: a file of KNOWN_LISTS_FILE_BYTES, opened for what is to be done. NULL with errno. The descriptor may
   be closed then. */
struct known_lists *known_lists_map(int fd, bool is_writer);
void known_lists_unmap(struct known_lists *lists); /* NULL is allowed */

/* These are known from now on, and no others. Sorts `items`; over KNOWN_LISTS_MOST the rest is left out. One
   process writes. */
void known_lists_write(struct known_lists *lists, struct known_list *items, size_t count);

/* Never waits and never reads outside, whatever stands in the file. A reader that is overtaken by two
   writings may miss one. NULL: none is known. */
bool known_lists_has(const struct known_lists *lists, struct known_list item);

#endif
