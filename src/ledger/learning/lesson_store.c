/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Places are in the order of the file, which is that of teaching. */
#include "ledger/learning/lesson_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

#define NAME "learned.log"
#define ASIDE NAME ".damaged"

enum { DIGITS_LEAST = 8 };

struct lesson_store {
    int folder, fd; /* fd -1: cannot be had */
    struct lesson_place *places;
    size_t count, room, dead;
    uint64_t end;
    char trouble[300];
};

/* --- places --- */

static struct lesson_place *place_add(struct lesson_store *store)
{
    if (store->count == store->room) {
        store->room = store->room ? store->room * 2 : 256;
        store->places = memory_grow(store->places, store->room * sizeof *store->places);
    }
    struct lesson_place *place = &store->places[store->count++];
    *place = (struct lesson_place){ 0 };
    return place;
}

static void place_end(struct lesson_store *store, size_t number)
{
    if (number == store->count || store->places[number].is_dead) return;
    store->places[number].is_dead = true;
    store->dead++;
}

size_t lesson_store_find(const struct lesson_store *store, const uint8_t id[LESSON_ID_BYTES])
{
    for (size_t i = 0; i < store->count; i++)
        if (!store->places[i].is_dead && memcmp(store->places[i].id, id, LESSON_ID_BYTES) == 0) return i;
    return store->count;
}

bool lesson_store_was_undone(const struct lesson_store *store, const uint8_t id[LESSON_ID_BYTES])
{
    for (size_t i = 0; i < store->count; i++)
        if (store->places[i].is_dead && memcmp(store->places[i].id, id, LESSON_ID_BYTES) == 0)
            return lesson_store_find(store, id) == store->count;
    return false;
}

static bool has_digits(const uint8_t id[LESSON_ID_BYTES], struct text digits)
{
    for (size_t i = 0; i < digits.length; i++)
        if (char_hex_value(digits.at[i]) != (i % 2 ? id[i / 2] & 0xF : id[i / 2] >> 4)) return false;
    return true;
}

size_t lesson_store_find_digits(const struct lesson_store *store, struct text digits, bool *out_several)
{
    size_t found = store->count;
    *out_several = false;
    if (digits.length < DIGITS_LEAST || digits.length > 2 * LESSON_ID_BYTES) return found;
    for (size_t i = 0; i < store->count; i++) {
        if (store->places[i].is_dead || !has_digits(store->places[i].id, digits)) continue;
        if (found < store->count) *out_several = true;
        found = i;
    }
    return found;
}

size_t lesson_store_count(const struct lesson_store *store)
{
    return store->count;
}

const struct lesson_place *lesson_store_place(const struct lesson_store *store, size_t number)
{
    return &store->places[number];
}

uint64_t lesson_store_bytes(const struct lesson_store *store)
{
    return store->end;
}

const char *lesson_store_trouble(const struct lesson_store *store)
{
    return store->trouble;
}

/* --- the file --- */

static struct lesson_origin *origin_copy(const struct lesson_origin *origin)
{
    if (!origin) return NULL;
    struct lesson_origin *copy = memory_alloc(sizeof *copy);
    *copy = *origin;
    return copy;
}

/* `before`: the record before it, which says where it came from where it is of the same mail. */
static void place_of_record(struct lesson_store *store, const struct lesson_record *record,
                            const struct lesson_record *before, uint64_t offset)
{
    if (record->kind == LESSON_AUTOMATIC) return;
    place_end(store, lesson_store_find(store, record->id));
    if (record->kind == LESSON_UNDONE) return;
    bool is_automatic =
        before->kind == LESSON_AUTOMATIC && memcmp(before->id, record->id, sizeof record->id) == 0;
    size_t ahead = is_automatic ? before->bytes : 0;
    struct lesson_place *place = place_add(store);
    *place = (struct lesson_place){ .offset = offset - ahead,
                                    .time_ms = record->time_ms,
                                    .bytes = (uint32_t)(ahead + record->bytes),
                                    .is_spam = record->lesson.at[0] == 1,
                                    .origin = origin_copy(is_automatic ? &before->origin : NULL) };
    memcpy(place->id, record->id, sizeof place->id);
}

/* Up to what is whole; returns why no more of it is: a literal, or NULL where only its end is missing. */
static const char *records_read(struct lesson_store *store, struct text bytes)
{
    struct lesson_record record, before = { .kind = LESSON_UNDONE };
    struct text rest = bytes;
    enum lesson_log_next next;
    const char *why = lesson_log_open(&rest);
    if (why) return why;
    for (;;) {
        store->end = bytes.length - rest.length;
        next = lesson_log_next(&rest, &record);
        if (next != LESSON_LOG_RECORD) break;
        place_of_record(store, &record, &before, store->end);
        before = record;
    }
    return next == LESSON_LOG_DAMAGED ? "it is damaged" : NULL;
}

