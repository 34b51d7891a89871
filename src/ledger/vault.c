/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Files of the quarantine. A file is written under another name, synced and renamed; the folders are synced
   once for several files. Its checksum is zstd's own, so what is read is what was written. */
#include "ledger/vault.h"

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
#include "base/log.h"
#include "ipc/message_id.h"

enum {
    LEVEL = 3,
    PIECE = 128 * 1024,
    FILE_VERSION = 1,
    DAY_SIZE = 9,
    NAME_SIZE = 64,
    DAYS_MOST = 32,
    FACTS_MOST = 2 * FRAME_LIMIT
};
static const uint64_t message_most = 2ull << 30;

struct vault {
    int folder;
    ZSTD_CCtx *packer;
    char days[DAYS_MOST][DAY_SIZE]; /* folders that were written to */
    int day_count;
    bool is_root_new; /* a folder was made */
    char *room;       /* two pieces: in, out */
};

struct vault *vault_new(int folder)
{
    struct vault *vault = memory_alloc(sizeof *vault);
    vault->folder = folder;
    vault->packer = ZSTD_createCCtx();
    vault->room = memory_alloc(2 * PIECE);
    if (!vault->packer) die("out of memory (zstd)");
    ZSTD_CCtx_setParameter(vault->packer, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(vault->packer, ZSTD_c_checksumFlag, 1);
    return vault;
}

void vault_free(struct vault *vault)
{
    if (!vault) return;
    ZSTD_freeCCtx(vault->packer);
    free(vault->room);
    free(vault);
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

static bool bytes_write(int fd, const char *at, size_t length)
{
    while (length > 0) {
        ssize_t count = write(fd, at, length);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        at += count;
        length -= (size_t)count;
    }
    return true;
}

/* Feeds `input`; `end` writes what is left and the checksum. */
static bool pack(struct vault *vault, int fd, struct text input, bool end)
{
    ZSTD_inBuffer in = { input.at, input.length, 0 };
    size_t left;
    do {
        ZSTD_outBuffer out = { vault->room + PIECE, PIECE, 0 };
        left = ZSTD_compressStream2(vault->packer, &out, &in, end ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left)) {
            errno = EIO;
            return false;
        }
        if (!bytes_write(fd, out.dst, out.pos)) return false;
    } while (end ? left > 0 : in.pos < in.size);
    return true;
}

static bool content_pack(struct vault *vault, int fd, const struct held_offer *offer, int segment_fd)
{
    for (uint64_t done = 0; done < offer->length;) {
        size_t want = offer->length - done < PIECE ? (size_t)(offer->length - done) : PIECE;
        ssize_t count = pread(segment_fd, vault->room, want, (off_t)(offer->offset + done));
        if (count < 0 && errno == EINTR) continue;
        if (count == 0) errno = EIO;
        if (count <= 0 || !pack(vault, fd, text_from(vault->room, (size_t)count), false)) return false;
        done += (uint64_t)count;
    }
    return pack(vault, fd, TEXT_NONE, true);
}

static void facts_put(const struct held_offer *offer, struct buffer *out)
{
    struct buffer facts = { 0 };
    held_offer_put(offer, &facts);
    put_u8(out, FILE_VERSION);
    put_text(out, buffer_text(&facts));
    buffer_free(&facts);
}

static bool file_fill(struct vault *vault, int fd, const struct held_offer *offer, int segment_fd)
{
    struct buffer facts = { 0 };
    facts_put(offer, &facts);
    ZSTD_CCtx_reset(vault->packer, ZSTD_reset_session_only);
    ZSTD_CCtx_setPledgedSrcSize(vault->packer, buffer_length(&facts) + offer->length);
    bool is_good = pack(vault, fd, buffer_text(&facts), false) && content_pack(vault, fd, offer, segment_fd);
    buffer_free(&facts);
    return is_good && fsync(fd) == 0;
}

static bool day_open(struct vault *vault, uint64_t id)
{
    char day[DAY_SIZE];
    day_of(id, day);
    if (mkdirat(vault->folder, day, 0700) == 0)
        vault->is_root_new = true;
    else if (errno != EEXIST)
        return false;
    for (int i = 0; i < vault->day_count; i++)
        if (strcmp(vault->days[i], day) == 0) return true;
    if (vault->day_count == DAYS_MOST && !vault_sync(vault)) return false;
    memcpy(vault->days[vault->day_count++], day, DAY_SIZE);
    return true;
}

static bool file_make(struct vault *vault, const char *name, const struct held_offer *offer, int segment_fd,
                      uint64_t *out_bytes)
{
    struct stat facts;
    int fd = openat(vault->folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    bool is_good = file_fill(vault, fd, offer, segment_fd) && fstat(fd, &facts) == 0;
    int error = errno;
    close(fd);
    if (is_good) *out_bytes = (uint64_t)facts.st_size;
    errno = error;
    return is_good;
}

enum vault_outcome vault_write(struct vault *vault, const struct held_offer *offer, int segment_fd,
                               uint64_t *out_bytes)
{
    char made[NAME_SIZE], name[NAME_SIZE];
    file_name(offer->id, "tmp", made);
    file_name(offer->id, "zst", name);
    if (!day_open(vault, offer->id)) return VAULT_FAILED;
    if (file_make(vault, made, offer, segment_fd, out_bytes) &&
        renameat(vault->folder, made, vault->folder, name) == 0)
        return VAULT_DONE;
    int error = errno;
    unlinkat(vault->folder, made, 0);
    errno = error;
    return VAULT_FAILED;
}

static bool folder_sync(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
    bool is_good = fsync(fd) == 0;
    close(fd);
    return is_good;
}

bool vault_sync(struct vault *vault)
{
    bool is_good = !vault->is_root_new || folder_sync(vault->folder, ".");
    for (int i = 0; i < vault->day_count; i++)
        is_good = folder_sync(vault->folder, vault->days[i]) && is_good;
    vault->day_count = 0;
    vault->is_root_new = vault->is_root_new && !is_good;
    return is_good;
}

/* --- reading --- */

/* All of it, at most what a message can be. */
static bool unpack(int fd, char *piece, struct buffer *out)
{
    ZSTD_DCtx *unpacker = ZSTD_createDCtx();
    if (!unpacker) die("out of memory (zstd)");
    size_t left = 1;
    bool is_good = true;
    for (ssize_t count; is_good && (count = read(fd, piece, PIECE)) > 0;) {
        ZSTD_inBuffer in = { piece, (size_t)count, 0 };
        while (is_good && in.pos < in.size && left > 0) {
            ZSTD_outBuffer room = { buffer_reserve(out, PIECE), PIECE, 0 };
            left = ZSTD_decompressStream(unpacker, &room, &in);
            is_good = !ZSTD_isError(left) && buffer_length(out) + room.pos <= message_most;
            if (is_good) buffer_commit(out, room.pos);
        }
        is_good = is_good && in.pos == in.size;
    }
    ZSTD_freeDCtx(unpacker);
    return is_good && left == 0;
}

static bool message_parse(struct vault_message *message)
{
    struct reader reader = reader_of(buffer_text(&message->bytes));
    bool is_ours = get_u8(&reader) == FILE_VERSION;
    struct text facts = get_text(&reader);
    if (!is_ours || reader.failed || facts.length > FACTS_MOST) return false;
    message->content = reader.rest;
    return held_offer_get(message->arena, facts, &message->facts) &&
           message->facts.length == message->content.length;
}

enum vault_outcome vault_read(const struct vault *vault, uint64_t id, struct vault_message *out)
{
    char name[NAME_SIZE];
    *out = (struct vault_message){ 0 };
    int fd = openat(vault->folder, file_name(id, "zst", name), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return VAULT_FAILED;
    out->arena = arena_new(0);
    bool is_good = unpack(fd, vault->room, &out->bytes) && message_parse(out) && out->facts.id == id;
    close(fd);
    if (is_good) return VAULT_DONE;
    vault_message_free(out);
    return VAULT_DAMAGED;
}

void vault_message_free(struct vault_message *message)
{
    arena_free(message->arena);
    buffer_free(&message->bytes);
    *message = (struct vault_message){ 0 };
}

uint64_t vault_file_bytes(const struct vault *vault, uint64_t id)
{
    char name[NAME_SIZE];
    struct stat facts;
    bool is_there = fstatat(vault->folder, file_name(id, "zst", name), &facts, AT_SYMLINK_NOFOLLOW) == 0;
    return is_there && S_ISREG(facts.st_mode) ? (uint64_t)facts.st_size : 0;
}

/* --- removing --- */

bool vault_remove(struct vault *vault, uint64_t id)
{
    char name[NAME_SIZE], day[DAY_SIZE];
    if (unlinkat(vault->folder, file_name(id, "zst", name), 0) != 0 && errno != ENOENT) return false;
    day_of(id, day);
    unlinkat(vault->folder, day, AT_REMOVEDIR); /* when it was the last one */
    return true;
}

static void day_sweep(struct vault *vault, const char *day, bool (*is_wanted)(void *, uint64_t),
                      void *context)
{
    int fd = openat(vault->folder, day, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        uint64_t id;
        struct text name = text_of(entry->d_name);
        bool is_whole = text_ends(name, TEXT(".zst")), is_part = text_ends(name, TEXT(".tmp"));
        if (!is_whole && !is_part) continue;
        bool is_ours = message_id_parse(text_slice(name, 0, name.length - 4), &id);
        if (is_ours && (is_part || !is_wanted(context, id))) unlinkat(fd, entry->d_name, 0);
    }
    if (folder)
        closedir(folder);
    else if (fd >= 0)
        close(fd);
}

void vault_sweep(struct vault *vault, bool (*is_wanted)(void *context, uint64_t id), void *context)
{
    int fd = openat(vault->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (strlen(entry->d_name) == DAY_SIZE - 1 && char_is_digit(entry->d_name[0]))
            day_sweep(vault, entry->d_name, is_wanted, context);
    if (folder)
        closedir(folder);
    else if (fd >= 0)
        close(fd);
}
