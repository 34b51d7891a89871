/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "ledger/explained_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

enum { PATH_SIZE = 4200, FRAMES_MOST = 4 << 20 };
static const uint64_t day_bytes_most = UINT64_C(4) << 30; /* of one file; what is over it is dropped */

struct explained_store {
    const char *folder;
    const struct config *config; /* NULL: nothing is kept */
    struct explained_frame frame;
    struct buffer frames; /* whole ones of the batch under way */
    uint32_t waiting;     /* records in frame and frames */
    int fd;               /* of `day`; -1: none */
    uint64_t day, end;    /* day: of the epoch; end: of the file */
    bool has_dropped;
    uint64_t kept, dropped, dropped_at_ms;
};

struct explained_store *explained_store_new(const char *folder)
{
    struct explained_store *store = memory_alloc(sizeof *store);
    store->folder = folder;
    store->fd = -1;
    return store;
}

static void file_close(struct explained_store *store)
{
    if (store->fd >= 0) close(store->fd);
    store->fd = -1;
}

void explained_store_free(struct explained_store *store)
{
    if (!store) return;
    file_close(store);
    explained_frame_free(&store->frame);
    buffer_free(&store->frames);
    free(store);
}

void explained_store_set_config(struct explained_store *store, const struct config *config)
{
    store->config = config;
}

static bool is_wanted(const struct explained_store *store)
{
    return store->config && store->config->ledger.explanations_ms > 0;
}

/* --- a batch --- */

static void empty(struct explained_store *store)
{
    explained_frame_empty(&store->frame);
    buffer_clear(&store->frames);
    store->waiting = 0;
}

static void record_add(struct explained_store *store, uint64_t id, struct text record)
{
    if (buffer_length(&store->frames) > FRAMES_MOST) {
        store->dropped++;
        return;
    }
    if (!explained_frame_add(&store->frame, id, record)) {
        explained_frame_pack(&store->frame, &store->frames);
        explained_frame_add(&store->frame, id, record);
    }
    store->waiting++;
}

bool explained_store_add(struct explained_store *store, struct text event)
{
    struct text record;
    struct explanation explanation;
    if (!explanation_event_get(event, &record) || !explanation_get(record, &explanation)) return false;
    if (!is_wanted(store)) return true;
    bool is_long = record.length + EXPLAINED_HEAD_BYTES > EXPLANATION_STORED_MOST;
    if (!is_long || explained_packed_bytes(&store->frame, record) <= EXPLANATION_STORED_MOST) {
        record_add(store, explanation.id, record);
        return true;
    }
    struct buffer head = { 0 };
    explanation.evidence = TEXT_NONE;
    explanation.evidence_version = 0;
    explanation_put(&explanation, &head);
    record_add(store, explanation.id, buffer_text(&head));
    buffer_free(&head);
    return true;
}

void explained_store_drop(struct explained_store *store, uint64_t count)
{
    store->dropped += count;
}

void explained_store_again(struct explained_store *store)
{
    empty(store);
}

/* --- the file --- */

static bool file_open(struct explained_store *store, uint64_t wall_ms)
{
    char path[PATH_SIZE], name[EXPLAINED_NAME_SIZE];
    struct stat facts;
    uint64_t day = wall_ms / EXPLAINED_DAY_MS;
    if (store->fd >= 0 && day == store->day) return true;
    file_close(store);
    snprintf(path, sizeof path, "%s/%s", store->folder, explained_name(wall_ms, name));
    store->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (store->fd < 0 || fstat(store->fd, &facts) != 0) {
        int error = errno;
        file_close(store);
        errno = error;
        return false;
    }
    store->day = day;
    store->end = (uint64_t)facts.st_size;
    return true;
}

/* Mail has the disk before them: twice what makes queue refuse it stays free. */
static bool has_room(const struct explained_store *store, size_t bytes)
{
    struct statvfs disk;
    errno = ENOSPC;
    if (store->end + bytes > day_bytes_most) return false;
    if (fstatvfs(store->fd, &disk) != 0) return false;
    errno = ENOSPC;
    return (uint64_t)disk.f_bavail * disk.f_frsize > 2 * store->config->queue.free_bytes + bytes;
}

static bool frames_append(struct explained_store *store, uint64_t wall_ms)
{
    struct text bytes = buffer_text(&store->frames);
    if (!file_open(store, wall_ms) || !has_room(store, bytes.length)) return false;
    if (file_write_at(store->fd, bytes, store->end)) {
        store->end += bytes.length;
        return true;
    }
    int error = errno;
    if (ftruncate(store->fd, (off_t)store->end) != 0) file_close(store); /* readers pass over what is torn */
    errno = error;
    return false;
}

static void dropped(struct explained_store *store, uint64_t loop_ms)
{
    bool is_news = !store->has_dropped || loop_ms > store->dropped_at_ms + EXPLAINED_DROPPING_MS;
    if (is_news)
        log_warning("explanations of messages cannot be kept, and are dropped: %s; mail flows on",
                    strerror(errno));
    store->dropped += store->waiting;
    store->has_dropped = true;
    store->dropped_at_ms = loop_ms;
}

void explained_store_write(struct explained_store *store, uint64_t wall_ms, uint64_t loop_ms)
{
    if (store->waiting == 0) return;
    explained_frame_pack(&store->frame, &store->frames);
    if (frames_append(store, wall_ms))
        store->kept += store->waiting;
    else
        dropped(store, loop_ms);
    empty(store);
}

/* --- what is forgotten --- */

void explained_store_forget(struct explained_store *store, uint64_t old_ms)
{
    uint64_t begin_ms, keep_ms = store->config ? store->config->ledger.explanations_ms : 0;
    if (!store->config) return;
    DIR *folder = opendir(store->folder);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (!explained_name_read(entry->d_name, &begin_ms)) continue;
        if (keep_ms > 0 && begin_ms + EXPLAINED_DAY_MS + keep_ms > old_ms) continue;
        if (begin_ms / EXPLAINED_DAY_MS == store->day) file_close(store);
        if (unlinkat(dirfd(folder), entry->d_name, 0) != 0)
            log_warning("%s cannot be removed: %s", entry->d_name, strerror(errno));
    }
    if (folder) closedir(folder);
}

struct explained_counts explained_store_counts(const struct explained_store *store, uint64_t loop_ms)
{
    bool is_dropping = store->has_dropped && loop_ms <= store->dropped_at_ms + EXPLAINED_DROPPING_MS;
    return (struct explained_counts){ store->kept, store->dropped, store->fd >= 0 ? store->end : 0,
                                      is_dropping };
}
