/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Two sorted lists; the writer fills the one that is not in force and then says that it is. */
#include "ipc/known_lists.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/arena.h"
#include "mail/digest.h"

#define VERSION UINT64_C(0x31305354534c4b53)

struct half {
    uint64_t count;
    struct known_list items[KNOWN_LISTS_MOST];
};

struct known_lists {
    uint64_t version; /* another one: nothing that we know how to read */
    _Atomic uint32_t in_force;
    struct half halves[2];
};
_Static_assert(sizeof(struct known_lists) <= KNOWN_LISTS_FILE_BYTES, "run/lists has room for both");

struct known_list known_list_of(struct text id, struct text domain)
{
    struct known_list out;
    uint8_t digest[DIGEST_BYTES];
    size_t length = id.length + 1 + domain.length;
    char *both = memory_alloc(length); /* neither has a NUL: id and domain are names */
    memcpy(both, id.at, id.length);
    if (domain.length > 0) memcpy(both + id.length + 1, domain.at, domain.length);
    digest_sha256(text_from(both, length), digest);
    memcpy(out.bytes, digest, sizeof out.bytes);
    free(both);
    return out;
}

struct known_lists *known_lists_map(int fd, bool is_writer)
{
    int rights = is_writer ? PROT_READ | PROT_WRITE : PROT_READ;
    void *map = mmap(NULL, KNOWN_LISTS_FILE_BYTES, rights, MAP_SHARED, fd, 0);
    return map == MAP_FAILED ? NULL : map;
}

void known_lists_unmap(struct known_lists *lists)
{
    if (lists) munmap(lists, KNOWN_LISTS_FILE_BYTES);
}

static int order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct known_list));
}

void known_lists_write(struct known_lists *lists, struct known_list *items, size_t count)
{
    uint32_t next = !(atomic_load(&lists->in_force) & 1);
    struct half *half = &lists->halves[next];
    if (count > KNOWN_LISTS_MOST) count = KNOWN_LISTS_MOST;
    if (count > 0) qsort(items, count, sizeof *items, order);
    if (count > 0) memcpy(half->items, items, count * sizeof *items);
    half->count = count;
    lists->version = VERSION;
    atomic_store(&lists->in_force, next);
}

bool known_lists_has(const struct known_lists *lists, struct known_list item)
{
    if (!lists || lists->version != VERSION) return false;
    const struct half *half = &lists->halves[atomic_load(&lists->in_force) & 1];
    uint64_t count = *(const volatile uint64_t *)&half->count; /* once: another process may change it */
    if (count > KNOWN_LISTS_MOST) return false;
    return bsearch(&item, half->items, count, sizeof item, order);
}
