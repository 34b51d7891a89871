/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A page with one writer and any number of readers: its sequence number is odd while it is being written. */
#include "ipc/health_page.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/monotonic.h"

enum { BOOT_SIZE = 40, LAYOUT = 3, READS_MOST = 1000 };

struct page_content {
    uint32_t layout, size; /* of this struct: another version's page is no word */
    int32_t pid;
    uint64_t written_ms; /* monotonic: means nothing in another boot */
    char boot[BOOT_SIZE];
    struct health_report report;
};

struct health_page {
    _Atomic uint64_t sequence;
    struct page_content content;
};

_Static_assert(sizeof(struct health_page) <= HEALTH_PAGE_BYTES, "the page is too small");

struct health_page *health_page_map(int fd, bool writable)
{
    struct stat facts;
    if (fstat(fd, &facts) != 0) return NULL;
    if (facts.st_size < HEALTH_PAGE_BYTES) return errno = EINVAL, NULL;
    void *map =
        mmap(NULL, HEALTH_PAGE_BYTES, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
    return map == MAP_FAILED ? NULL : map;
}

void health_page_unmap(struct health_page *page)
{
    munmap(page, HEALTH_PAGE_BYTES);
}

void health_page_clear(struct health_page *page)
{
    memset(page, 0, sizeof *page);
}

static void boot_read(char room[BOOT_SIZE])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    memset(room, 0, BOOT_SIZE);
    if (fd < 0) return;
    if (read(fd, room, BOOT_SIZE - 1) < 0) room[0] = '\0';
    close(fd);
}

void health_page_write(struct health_page *page, const struct health_report *report)
{
    struct page_content content = { .layout = LAYOUT,
                                    .size = sizeof content,
                                    .pid = (int32_t)getpid(),
                                    .written_ms = monotonic_ms(),
                                    .report = *report };
    bool is_ours = page->content.layout == LAYOUT && page->content.pid == content.pid;
    if (is_ours)
        memcpy(content.boot, page->content.boot, BOOT_SIZE);
    else
        boot_read(content.boot);
    uint64_t odd = atomic_load_explicit(&page->sequence, memory_order_relaxed) | 1;
    atomic_store_explicit(&page->sequence, odd, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    memcpy(&page->content, &content, sizeof content);
    atomic_store_explicit(&page->sequence, odd + 1, memory_order_release);
}

/* False: never written, or its writer died while it wrote. */
static bool content_read(const struct health_page *page, struct page_content *out)
{
    for (int i = 0; i < READS_MOST; i++) {
        uint64_t before = atomic_load_explicit(&page->sequence, memory_order_acquire);
        memcpy(out, &page->content, sizeof *out);
        atomic_thread_fence(memory_order_acquire);
        uint64_t after = atomic_load_explicit(&page->sequence, memory_order_relaxed);
        if (before == after && !(before & 1))
            return before > 0 && out->layout == LAYOUT && out->size == sizeof *out && out->pid > 0;
    }
    return false;
}

static bool has_ended(int pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0) return true;
    struct pollfd poll_fd = { fd, POLLIN, 0 };
    bool ended = poll(&poll_fd, 1, 0) == 1; /* also one that nobody has waited for yet */
    close(fd);
    return ended;
}

enum health_word health_page_read(const struct health_page *page, struct health_report *out,
                                  uint64_t *out_age_ms)
{
    struct page_content content;
    char boot[BOOT_SIZE];
    *out = (struct health_report){ 0 };
    if (!content_read(page, &content)) return HEALTH_WORD_NONE;
    boot_read(boot);
    uint64_t now = monotonic_ms();
    if (memcmp(boot, content.boot, BOOT_SIZE) != 0 || content.written_ms > now) return HEALTH_WORD_NONE;
    *out_age_ms = now - content.written_ms;
    if (has_ended(content.pid)) return HEALTH_WORD_GONE;
    if (*out_age_ms > HEALTH_PAGE_STALE_MS) return HEALTH_WORD_STALE;
    *out = content.report;
    return HEALTH_WORD_FRESH;
}

bool health_page_peek(const struct health_page *page, struct health_report *out)
{
    struct page_content content;
    if (!content_read(page, &content)) return false;
    uint64_t now = monotonic_ms();
    if (content.written_ms > now || now - content.written_ms > HEALTH_PAGE_STALE_MS) return false;
    *out = content.report;
    return true;
}

int health_page_writer(const struct health_page *page)
{
    struct page_content content;
    if (!content_read(page, &content)) return -1;
    return (int)syscall(SYS_pidfd_open, content.pid, 0);
}
