/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by the pages of this folder, and by lookup. */
#include "ipc/two_images.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum { HEAD_BYTES = 4096 };

struct two_images {
    uint64_t version; /* another one: nothing that we know how to read */
    _Atomic uint32_t in_force;
    uint32_t lengths[2];
    _Alignas(64) char rest[HEAD_BYTES - 64]; /* the images stand behind */
};
_Static_assert(sizeof(struct two_images) == HEAD_BYTES, "images begin at a page");

static char *image_at(const struct two_images *page, const struct two_images_form *form, uint32_t number)
{
    return (char *)page + HEAD_BYTES + (size_t)number * form->most;
}

struct two_images *two_images_map(int fd, const struct two_images_form *form, bool is_writer)
{
    int rights = is_writer ? PROT_READ | PROT_WRITE : PROT_READ;
    void *map = mmap(NULL, TWO_IMAGES_BYTES(form->most), rights, MAP_SHARED, fd, 0);
    return map == MAP_FAILED ? NULL : map;
}

void two_images_unmap(struct two_images *page, const struct two_images_form *form)
{
    if (page) munmap(page, TWO_IMAGES_BYTES(form->most));
}

void two_images_write(struct two_images *page, const struct two_images_form *form, struct text image)
{
    uint32_t next = !(atomic_load(&page->in_force) & 1);
    if (image.length > form->most) return;
    if (image.length) memcpy(image_at(page, form, next), image.at, image.length);
    page->lengths[next] = (uint32_t)image.length;
    page->version = form->version;
    atomic_store(&page->in_force, next);
}

bool two_images_is_used(const struct two_images *page)
{
    return page && page->version != 0;
}

struct text two_images_read(const struct two_images *page, const struct two_images_form *form)
{
    if (!page || page->version != form->version) return TEXT_NONE;
    uint32_t now = atomic_load(&page->in_force) & 1;
    uint32_t length = *(const volatile uint32_t *)&page->lengths[now]; /* once: another may change it */
    return length > form->most ? TEXT_NONE : text_from(image_at(page, form, now), length);
}
