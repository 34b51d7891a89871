/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What leaked through and was told to us: `sekimori missed` puts a file into learn/missed/new, named
   KIND.DIGEST.eml. Here the ledger is told of each, and the file moves to learn/missed/kept. An end in
   between tells it again, which changes nothing: the ledger knows it by its digest. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "ipc/event.h"
#include "report/service.h"

enum { DIGEST_DIGITS = 16, LEAKS_A_LOOK = 1000 };

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

static bool leak_tell(struct service *service, int from, const char *name)
{
    struct event_missed event = { 0 };
    struct stat about;
    if (!name_read(text_of(name), &event) || fstatat(from, name, &about, 0) != 0) return false;
    event.time_ms = (uint64_t)about.st_mtime * 1000;
    struct buffer record = { 0 };
    event_missed_put(&event, &record);
    bool is_told = service->events && ring_append(service->events, buffer_text(&record));
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
    for (const struct dirent *entry; count < LEAKS_A_LOOK && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.' || !leak_tell(service, from, entry->d_name)) continue;
        if (renameat(from, entry->d_name, to, entry->d_name) != 0) {
            log_error("learn/missed/new/%s cannot be moved: %s", entry->d_name, strerror(errno));
            break;
        }
        count++;
    }
    closedir(folder);
    return count;
}

unsigned leaks_take(struct service *service)
{
    unsigned count = 0;
    int missed = folder_open(service->learn_folder, "missed");
    int from = missed < 0 ? -1 : folder_open(missed, "new"),
        to = missed < 0 ? -1 : folder_open(missed, "kept");
    if (from >= 0 && to >= 0) count = move_all(service, from, to);
    if (from >= 0) close(from);
    if (to >= 0) close(to);
    if (missed >= 0) close(missed);
    return count;
}
