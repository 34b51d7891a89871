/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "ipc/entry_page.h"

static const struct two_images_form form = { UINT64_C(0x32305952544e4553), ENTRY_IMAGE_MOST };

struct entry_page *entry_page_map(int fd, bool is_writer)
{
    return (struct entry_page *)two_images_map(fd, &form, is_writer);
}

void entry_page_unmap(struct entry_page *page)
{
    two_images_unmap((struct two_images *)page, &form);
}

void entry_page_write(struct entry_page *page, struct text image)
{
    two_images_write((struct two_images *)page, &form, image);
}

struct text entry_page_read(const struct entry_page *page)
{
    return two_images_read((const struct two_images *)page, &form);
}
