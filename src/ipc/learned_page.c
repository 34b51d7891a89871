/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "ipc/learned_page.h"

#include "ipc/two_images.h"

static const struct two_images_form form = { UINT64_C(0x323047504e52414c), LEARNED_IMAGE_MOST };

_Static_assert(LEARNED_PAGE_BYTES == TWO_IMAGES_BYTES(LEARNED_IMAGE_MOST), "run/learned has room for both");

struct learned_page *learned_page_map(int fd, bool is_writer)
{
    return (struct learned_page *)two_images_map(fd, &form, is_writer);
}

void learned_page_unmap(struct learned_page *page)
{
    two_images_unmap((struct two_images *)page, &form);
}

void learned_page_write(struct learned_page *page, struct text image)
{
    two_images_write((struct two_images *)page, &form, image);
}

struct text learned_page_read(const struct learned_page *page)
{
    return two_images_read((const struct two_images *)page, &form);
}
