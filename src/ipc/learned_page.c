/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Two images; the writer fills the one that is not in force and then says that it is. */
#include "ipc/learned_page.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define VERSION UINT64_C(0x313047504e52414c)

struct image {
    _Alignas(64) char bytes[LEARNED_IMAGE_MOST];
};

struct learned_page {
    uint64_t version; /* another one: nothing that we know how to read */
    _Atomic uint32_t in_force;
    uint32_t lengths[2];
    struct image images[2];
};
_Static_assert(sizeof(struct learned_page) <= LEARNED_PAGE_BYTES, "run/learned has room for both");

struct learned_page *learned_page_map(int fd, bool is_writer)
{
    int rights = is_writer ? PROT_READ | PROT_WRITE : PROT_READ;
    void *map = mmap(NULL, LEARNED_PAGE_BYTES, rights, MAP_SHARED, fd, 0);
    return map == MAP_FAILED ? NULL : map;
}

void learned_page_unmap(struct learned_page *page)
{
    if (page) munmap(page, LEARNED_PAGE_BYTES);
}

void learned_page_write(struct learned_page *page, struct text image)
{
    uint32_t next = !(atomic_load(&page->in_force) & 1);
    if (image.length > LEARNED_IMAGE_MOST) return;
    if (image.length) memcpy(page->images[next].bytes, image.at, image.length);
    page->lengths[next] = (uint32_t)image.length;
    page->version = VERSION;
    atomic_store(&page->in_force, next);
}

struct text learned_page_read(const struct learned_page *page)
{
    if (!page || page->version != VERSION) return TEXT_NONE;
    uint32_t now = atomic_load(&page->in_force) & 1;
    uint32_t length = *(const volatile uint32_t *)&page->lengths[now]; /* once: another may change it */
    return length > LEARNED_IMAGE_MOST ? TEXT_NONE : text_from(page->images[now].bytes, length);
}
