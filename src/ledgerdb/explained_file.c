/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "ledgerdb/explained_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include "base/die.h"
#include "ipc/message_id.h"

#define PREFIX "explained."
#define MARK "SKEXPL1\n"

enum { LEVEL = 3, MARK_BYTES = 8, PATH_SIZE = 4200 };

/* --- names --- */

const char *explained_name(uint64_t ms, char room[EXPLAINED_NAME_SIZE])
{
    struct tm tm;
    time_t seconds = (time_t)(ms / 1000);
    gmtime_r(&seconds, &tm);
    snprintf(room, EXPLAINED_NAME_SIZE, PREFIX "%04u%02u%02u", (unsigned)(tm.tm_year + 1900) % 10000,
             (unsigned)(tm.tm_mon + 1) % 100, (unsigned)tm.tm_mday % 100);
    return room;
}

bool explained_name_read(const char *name, uint64_t *out_ms)
{
    uint64_t day;
    char again[EXPLAINED_NAME_SIZE];
    struct text text = text_of(name);
    if (!text_starts(text, TEXT(PREFIX))) return false;
    if (!text_to_number(text_slice(text, sizeof PREFIX - 1, text.length), 99991231, &day)) return false;
    struct tm tm = { .tm_year = (int)(day / 10000) - 1900,
                     .tm_mon = (int)(day / 100 % 100) - 1,
                     .tm_mday = (int)(day % 100) };
    time_t begin = timegm(&tm);
    if (begin < 0) return false;
    *out_ms = (uint64_t)begin * 1000;
    return text_equal(text_of(explained_name(*out_ms, again)), text);
}

/* --- writing --- */

bool explained_frame_add(struct explained_frame *frame, uint64_t id, struct text record)
{
    if (buffer_length(&frame->raw) + 4 + record.length > EXPLAINED_RAW_MOST) return false;
    put_text(&frame->raw, record);
    frame->lowest = frame->count && frame->lowest < id ? frame->lowest : id;
    frame->highest = frame->count && frame->highest > id ? frame->highest : id;
    frame->count++;
    return true;
}

