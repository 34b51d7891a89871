/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A page below run/ that one process writes and others read, who ask nobody: two images, of which one is in
   force; the writer fills the other one and then says that it is. It outlives its writer. */
#ifndef SEKIMORI_IPC_TWO_IMAGES_H
#define SEKIMORI_IPC_TWO_IMAGES_H

#include "base/text.h"

struct two_images;

/* What a page is: `version` tells it from others and from older forms, an image has at most `most` bytes. */
struct two_images_form {
    uint64_t version;
    uint32_t most; /* a multiple of 64 */
};

/* Bytes of the file, of an image that has at most `most`. */
#define TWO_IMAGES_BYTES(most) (2 * (size_t)(most) + 4096)

/* `fd`: a file of TWO_IMAGES_BYTES, opened for what is to be done. NULL with errno. The descriptor may be
   closed then. */
struct two_images *two_images_map(int fd, const struct two_images_form *form, bool is_writer);
void two_images_unmap(struct two_images *page, const struct two_images_form *form); /* NULL is allowed */

/* In force from now on. At most form->most bytes, else nothing is done. */
void two_images_write(struct two_images *page, const struct two_images_form *form, struct text image);

/* What is in force; empty: nothing was written, or `page` is NULL. Never waits and never reads outside,
   whatever stands in the file. A reader that is overtaken by two writings sees a mixture of both. Borrowed
   from the map; aligned for any object. */
struct text two_images_read(const struct two_images *page, const struct two_images_form *form);

/* Something stands in it: an image, or what is no page of that form any more. False: NULL, or new. */
bool two_images_is_used(const struct two_images *page);

#endif
