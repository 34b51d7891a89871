/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Files of the quarantine. A file is written under another name; several are then synced, renamed, and their
   folders synced. Its checksum is zstd's own, so what is read is what was written. */
#include "ledger/quarantine/quarantine_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include "base/die.h"
#include "base/file.h"
#include "base/log.h"
#include "ipc/message_id.h"

enum {
    LEVEL = 2, /* two thirds of the time of 3, 2 % more bytes */
    PIECE = 128 * 1024,
    FILE_VERSION = 2, /* 1 had nothing about the message */
    DAY_SIZE = 9,
    NAME_SIZE = 64,
    DAYS_MOST = 32,
    WRITTEN_MOST = 64,
    FACTS_MOST = 2 * FRAME_LIMIT,
    ABOUT_MOST = 64 * 1024,
    HEAD_MOST = FACTS_MOST + ABOUT_MOST + 16,
    NOTE_MOST = 64 << 20
};
static const uint64_t message_most = 2ull << 30;

/* A file that has all its bytes and not yet its name. */
struct written {
    uint64_t id;
    const char *ending; /* "zst" or "note" */
    int fd;
};

struct quarantine_store {
    int folder;
    ZSTD_CCtx *packer;
    char days[DAYS_MOST][DAY_SIZE]; /* folders that were written to */
    int day_count;
    bool is_root_new; /* a folder was made */
    struct written written[WRITTEN_MOST];
    int written_count;
    bool has_lost; /* since the last sync of the caller's some had no name, or it is not on disk */
    char *room;       /* two pieces: in, out */
};