/* A new file with these bytes in the place of the old one. */
static bool file_begin_with(struct lesson_store *store, struct text bytes)
{
    if (store->fd >= 0) close(store->fd);
    store->fd = -1;
    if (!file_replace(store->folder, NAME, bytes, 0600)) return false;
    store->fd = openat(store->folder, NAME, O_RDWR | O_CLOEXEC);
    store->end = bytes.length;
    return store->fd >= 0;
}

static bool file_begin_empty(struct lesson_store *store)
{
    struct buffer head = { 0 };
    lesson_log_begin(&head);
    bool is_good = file_begin_with(store, buffer_text(&head));
    buffer_free(&head);
    return is_good;
}

/* What is whole of a damaged file goes on in a new one. */
static void set_aside(struct lesson_store *store, const char *why, struct text bytes)
{
    bool is_kept = renameat(store->folder, NAME, store->folder, ASIDE) == 0;
    snprintf(store->trouble, sizeof store->trouble, "%s: %s; %s %s", NAME, why,
             is_kept ? "set aside as" : "not set aside as", ASIDE);
    log_error("what was learned: %s; %zu lessons before that go on", store->trouble, store->count);
    bool is_good =
        store->count ? file_begin_with(store, text_slice(bytes, 0, store->end)) : file_begin_empty(store);
    if (!is_good) log_error("%s cannot be written: %s", NAME, strerror(errno));
}

static void file_take(struct lesson_store *store, struct text bytes)
{
    const char *why = records_read(store, bytes);
    if (why)
        set_aside(store, why, bytes);
    else if (store->end < bytes.length && ftruncate(store->fd, (off_t)store->end) != 0)
        log_error("%s cannot be shortened: %s", NAME, strerror(errno));
}

struct lesson_store *lesson_store_open(int folder)
{
    struct lesson_store *store = memory_alloc(sizeof *store);
    struct stat facts;
    store->folder = folder;
    store->fd = openat(folder, NAME, O_RDWR | O_CLOEXEC);
    bool is_there = store->fd >= 0 && fstat(store->fd, &facts) == 0 && facts.st_size > 0;
    if (!is_there) {
        if ((store->fd < 0 && errno != ENOENT) || !file_begin_empty(store))
            snprintf(store->trouble, sizeof store->trouble, "%s: %s", NAME, strerror(errno));
        return store;
    }
    size_t length = (size_t)facts.st_size;
    void *map = mmap(NULL, length, PROT_READ, MAP_PRIVATE, store->fd, 0);
    if (map == MAP_FAILED) {
        snprintf(store->trouble, sizeof store->trouble, "%s: %s", NAME, strerror(errno));
        return store;
    }
    file_take(store, text_from(map, length));
    munmap(map, length);
    return store;
}

void lesson_store_close(struct lesson_store *store)
{
    if (store->fd >= 0) close(store->fd);
    for (size_t i = 0; i < store->count; i++) free(store->places[i].origin);
    free(store->places);
    free(store);
}

/* --- changes --- */

static bool record_append(struct lesson_store *store, struct text record)
{
    if (store->fd < 0) {
        errno = EIO;
        return false;
    }
    if (!file_write_at(store->fd, record, store->end)) {
        int error = errno;
        if (ftruncate(store->fd, (off_t)store->end) != 0) log_warning("%s has a broken end", NAME);
        errno = error;
        return false;
    }
    store->end += record.length;
    return true;
}

static bool lesson_add(struct lesson_store *store, const struct lesson *lesson,
                       const struct lesson_origin *origin)
{
    struct buffer record = { 0 };
    uint64_t offset = store->end;
    if (origin)
        lesson_log_teach_automatic(lesson, origin, &record);
    else
        lesson_log_teach(lesson, &record);
    bool is_good = record_append(store, buffer_text(&record));
    if (is_good) {
        place_end(store, lesson_store_find(store, lesson->id));
        struct lesson_place *place = place_add(store);
        *place = (struct lesson_place){ .offset = offset,
                                        .time_ms = lesson->time_ms,
                                        .bytes = (uint32_t)buffer_length(&record),
                                        .is_spam = lesson->is_spam,
                                        .origin = origin_copy(origin) };
        memcpy(place->id, lesson->id, sizeof place->id);
    }
    buffer_free(&record);
    return is_good;
}

