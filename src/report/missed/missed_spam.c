/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What leaked through and was told to us: `sekimori missed`, and mail to the addresses of `report missed`,
   put a file into learn/missed/new, named KIND.DIGEST.eml. Here the ledger is told of each, and the file
   moves to learn/missed/kept. An end in between tells it again, which changes nothing: the ledger knows it by
   its digest (mail/likeness.h). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "config/own_address.h"
#include "ipc/event.h"
#include "mail/likeness.h"
#include "report/missed/missed_parts.h"
#include "report/missed/missed_store.h"
#include "report/service.h"

enum { DIGEST_DIGITS = 16, MISSED_SPAM_A_LOOK = 1000 };

static bool digest_read(struct text digits, uint64_t *out)
{
    if (digits.length != DIGEST_DIGITS) return false;
    *out = 0;
    for (size_t i = 0; i < digits.length; i++) {
        int value = char_hex_value(digits.at[i]);
        if (value < 0) return false;
        *out = *out << 4 | (unsigned)value;
    }
    return true;
}

/* "spam.0123456789abcdef.eml" */
static bool name_read(struct text name, struct event_missed *out)
{
    size_t dot = text_find_char(name, '.');
    out->kind = text_slice(name, 0, dot);
    return out->kind.length > 0 &&
           text_equal(text_slice(name, dot + 1 + DIGEST_DIGITS, name.length), TEXT(".eml")) &&
           digest_read(text_slice(name, dot + 1, dot + 1 + DIGEST_DIGITS), &out->digest);
}

/* The files of what is said to be a virus or phishing. */
static void parts_read(int folder, const char *name, size_t size, struct arena *arena,
                       struct event_missed *event)
{
    bool is_asked = text_equal(event->kind, TEXT("virus")) || text_equal(event->kind, TEXT("phishing"));
    if (!is_asked || size == 0 || size > MISSED_PARTS_BYTES_MOST) return;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    void *map = fd < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (fd >= 0) close(fd);
    if (map == MAP_FAILED) return;
    event->parts = missed_parts(arena, text_from(map, size), &event->part_count);
    munmap(map, size);
}

/* *out_bytes: the room it takes. */
static bool leak_tell(struct service *service, int from, const char *name, uint64_t *out_bytes)
{
    struct event_missed event = { 0 };
    struct stat about;
    if (!service->events || !name_read(text_of(name), &event) || fstatat(from, name, &about, 0) != 0)
        return false;
    event.time_ms = (uint64_t)about.st_mtime * 1000;
    *out_bytes = (uint64_t)about.st_blocks * 512;
    struct buffer record = { 0 };
    struct arena *arena = arena_new(0);
    if (S_ISREG(about.st_mode)) parts_read(from, name, (size_t)about.st_size, arena, &event);
    event_missed_put(&event, &record);
    arena_free(arena);
    bool is_told = ring_append(service->events, buffer_text(&record));
    buffer_free(&record);
    return is_told;
}

/* Both folders are made here when `sekimori missed` was never used. */
static int folder_open(int parent, const char *path)
{
    if (mkdirat(parent, path, 0750) != 0 && errno != EEXIST) return -1;
    return openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static unsigned move_all(struct service *service, int from, int to)
{
    unsigned count = 0;
    int copy = dup(from);
    DIR *folder = copy < 0 ? NULL : fdopendir(copy);
    if (!folder) {
        if (copy >= 0) close(copy);
        return 0;
    }
    rewinddir(folder);
    uint64_t bytes;
    for (const struct dirent *entry; count < MISSED_SPAM_A_LOOK && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.' || !leak_tell(service, from, entry->d_name, &bytes)) continue;
        if (renameat(from, entry->d_name, to, entry->d_name) != 0) {
            log_error("learn/missed/new/%s cannot be moved: %s", entry->d_name, strerror(errno));
            break;
        }
        service->missed_bytes += bytes;
        count++;
    }
    closedir(folder);
    return count;
}

/* learn/missed, then learn/missed/NAME. */
static int place_open(const struct service *service, const char *name)
{
    int missed = folder_open(service->learn_folder, "missed");
    int place = missed < 0 ? -1 : folder_open(missed, name);
    if (missed >= 0) close(missed);
    return place;
}

/* How much is there is counted at the start, and when what came since may be too much. */
static void kept_look(struct service *service, int kept)
{
    uint64_t most = service->child.config->report.missed_most_bytes;
    if (service->missed_counted && service->missed_bytes <= most) return;
    service->missed_bytes = missed_store_clear(kept, most);
    service->missed_counted = true;
}

unsigned missed_spam_take(struct service *service)
{
    unsigned count = 0;
    int from = place_open(service, "new"), to = place_open(service, "kept");
    if (from >= 0 && to >= 0) count = move_all(service, from, to);
    if (to >= 0) kept_look(service, to);
    if (from >= 0) close(from);
    if (to >= 0) close(to);
    return count;
}

/* Under a hidden name until it is whole: what is left of a crash is written over. The folder is synced once
   for all of a mail. */
static bool file_put(int place, const char *name, struct text bytes)
{
    static const char hidden[] = ".by-mail";
    int fd = file_begin(place, hidden, 0600);
    return file_finish(fd, fd >= 0 && file_write_all(fd, bytes), place, hidden, name);
}

static bool all_put(int place, enum missed_kind kind, const struct text *messages, size_t count)
{
    char digest[DIGEST_HEX_SIZE], name[64];
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s.%.*s.eml", missed_kind_name(kind), DIGEST_DIGITS,
                 likeness_hex(messages[i], digest));
        if (!file_put(place, name, messages[i])) return false;
    }
    return fsync(place) == 0;
}

bool missed_spam_put(struct service *service, enum missed_kind kind, const struct text *messages,
                     size_t count)
{
    int place = place_open(service, "new");
    bool is_good = place >= 0 && all_put(place, kind, messages, count);
    if (!is_good) log_error("learn/missed/new cannot be written: %s", strerror(errno));
    if (place >= 0) close(place);
    return is_good;
}