struct quarantine_store *quarantine_store_new(int folder)
{
    struct quarantine_store *store = memory_alloc(sizeof *store);
    store->folder = folder;
    store->packer = ZSTD_createCCtx();
    store->room = memory_alloc(2 * PIECE);
    if (!store->packer) die("out of memory (zstd)");
    ZSTD_CCtx_setParameter(store->packer, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(store->packer, ZSTD_c_checksumFlag, 1);
    return store;
}

void quarantine_store_free(struct quarantine_store *store)
{
    if (!store) return;
    for (int i = 0; i < store->written_count; i++) close(store->written[i].fd);
    ZSTD_freeCCtx(store->packer);
    free(store->room);
    free(store);
}

/* By the day of its id, in UTC: a name that never changes. */
static void day_of(uint64_t id, char day[DAY_SIZE])
{
    time_t seconds = (time_t)(message_id_time_ms(id) / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    strftime(day, DAY_SIZE, "%Y%m%d", &tm);
}

static const char *file_name(uint64_t id, const char *ending, char room[NAME_SIZE])
{
    char day[DAY_SIZE], name[MESSAGE_ID_SIZE];
    day_of(id, day);
    snprintf(room, NAME_SIZE, "%s/%s.%s", day, message_id_print(id, name), ending);
    return room;
}

/* --- writing --- */

/* Feeds `input`; `end` writes what is left and the checksum. */
static bool pack(struct quarantine_store *store, int fd, struct text input, bool end)
{
    ZSTD_inBuffer in = { input.at, input.length, 0 };
    size_t left;
    do {
        ZSTD_outBuffer out = { store->room + PIECE, PIECE, 0 };
        left = ZSTD_compressStream2(store->packer, &out, &in, end ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left)) {
            errno = EIO;
            return false;
        }
        if (!file_write_all(fd, text_from(out.dst, out.pos))) return false;
    } while (end ? left > 0 : in.pos < in.size);
    return true;
}

static bool content_pack(struct quarantine_store *store, int fd, const struct held_offer *offer,
                         int segment_fd)
{
    for (uint64_t done = 0; done < offer->length;) {
        size_t want = offer->length - done < PIECE ? (size_t)(offer->length - done) : PIECE;
        ssize_t count = pread(segment_fd, store->room, want, (off_t)(offer->offset + done));
        if (count < 0 && errno == EINTR) continue;
        if (count == 0) errno = EIO;
        if (count <= 0 || !pack(store, fd, text_from(store->room, (size_t)count), false)) return false;
        done += (uint64_t)count;
    }
    return pack(store, fd, TEXT_NONE, true);
}

static void head_put(const struct held_offer *offer, struct text about, struct buffer *out)
{
    struct buffer facts = { 0 };
    held_offer_put(offer, &facts);
    put_u8(out, FILE_VERSION);
    put_text(out, buffer_text(&facts));
    put_text(out, about);
    buffer_free(&facts);
}

/* `offer` NULL: of a note, which has no content. */
static bool file_fill(struct quarantine_store *store, int fd, struct text head,
                      const struct held_offer *offer, int segment_fd)
{
    ZSTD_CCtx_reset(store->packer, ZSTD_reset_session_only);
    ZSTD_CCtx_setPledgedSrcSize(store->packer, head.length + (offer ? offer->length : 0));
    return pack(store, fd, head, !offer) && (!offer || content_pack(store, fd, offer, segment_fd));
}

static bool day_make(struct quarantine_store *store, uint64_t id)
{
    char day[DAY_SIZE];
    day_of(id, day);
    if (mkdirat(store->folder, day, 0700) != 0) return errno == EEXIST;
    store->is_root_new = true;
    return true;
}

/* All bytes to the disk first, so that it takes them together; then the names. */
static bool files_settle(struct quarantine_store *store)
{
    char made[NAME_SIZE], name[NAME_SIZE];
    bool is_good = true;
    for (int i = 0; i < store->written_count; i++) is_good = fsync(store->written[i].fd) == 0 && is_good;
    for (int i = 0; i < store->written_count; i++) {
        const struct written *file = &store->written[i];
        file_name(file->id, "tmp", made);
        is_good =
            file_close_as(file->fd, is_good, store->folder, made, file_name(file->id, file->ending, name)) &&
            is_good;
    }
    store->written_count = 0;
    store->has_lost = store->has_lost || !is_good;
    return is_good;
}

static bool all_sync(struct quarantine_store *store)
{
    bool is_good = files_settle(store) && (!store->is_root_new || file_sync_folder(store->folder, "."));
    for (int i = 0; i < store->day_count; i++)
        is_good = file_sync_folder(store->folder, store->days[i]) && is_good;
    store->day_count = 0;
    store->is_root_new = store->is_root_new && !is_good;
    store->has_lost = store->has_lost || !is_good;
    return is_good;
}

/* The folder of that day is synced with the next ones. */
static bool day_note(struct quarantine_store *store, uint64_t id)
{
    char day[DAY_SIZE];
    day_of(id, day);
    for (int i = 0; i < store->day_count; i++)
        if (strcmp(store->days[i], day) == 0) return true;
    if (store->day_count == DAYS_MOST && !all_sync(store)) return false;
    memcpy(store->days[store->day_count++], day, DAY_SIZE);
    return true;
}

static bool is_written(const struct quarantine_store *store, uint64_t id)
{
    for (int i = 0; i < store->written_count; i++)
        if (store->written[i].id == id) return true;
    return false;
}

/* The disk may begin with it. */
static void written_note(struct quarantine_store *store, uint64_t id, const char *ending, int fd)
{
    sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    store->written[store->written_count++] = (struct written){ id, ending, fd };
}

/* Under another name, which a message has one of. */
static bool file_put(struct quarantine_store *store, uint64_t id, const char *ending, struct text head,
                     const struct held_offer *offer, int segment_fd, uint64_t *out_bytes)
{
    char made[NAME_SIZE];
    struct stat facts;
    if ((store->written_count == WRITTEN_MOST || is_written(store, id)) && !files_settle(store)) return false;
    file_name(id, "tmp", made);
    int fd = file_begin(store->folder, made, 0600);
    if (fd < 0 && errno == ENOENT && day_make(store, id)) fd = file_begin(store->folder, made, 0600);
    bool is_good = fd >= 0 && day_note(store, id) && file_fill(store, fd, head, offer, segment_fd) &&
                   fstat(fd, &facts) == 0;
    if (!is_good) return file_close_as(fd, false, store->folder, made, made);
    *out_bytes = (uint64_t)facts.st_size;
    written_note(store, id, ending, fd);
    return true;
}

enum quarantine_store_outcome quarantine_store_write(struct quarantine_store *store,
                                                     const struct held_offer *offer, struct text about,
                                                     int segment_fd, uint64_t *out_bytes)
{
    struct buffer head = { 0 };
    head_put(offer, about.length <= ABOUT_MOST ? about : TEXT_NONE, &head);
    bool is_good = file_put(store, offer->id, "zst", buffer_text(&head), offer, segment_fd, out_bytes);
    buffer_free(&head);
    return is_good ? QUARANTINE_STORE_DONE : QUARANTINE_STORE_FAILED;
}

bool quarantine_store_note_write(struct quarantine_store *store, uint64_t id, struct text note)
{
    char name[NAME_SIZE];
    uint64_t bytes;
    if (note.length)
        return file_put(store, id, "note", note, NULL, -1, &bytes) && quarantine_store_sync(store);
    if (unlinkat(store->folder, file_name(id, "note", name), 0) != 0) return errno == ENOENT;
    return day_note(store, id) && quarantine_store_sync(store);
}

bool quarantine_store_sync(struct quarantine_store *store)
{
    bool is_good = all_sync(store) && !store->has_lost;
    store->has_lost = false;
    return is_good;
}

bool quarantine_store_keep(struct quarantine_store *store, uint64_t id)
{
    store->is_root_new = true;
    return day_note(store, id);
}

/* --- reading --- */

/* At most about `most` bytes; *out_whole: that was all, and its checksum is right. */
static bool unpack(int fd, char *piece, uint64_t most, struct buffer *out, bool *out_whole)
{
    ZSTD_DCtx *unpacker = ZSTD_createDCtx();
    if (!unpacker) die("out of memory (zstd)");
    size_t left = 1;
    bool is_good = true;
    for (ssize_t count; is_good && buffer_length(out) < most && (count = read(fd, piece, PIECE)) > 0;) {
        ZSTD_inBuffer in = { piece, (size_t)count, 0 };
        while (is_good && in.pos < in.size && left > 0 && buffer_length(out) < most) {
            ZSTD_outBuffer room = { buffer_reserve(out, PIECE), PIECE, 0 };
            left = ZSTD_decompressStream(unpacker, &room, &in);
            is_good = !ZSTD_isError(left);
            if (is_good) buffer_commit(out, room.pos);
        }
        is_good = is_good && (in.pos == in.size || buffer_length(out) >= most);
    }
    ZSTD_freeDCtx(unpacker);
    *out_whole = is_good && left == 0;
    return is_good;
}

static bool message_parse(struct stored_message *message)
{
    struct reader reader = reader_of(buffer_text(&message->bytes));
    uint8_t version = get_u8(&reader);
    struct text facts = get_text(&reader);
    if (version >= 2) message->about = get_text(&reader);
    if (version < 1 || version > FILE_VERSION || reader.failed || facts.length > FACTS_MOST) return false;
    message->content = reader.rest;
    return held_offer_get(message->arena, facts, &message->facts);
}

static enum quarantine_store_outcome read_most(const struct quarantine_store *store, uint64_t id,
                                               uint64_t most, struct stored_message *out)
{
    char name[NAME_SIZE];
    bool is_whole;
    *out = (struct stored_message){ 0 };
    int fd = openat(store->folder, file_name(id, "zst", name), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return QUARANTINE_STORE_FAILED;
    out->arena = arena_new(0);
    bool is_good =
        unpack(fd, store->room, most, &out->bytes, &is_whole) && message_parse(out) && out->facts.id == id;
    if (is_good && most == message_most) is_good = is_whole && out->facts.length == out->content.length;
    close(fd);
    if (is_good) return QUARANTINE_STORE_DONE;
    stored_message_free(out);
    return QUARANTINE_STORE_DAMAGED;
}

enum quarantine_store_outcome quarantine_store_read(const struct quarantine_store *store, uint64_t id,
                                                    struct stored_message *out)
{
    return read_most(store, id, message_most, out);
}

enum quarantine_store_outcome quarantine_store_read_facts(const struct quarantine_store *store, uint64_t id,
                                                          struct stored_message *out)
{
    enum quarantine_store_outcome outcome = read_most(store, id, HEAD_MOST, out);
    out->content = TEXT_NONE;
    return outcome;
}

bool quarantine_store_note_read(const struct quarantine_store *store, uint64_t id, struct buffer *out)
{
    char name[NAME_SIZE];
    bool is_whole = false;
    int fd = openat(store->folder, file_name(id, "note", name), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return false;
    bool is_good = unpack(fd, store->room, NOTE_MOST, out, &is_whole) && is_whole;
    close(fd);
    return is_good;
}

void stored_message_free(struct stored_message *message)
{
    arena_free(message->arena);
    buffer_free(&message->bytes);
    *message = (struct stored_message){ 0 };
}

uint64_t quarantine_store_file_bytes(const struct quarantine_store *store, uint64_t id)
{
    char name[NAME_SIZE];
    struct stat facts;
    bool is_there = fstatat(store->folder, file_name(id, "zst", name), &facts, AT_SYMLINK_NOFOLLOW) == 0;
    return is_there && S_ISREG(facts.st_mode) ? (uint64_t)facts.st_size : 0;
}

/* --- removing --- */

bool quarantine_store_remove(struct quarantine_store *store, uint64_t id)
{
    char name[NAME_SIZE], day[DAY_SIZE];
    if (unlinkat(store->folder, file_name(id, "zst", name), 0) != 0 && errno != ENOENT) return false;
    unlinkat(store->folder, file_name(id, "note", name), 0);
    day_of(id, day);
    unlinkat(store->folder, day, AT_REMOVEDIR); /* when it was the last one */
    return true;
}

/* A note goes after its file, so that the file never stands there without it; what is left of one alone goes
   here. */
static void entry_visit(struct quarantine_store *store, int day, const char *entry,
                        void (*visit)(void *context, uint64_t id), void *context)
{
    uint64_t id;
    struct text name = text_of(entry);
    size_t dot = text_find_last_char(name, '.');
    struct text ending = text_slice(name, dot, name.length);
    if (!message_id_parse(text_slice(name, 0, dot), &id)) return;
    if (text_equal(ending, TEXT(".zst"))) visit(context, id);
    bool is_alone = text_equal(ending, TEXT(".note")) && !quarantine_store_file_bytes(store, id);
    if (is_alone || text_equal(ending, TEXT(".tmp"))) unlinkat(day, entry, 0);
}

static void day_walk(struct quarantine_store *store, const char *day,
                     void (*visit)(void *context, uint64_t id), void *context)
{
    int fd = openat(store->folder, day, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        entry_visit(store, fd, entry->d_name, visit, context);
    if (folder)
        closedir(folder);
    else if (fd >= 0)
        close(fd);
}

void quarantine_store_walk(struct quarantine_store *store, void (*visit)(void *context, uint64_t id),
                           void *context)
{
    int fd = openat(store->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (strlen(entry->d_name) == DAY_SIZE - 1 && char_is_digit(entry->d_name[0]))
            day_walk(store, entry->d_name, visit, context);
    if (folder)
        closedir(folder);
    else if (fd >= 0)
        close(fd);
}
