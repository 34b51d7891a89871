/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* run/learned: the model of what this node has learned (spam/local_model.h). ledger writes it, scan's workers
   read it and ask nobody; it outlives ledger. */
#ifndef SEKIMORI_IPC_LEARNED_PAGE_H
#define SEKIMORI_IPC_LEARNED_PAGE_H

#include "base/text.h"

enum { LEARNED_IMAGE_MOST = 1024 * 1024 + 64, LEARNED_PAGE_BYTES = 2 * LEARNED_IMAGE_MOST + 4096 };

struct learned_page;

/* `fd`: a file of LEARNED_PAGE_BYTES, opened for what is to be done. NULL with errno. The descriptor may be
   closed then. */
struct learned_page *learned_page_map(int fd, bool is_writer);
void learned_page_unmap(struct learned_page *page); /* NULL is allowed */

/* In force from now on. At most LEARNED_IMAGE_MOST bytes; one process writes. */
void learned_page_write(struct learned_page *page, struct text image);

/* What is in force; empty: nothing was written, or `page` is NULL. Never reads outside, whatever stands in
   the file. A reader that is overtaken by two writings sees a mixture of both: ledger leaves a second between
   them. Borrowed from the map; aligned for any object. */
struct text learned_page_read(const struct learned_page *page);

#endif