bool lesson_store_add(struct lesson_store *store, const struct lesson *lesson)
{
    return lesson_add(store, lesson, NULL);
}

bool lesson_store_add_automatic(struct lesson_store *store, const struct lesson *lesson,
                                const struct lesson_origin *origin)
{
    return lesson_add(store, lesson, origin);
}

bool lesson_store_undo(struct lesson_store *store, size_t number, uint64_t time_ms)
{
    struct buffer record = { 0 };
    lesson_log_undo(store->places[number].id, time_ms, &record);
    bool is_good = record_append(store, buffer_text(&record));
    if (is_good) place_end(store, number);
    buffer_free(&record);
    return is_good;
}

bool lesson_store_sync(struct lesson_store *store)
{
    return store->fd >= 0 && fdatasync(store->fd) == 0;
}

/* Into the buffer, which has the record then. */
static bool record_read(const struct lesson_store *store, const struct lesson_place *place,
                        struct buffer *out)
{
    buffer_clear(out);
    char *to = buffer_reserve(out, place->bytes);
    ssize_t got = store->fd < 0 ? -1 : pread(store->fd, to, place->bytes, (off_t)place->offset);
    if (got != (ssize_t)place->bytes) return false;
    buffer_commit(out, place->bytes);
    return true;
}

bool lesson_store_read(const struct lesson_store *store, size_t number, struct arena *arena,
                       struct lesson *out)
{
    struct buffer room = { 0 };
    struct lesson_record record;
    bool is_good = record_read(store, &store->places[number], &room);
    struct text rest = buffer_text(&room);
    is_good = is_good && lesson_log_next(&rest, &record) == LESSON_LOG_RECORD;
    if (is_good && record.kind == LESSON_AUTOMATIC)
        is_good = lesson_log_next(&rest, &record) == LESSON_LOG_RECORD;
    is_good = is_good && record.kind == LESSON_TAUGHT && lesson_parse(record.lesson, arena, out);
    buffer_free(&room);
    return is_good;
}

/* --- what is forgotten --- */

static bool is_over(const struct lesson_store *store, size_t number, uint64_t before_ms)
{
    size_t alive = store->count - store->dead;
    size_t too_many = alive > LESSONS_MOST || store->end > LESSON_STORE_BYTES_MOST ? store->count / 10 : 0;
    return store->places[number].is_dead || store->places[number].time_ms < before_ms || number < too_many;
}

/* The records that stay, and where they will stand. A record that cannot be read goes. */
static size_t kept_write(struct lesson_store *store, uint64_t before_ms, struct lesson_place *kept,
                         struct buffer *out)
{
    struct buffer room = { 0 };
    size_t count = 0;
    lesson_log_begin(out);
    for (size_t i = 0; i < store->count; i++) {
        if (is_over(store, i, before_ms) || !record_read(store, &store->places[i], &room)) continue;
        kept[count] = store->places[i];
        kept[count++].offset = buffer_length(out);
        buffer_add_text(out, buffer_text(&room));
    }
    buffer_free(&room);
    return count;
}

/* Of places that are not among those that stay, which are in the same order. */
static void origins_end(struct lesson_store *store, const struct lesson_place *kept, size_t count)
{
    size_t next = 0;
    for (size_t i = 0; i < store->count; i++) {
        struct lesson_origin *origin = store->places[i].origin;
        while (origin && next < count && !kept[next].origin) next++;
        if (origin && next < count && kept[next].origin == origin)
            next++;
        else
            free(origin);
    }
}

bool lesson_store_forget(struct lesson_store *store, uint64_t before_ms)
{
    size_t going = 0;
    for (size_t i = 0; i < store->count; i++) going += is_over(store, i, before_ms);
    if (!going || store->fd < 0) return false;
    struct lesson_place *kept = memory_alloc((store->count + 1) * sizeof *kept);
    struct buffer bytes = { 0 };
    size_t count = kept_write(store, before_ms, kept, &bytes);
    if (file_begin_with(store, buffer_text(&bytes))) {
        origins_end(store, kept, count);
        free(store->places);
        store->places = kept;
        store->room = store->count + 1;
        store->count = count;
        store->dead = 0;
    } else {
        log_error("%s cannot be written anew: %s", NAME, strerror(errno));
        free(kept);
        store->fd = openat(store->folder, NAME, O_RDWR | O_CLOEXEC);
        going = 0;
    }
    buffer_free(&bytes);
    return going > 0;
}

int lesson_store_reading(const struct lesson_store *store)
{
    return openat(store->folder, NAME, O_RDONLY | O_CLOEXEC);
}
