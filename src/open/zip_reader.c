/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* APPNOTE.TXT 6.3.10 of PKWARE. First each entry of each directory, then each local header that no directory
   was right about. */
#include "open/zip_reader.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/codec.h"
#include "open/archive_reader.h"

enum {
    LOCAL_BYTES = 30,
    CENTRAL_BYTES = 46,
    END_BYTES = 22,
    FLAG_ENCRYPTED = 1,
    FLAG_SIZES_FOLLOW = 8,
    METHOD_AES = 99,
    METHOD_IMPLODED = 6,
    METHOD_DEFLATE64 = 9,
    EXTRA_ZIP64 = 1
};

/* What was read by a directory. */
struct done {
    size_t header_at, end;
    uint64_t packed_bytes;
    uint16_t method;
    bool is_settled; /* whole, or known to be encrypted */
};

struct zip {
    struct unpack *unpack;
    struct text bytes;
    struct done *done;
    size_t done_count, done_room;
    uint8_t
        *taken; /* a bit for each byte: packed bytes of an entry that is settled, so no header of this zip */
};

/* As a directory or a local header has it. */
struct stated {
    struct zip_entry entry;
    uint64_t packed_bytes, offset; /* offset: of the local header, in a directory */
    uint16_t flags;
};

/* The next place of that mark from `from` on; bytes.length: none. */
static size_t mark_find(struct text bytes, size_t from, const char mark[4])
{
    struct text rest = text_slice(bytes, from, bytes.length);
    return bytes.length - rest.length + text_find(rest, text_from(mark, 4));
}

/* --- headers --- */

/* APPNOTE 4.5.3: each stands there only where the usual field is full of ones. */
static void zip64_take(struct text extra, struct stated *stated)
{
    uint64_t *const fields[] = { &stated->entry.size, &stated->packed_bytes, &stated->offset };
    for (size_t at = 0; at + 4 <= extra.length;) {
        size_t length = (size_t)codec_number_at(extra, at + 2, 2);
        struct text field = text_slice(extra, at + 4, at + 4 + length);
        at += 4 + length;
        if (codec_number_at(extra, at - length - 4, 2) != EXTRA_ZIP64) continue;
        size_t inner = 0;
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
            if (*fields[i] != UINT32_MAX || inner + 8 > field.length) continue;
            *fields[i] = codec_number_at(field, inner, 8);
            inner += 8;
        }
    }
}

/* A directory's entry has the version of who made it before the fields of a local header. */
static bool header_get(struct text bytes, size_t at, bool is_central, struct stated *out)
{
    size_t length = is_central ? CENTRAL_BYTES : LOCAL_BYTES, fields = at + (is_central ? 2 : 0);
    if (bytes.length < length || at > bytes.length - length) return false;
    size_t name_length = (size_t)codec_number_at(bytes, fields + 26, 2),
           extra_length = (size_t)codec_number_at(bytes, fields + 28, 2);
    size_t name_at = at + length;
    *out = (struct stated){ .flags = (uint16_t)codec_number_at(bytes, fields + 6, 2),
                            .packed_bytes = codec_number_at(bytes, fields + 18, 4),
                            .offset = is_central ? codec_number_at(bytes, at + 42, 4) : 0 };
    out->entry.method = (uint16_t)codec_number_at(bytes, fields + 8, 2);
    out->entry.crc = (uint32_t)codec_number_at(bytes, fields + 14, 4);
    out->entry.size = codec_number_at(bytes, fields + 22, 4);
    out->entry.name = text_slice(bytes, name_at, name_at + name_length);
    zip64_take(text_slice(bytes, name_at + name_length, name_at + name_length + extra_length), out);
    return true;
}

static size_t data_at(struct text bytes, size_t header_at)
{
    return header_at + LOCAL_BYTES + (size_t)codec_number_at(bytes, header_at + 26, 2) +
           (size_t)codec_number_at(bytes, header_at + 28, 2);
}

static bool is_local_header(struct text bytes, uint64_t at)
{
    return bytes.length >= LOCAL_BYTES && at <= bytes.length - LOCAL_BYTES &&
           memcmp(bytes.at + at, "PK\3\4", 4) == 0;
}

