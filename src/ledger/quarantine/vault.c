/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Files of the quarantine. A file is written under another name, synced and renamed; the folders are synced
   once for several files. Its checksum is zstd's own, so what is read is what was written. */
#include "ledger/quarantine/vault.h"

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
    LEVEL = 3,
    PIECE = 128 * 1024,
    FILE_VERSION = 2, /* 1 had nothing about the message */
    DAY_SIZE = 9,
    NAME_SIZE = 64,
    DAYS_MOST = 32,
    FACTS_MOST = 2 * FRAME_LIMIT,
    ABOUT_MOST = 64 * 1024,
    HEAD_MOST = FACTS_MOST + ABOUT_MOST + 16,
    NOTE_MOST = 64 << 20
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
        if (!file_write_all(fd, text_from(out.dst, out.pos))) return false;
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
static bool file_fill(struct vault *vault, int fd, struct text head, const struct held_offer *offer,
                      int segment_fd)
{
    ZSTD_CCtx_reset(vault->packer, ZSTD_reset_session_only);
    ZSTD_CCtx_setPledgedSrcSize(vault->packer, head.length + (offer ? offer->length : 0));
    return pack(vault, fd, head, !offer) && (!offer || content_pack(vault, fd, offer, segment_fd));
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

/* Under another name first. */
static bool file_put(struct vault *vault, uint64_t id, const char *ending, struct text head,
                     const struct held_offer *offer, int segment_fd, uint64_t *out_bytes)
{
    char made[NAME_SIZE], name[NAME_SIZE];
    struct stat facts;
    file_name(id, "tmp", made);
    file_name(id, ending, name);
    if (!day_open(vault, id)) return false;
    int fd = file_begin(vault->folder, made, 0600);
    bool is_good = fd >= 0 && file_fill(vault, fd, head, offer, segment_fd) && fstat(fd, &facts) == 0;
    if (is_good) *out_bytes = (uint64_t)facts.st_size;
    return file_finish(fd, is_good, vault->folder, made, name);
}

enum vault_outcome vault_write(struct vault *vault, const struct held_offer *offer, struct text about,
                               int segment_fd, uint64_t *out_bytes)
{
    struct buffer head = { 0 };
    head_put(offer, about.length <= ABOUT_MOST ? about : TEXT_NONE, &head);
    bool is_good = file_put(vault, offer->id, "zst", buffer_text(&head), offer, segment_fd, out_bytes);
    buffer_free(&head);
    return is_good ? VAULT_DONE : VAULT_FAILED;
}

bool vault_note_write(struct vault *vault, uint64_t id, struct text note)
{
    char name[NAME_SIZE];
    uint64_t bytes;
    if (note.length) return file_put(vault, id, "note", note, NULL, -1, &bytes) && vault_sync(vault);
    if (unlinkat(vault->folder, file_name(id, "note", name), 0) != 0) return errno == ENOENT;
    return day_open(vault, id) && vault_sync(vault);
}

bool vault_sync(struct vault *vault)
{
    bool is_good = !vault->is_root_new || file_sync_folder(vault->folder, ".");
    for (int i = 0; i < vault->day_count; i++)
        is_good = file_sync_folder(vault->folder, vault->days[i]) && is_good;
    vault->day_count = 0;
    vault->is_root_new = vault->is_root_new && !is_good;
    return is_good;
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

static bool message_parse(struct vault_message *message)
{
    struct reader reader = reader_of(buffer_text(&message->bytes));
    uint8_t version = get_u8(&reader);
    struct text facts = get_text(&reader);
    if (version >= 2) message->about = get_text(&reader);
    if (version < 1 || version > FILE_VERSION || reader.failed || facts.length > FACTS_MOST) return false;
    message->content = reader.rest;
    return held_offer_get(message->arena, facts, &message->facts);
}

static enum vault_outcome read_most(const struct vault *vault, uint64_t id, uint64_t most,
                                    struct vault_message *out)
{
    char name[NAME_SIZE];
    bool is_whole;
    *out = (struct vault_message){ 0 };
    int fd = openat(vault->folder, file_name(id, "zst", name), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return VAULT_FAILED;
    out->arena = arena_new(0);
    bool is_good =
        unpack(fd, vault->room, most, &out->bytes, &is_whole) && message_parse(out) && out->facts.id == id;
    if (is_good && most == message_most) is_good = is_whole && out->facts.length == out->content.length;
    close(fd);
    if (is_good) return VAULT_DONE;
    vault_message_free(out);
    return VAULT_DAMAGED;
}

enum vault_outcome vault_read(const struct vault *vault, uint64_t id, struct vault_message *out)
{
    return read_most(vault, id, message_most, out);
}

enum vault_outcome vault_read_facts(const struct vault *vault, uint64_t id, struct vault_message *out)
{
    enum vault_outcome outcome = read_most(vault, id, HEAD_MOST, out);
    out->content = TEXT_NONE;
    return outcome;
}

bool vault_note_read(const struct vault *vault, uint64_t id, struct buffer *out)
{
    char name[NAME_SIZE];
    bool is_whole = false;
    int fd = openat(vault->folder, file_name(id, "note", name), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return false;
    bool is_good = unpack(fd, vault->room, NOTE_MOST, out, &is_whole) && is_whole;
    close(fd);
    return is_good;
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
    unlinkat(vault->folder, file_name(id, "note", name), 0);
    day_of(id, day);
    unlinkat(vault->folder, day, AT_REMOVEDIR); /* when it was the last one */
    return true;
}

/* A note goes after its file, so that the file never stands there without it; what is left of one alone goes
   here. */
static void entry_visit(struct vault *vault, int day, const char *entry,
                        void (*visit)(void *context, uint64_t id), void *context)
{
    uint64_t id;
    struct text name = text_of(entry);
    size_t dot = text_find_last_char(name, '.');
    struct text ending = text_slice(name, dot, name.length);
    if (!message_id_parse(text_slice(name, 0, dot), &id)) return;
    if (text_equal(ending, TEXT(".zst"))) visit(context, id);
    bool is_alone = text_equal(ending, TEXT(".note")) && !vault_file_bytes(vault, id);
    if (is_alone || text_equal(ending, TEXT(".tmp"))) unlinkat(day, entry, 0);
}

static void day_walk(struct vault *vault, const char *day, void (*visit)(void *context, uint64_t id),
                     void *context)
{
    int fd = openat(vault->folder, day, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        entry_visit(vault, fd, entry->d_name, visit, context);
    if (folder)
        closedir(folder);
    else if (fd >= 0)
        close(fd);
}

void vault_walk(struct vault *vault, void (*visit)(void *context, uint64_t id), void *context)
{
    int fd = openat(vault->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (strlen(entry->d_name) == DAY_SIZE - 1 && char_is_digit(entry->d_name[0]))
            day_walk(vault, entry->d_name, visit, context);
    if (folder)
        closedir(folder);
    else if (fd >= 0)
        close(fd);
}
