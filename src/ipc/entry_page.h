/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The page run/entries: allow and block entries, as config/entry_image.h has them. ledger writes it, scan's
   workers read it and ask nobody. */
#ifndef SEKIMORI_IPC_ENTRY_PAGE_H
#define SEKIMORI_IPC_ENTRY_PAGE_H

#include "config/entry_image.h"
#include "ipc/two_images.h"

#define ENTRY_PAGE_BYTES TWO_IMAGES_BYTES(ENTRY_IMAGE_MOST)

struct entry_page;

/* `fd`: a file of ENTRY_PAGE_BYTES, opened for what is to be done. NULL with errno. The descriptor may be
   closed then. */
struct entry_page *entry_page_map(int fd, bool is_writer);
void entry_page_unmap(struct entry_page *page); /* NULL is allowed */

/* In force from now on; at most ENTRY_IMAGE_MOST bytes, else nothing is done. One process writes. */
void entry_page_write(struct entry_page *page, struct text image);
/* As two_images_read: what is overtaken by two writings may be a mixture. NULL: empty. */
struct text entry_page_read(const struct entry_page *page);

#endif