/* --- one entry --- */

/* An encryption flag may be set on what is plain: the checksum tells. */
static enum zip_outcome entry_unpack(struct unpack *unpack, const struct stated *stated,
                                     struct buffer *member)
{
    enum zip_outcome outcome = ZIP_FAILED;
    if (stated->entry.method != METHOD_AES) outcome = archive_zip_entry(unpack, &stated->entry, member);
    return outcome;
}

static bool engine_knows(uint16_t method)
{
    return method == METHOD_IMPLODED || method == METHOD_DEFLATE64;
}

/* The packed bytes end where all bytes do: what was there was seen. */
static bool is_at_end(const struct zip *zip, struct text packed)
{
    return packed.at + packed.length == zip->bytes.at + zip->bytes.length;
}

static bool is_unread(const struct zip *zip, const struct stated *stated, enum zip_outcome outcome)
{
    if (outcome == ZIP_CUT) return !is_at_end(zip, stated->entry.packed);
    return outcome == ZIP_FAILED && !engine_knows(stated->entry.method);
}

/* True: nobody gets more of it than was got. */
static bool entry_read(struct zip *zip, const struct stated *stated, bool is_told)
{
    struct unpack *unpack = zip->unpack;
    struct buffer member = { 0 };
    bool is_flagged = (stated->flags & FLAG_ENCRYPTED) || stated->entry.method == METHOD_AES;
    enum zip_outcome outcome = entry_unpack(unpack, stated, &member);
    bool is_encrypted = is_flagged && (outcome != ZIP_WHOLE || stated->entry.is_open_ended);
    if (is_encrypted)
        members_notice(unpack, UNPACK_ENCRYPTED, "zip");
    else if (outcome == ZIP_LARGE)
        members_notice(unpack, UNPACK_LIMITS, "dictionary");
    else if (is_told && is_unread(zip, stated, outcome))
        members_notice(unpack, UNPACK_NOT_OPENED, "zip: damaged, or method %u that is not read",
                       stated->entry.method);
    members_take(unpack, stated->entry.name, is_encrypted ? TEXT_NONE : buffer_text(&member));
    buffer_free(&member);
    return is_encrypted || outcome == ZIP_WHOLE;
}

/* Its packed bytes, as long as is stated; to the end of all where that is not known. */
static void packed_find(const struct zip *zip, size_t header_at, struct stated *stated)
{
    size_t at = data_at(zip->bytes, header_at);
    struct text rest = text_slice(zip->bytes, at, zip->bytes.length);
    stated->entry.packed = stated->entry.is_open_ended || stated->packed_bytes > rest.length
                               ? rest
                               : text_slice(rest, 0, (size_t)stated->packed_bytes);
}

/* --- what is taken --- */

static bool is_taken(const struct zip *zip, size_t at)
{
    return zip->taken[at / 8] >> at % 8 & 1;
}

static void take(struct zip *zip, size_t from, size_t to)
{
    for (; from < to && from % 8 != 0; from++) zip->taken[from / 8] |= (uint8_t)(1U << from % 8);
    if (to > from) memset(zip->taken + from / 8, 0xFF, (to - from) / 8);
    for (from += (to > from ? (to - from) / 8 * 8 : 0); from < to; from++)
        zip->taken[from / 8] |= (uint8_t)(1U << from % 8);
}

/* --- by the directories --- */

static void done_add(struct zip *zip, const struct done *done)
{
    if (zip->done_count == zip->done_room) {
        zip->done_room = zip->done_room ? 2 * zip->done_room : 64;
        zip->done = memory_grow(zip->done, zip->done_room * sizeof *zip->done);
    }
    zip->done[zip->done_count++] = *done;
}

static void central_read(struct zip *zip, size_t central_at, size_t shift)
{
    struct stated stated;
    if (!header_get(zip->bytes, central_at, true, &stated) || stated.offset > zip->bytes.length) return;
    uint64_t at = stated.offset + shift;
    if (!is_local_header(zip->bytes, at)) at = stated.offset;
    if (!is_local_header(zip->bytes, at)) return;
    packed_find(zip, (size_t)at, &stated);
    size_t from = stated.entry.packed.length ? (size_t)(stated.entry.packed.at - zip->bytes.at) : 0;
    struct done done = { .header_at = (size_t)at,
                         .end = from + stated.entry.packed.length,
                         .packed_bytes = stated.packed_bytes,
                         .method = stated.entry.method };
    done.is_settled = entry_read(zip, &stated, true);
    if (done.is_settled) take(zip, from, done.end);
    done_add(zip, &done);
}