static ZSTD_CCtx *packer_of(struct explained_frame *frame)
{
    if (frame->packer) return frame->packer;
    ZSTD_CCtx *packer = ZSTD_createCCtx();
    if (!packer) die("out of memory (zstd)");
    ZSTD_CCtx_setParameter(packer, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(packer, ZSTD_c_checksumFlag, 1);
    return frame->packer = packer;
}

static size_t pack(struct explained_frame *frame, struct text raw, struct buffer *out)
{
    size_t most = ZSTD_compressBound(raw.length);
    size_t packed = ZSTD_compress2(packer_of(frame), buffer_reserve(out, most), most, raw.at, raw.length);
    if (ZSTD_isError(packed)) bug("zstd refuses %zu bytes: %s", raw.length, ZSTD_getErrorName(packed));
    buffer_commit(out, packed);
    return packed;
}

void explained_frame_pack(struct explained_frame *frame, struct buffer *out)
{
    struct buffer packed = { 0 };
    size_t start = buffer_length(out);
    if (frame->count == 0) return;
    pack(frame, buffer_text(&frame->raw), &packed);
    buffer_add_text(out, TEXT(MARK));
    put_u32(out, (uint32_t)buffer_length(&packed));
    put_u32(out, (uint32_t)buffer_length(&frame->raw));
    put_u64(out, frame->lowest);
    put_u64(out, frame->highest);
    put_u64(out, text_checksum(text_slice(buffer_text(out), start, buffer_length(out))));
    buffer_add_text(out, buffer_text(&packed));
    buffer_free(&packed);
    explained_frame_empty(frame);
}

void explained_frame_empty(struct explained_frame *frame)
{
    buffer_clear(&frame->raw);
    frame->count = 0;
}

void explained_frame_free(struct explained_frame *frame)
{
    buffer_free(&frame->raw);
    ZSTD_freeCCtx(frame->packer);
    *frame = (struct explained_frame){ 0 };
}

size_t explained_packed_bytes(struct explained_frame *frame, struct text record)
{
    struct buffer packed = { 0 };
    size_t bytes = EXPLAINED_HEAD_BYTES + pack(frame, record, &packed);
    buffer_free(&packed);
    return bytes;
}

/* --- reading --- */

struct frame_head {
    uint32_t packed, raw;
    uint64_t lowest, highest;
};

static bool head_read(struct text bytes, struct frame_head *out)
{
    struct reader reader = reader_of(text_slice(bytes, MARK_BYTES, EXPLAINED_HEAD_BYTES));
    if (!text_starts(bytes, TEXT(MARK)) || bytes.length < EXPLAINED_HEAD_BYTES) return false;
    out->packed = get_u32(&reader);
    out->raw = get_u32(&reader);
    out->lowest = get_u64(&reader);
    out->highest = get_u64(&reader);
    bool is_whole = get_u64(&reader) == text_checksum(text_slice(bytes, 0, EXPLAINED_HEAD_BYTES - 8));
    return is_whole && out->raw <= EXPLAINED_RAW_MOST &&
           out->packed <= ZSTD_compressBound(EXPLAINED_RAW_MOST) &&
           out->packed <= bytes.length - EXPLAINED_HEAD_BYTES;
}

/* Behind what is no frame, to where the next may begin. */
static void damage_pass(struct explained_walk *walk)
{
    struct text behind = text_slice(walk->rest, 1, walk->rest.length);
    walk->rest = text_slice(behind, text_find(behind, TEXT(MARK)), behind.length);
    walk->damaged++;
}

static bool is_wanted(const struct explained_walk *walk, const struct frame_head *head)
{
    return walk->wanted == 0 || (walk->wanted >= head->lowest && walk->wanted <= head->highest);
}

/* Reads the next frame that may have it into `raw`. False: there is none. */
static bool frame_read(struct explained_walk *walk)
{
    struct frame_head head;
    while (walk->rest.length > 0) {
        if (!head_read(walk->rest, &head)) {
            damage_pass(walk);
            continue;
        }
        struct text packed =
            text_slice(walk->rest, EXPLAINED_HEAD_BYTES, EXPLAINED_HEAD_BYTES + (size_t)head.packed);
        walk->rest = text_slice(walk->rest, EXPLAINED_HEAD_BYTES + (size_t)head.packed, walk->rest.length);
        if (!is_wanted(walk, &head)) continue;
        buffer_clear(&walk->raw);
        size_t got = ZSTD_decompress(buffer_reserve(&walk->raw, (size_t)head.raw + 1), head.raw, packed.at,
                                     packed.length);
        if (ZSTD_isError(got) || got != head.raw) {
            walk->damaged++;
            continue;
        }
        buffer_commit(&walk->raw, got);
        walk->reader = reader_of(buffer_text(&walk->raw));
        return true;
    }
    return false;
}

void explained_walk_begin(struct explained_walk *walk, struct text bytes, uint64_t wanted)
{
    *walk = (struct explained_walk){ .rest = bytes, .wanted = wanted };
}

bool explained_walk_next(struct explained_walk *walk, struct explanation *out)
{
    for (;;) {
        while (!walk->reader.failed && walk->reader.rest.length > 0) {
            struct text record = get_text(&walk->reader);
            if (walk->reader.failed || !explanation_get(record, out))
                walk->damaged++;
            else if (walk->wanted == 0 || out->id == walk->wanted)
                return true;
        }
        if (!frame_read(walk)) return false;
    }
}

void explained_walk_end(struct explained_walk *walk)
{
    buffer_free(&walk->raw);
}

/* --- files --- */

/* The caller's until munmap; empty where there is no such file, or nothing in it. False with errno. */
static bool file_map(const char *folder, uint64_t ms, struct text *out)
{
    char path[PATH_SIZE], name[EXPLAINED_NAME_SIZE];
    struct stat facts;
    *out = TEXT_NONE;
    snprintf(path, sizeof path, "%s/%s", folder, explained_name(ms, name));
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return errno == ENOENT;
    bool is_good = fstat(fd, &facts) == 0;
    if (is_good && facts.st_size > 0) {
        void *map = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        is_good = map != MAP_FAILED;
        if (is_good) *out = text_from(map, (size_t)facts.st_size);
    }
    int error = errno;
    close(fd);
    errno = error;
    return is_good;
}

static bool file_look(struct text bytes, uint64_t id, struct buffer *out)
{
    struct explained_walk walk;
    struct explanation found;
    explained_walk_begin(&walk, bytes, id);
    bool is_found = explained_walk_next(&walk, &found);
    if (is_found) explanation_put(&found, out);
    explained_walk_end(&walk);
    return is_found;
}

/* A message gets its id when it comes, and its record at most some minutes later, by another look at the
 * clock. */
enum explained_outcome explained_find(const char *folder, uint64_t id, struct buffer *out)
{
    static const int64_t days[] = { 0, 1, -1 };
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        struct text bytes;
        int64_t ms = (int64_t)message_id_time_ms(id) + days[i] * (int64_t)EXPLAINED_DAY_MS;
        if (ms < 0) continue;
        if (!file_map(folder, (uint64_t)ms, &bytes)) return EXPLAINED_FAILED;
        bool is_found = bytes.length > 0 && file_look(bytes, id, out);
        if (bytes.length) munmap((void *)bytes.at, bytes.length);
        if (is_found) return EXPLAINED_FOUND;
    }
    return EXPLAINED_NONE;
}