/* The entries of [from, to), behind which the end record stands, if there is one. A zip may stand behind
   other bytes: then the offsets fall short. */
static void directory_read(struct zip *zip, size_t from, size_t to)
{
    size_t shift = 0;
    for (size_t at = from; (at = mark_find(zip->bytes, at, "PK\1\2")) < to; at += 4) {
        if (!members_may_go_on(zip->unpack)) return;
        if (is_taken(zip, at)) continue;
        if (shift == 0 && to + END_BYTES <= zip->bytes.length) {
            uint64_t begin =
                codec_number_at(zip->bytes, to + 12, 4) + codec_number_at(zip->bytes, to + 16, 4);
            shift = begin <= to ? to - (size_t)begin : 0;
        }
        central_read(zip, at, shift);
    }
}

/* From the last directory on: what an entry of it has as its packed bytes may be a zip by itself. */
static void directories_read(struct zip *zip)
{
    size_t *ends = NULL, count = 0, room = 0;
    for (size_t at = 0; at < zip->bytes.length; at += 4) {
        at = mark_find(zip->bytes, at, "PK\5\6");
        if (count == room) ends = memory_grow(ends, (room = room ? 2 * room : 16) * sizeof *ends);
        ends[count++] = at; /* the last is the end of all */
    }
    while (count > 0 && members_may_go_on(zip->unpack)) {
        count--;
        directory_read(zip, count > 0 ? ends[count - 1] : 0, ends[count]);
    }
    free(ends);
}

/* --- by the local headers --- */

static int done_compare(const void *a, const void *b)
{
    const struct done *one = a, *other = b;
    if (one->header_at != other->header_at) return one->header_at < other->header_at ? -1 : 1;
    return (other->is_settled > one->is_settled) - (other->is_settled < one->is_settled);
}

/* Was it read already as it is stated here? */
static bool is_agreed(const struct done *done, const struct stated *local)
{
    bool is_unsaid = (local->flags & FLAG_SIZES_FOLLOW) && local->packed_bytes == 0;
    return done->is_settled && done->method == local->entry.method &&
           (is_unsaid || done->packed_bytes == local->packed_bytes);
}

static size_t local_read(struct zip *zip, size_t at, const struct done *done)
{
    struct stated local;
    if (!header_get(zip->bytes, at, false, &local)) return at + 4;
    if (done && is_agreed(done, &local)) return at + 4;
    local.entry.is_open_ended = (local.flags & FLAG_SIZES_FOLLOW) && local.packed_bytes == 0;
    packed_find(zip, at, &local);
    bool is_whole = entry_read(zip, &local, !done);
    if (!is_whole || local.entry.is_open_ended || local.entry.packed.length == 0) return at + 4;
    return (size_t)(local.entry.packed.at - zip->bytes.at) + local.entry.packed.length;
}

static void locals_read(struct zip *zip)
{
    size_t next = 0;
    if (zip->done_count) qsort(zip->done, zip->done_count, sizeof *zip->done, done_compare);
    for (size_t at = 0; (at = mark_find(zip->bytes, at, "PK\3\4")) < zip->bytes.length;) {
        if (!members_may_go_on(zip->unpack)) return;
        if (is_taken(zip, at)) {
            at += 4;
            continue;
        }
        while (next < zip->done_count && zip->done[next].header_at < at) next++;
        bool is_known = next < zip->done_count && zip->done[next].header_at == at;
        at = local_read(zip, at, is_known ? &zip->done[next] : NULL);
    }
}

void zip_read(struct unpack *unpack, struct text bytes)
{
    struct zip zip = { .unpack = unpack, .bytes = bytes, .taken = memory_alloc(bytes.length / 8 + 1) };
    directories_read(&zip);
    locals_read(&zip);
    free(zip.taken);
    free(zip.done);
}
