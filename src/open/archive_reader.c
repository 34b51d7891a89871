/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The only file that knows archive.h. */
#include "open/archive_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <iconv.h>

#include "base/codec.h"
#include "open/memory_need.h"
#include "open/rar5_headers.h"
#include "open/sevenzip_header.h"

/* Bounds what a header without content may repeat. */
enum { OPEN_STREAMS_MOST = 8, HEADERS_MOST = 2000000, ZIP_DATA_FOLLOWS = 8 };
/* What looks like the beginning of a stream, and how much of it says whether it is one. */
enum { STREAM_MARKS_MOST = 65536, STREAM_HEAD = 16 };
enum { METHOD_LZMA = 14, METHOD_XZ = 95, METHOD_PPMD = 98, LZMA_HEADER = 9 };
/* Less than this behind what was read is no more than the beginning of something. */
enum { CUT_REST_MOST = 512 };

typedef int enable(struct archive *archive); /* archive_read_support_…_… */

/* Of streams the mark: the first bytes of those that programs unpack one behind the other into one file,
   while others take one alone. */
static const struct container {
    enum true_type type;
    enable *format, *filter;
    struct text mark;
} containers[] = {
    { TYPE_7Z, archive_read_support_format_7zip, NULL, TEXT_NONE },
    { TYPE_RAR4, archive_read_support_format_rar, NULL, TEXT_NONE },
    { TYPE_RAR5, archive_read_support_format_rar5, NULL, TEXT_NONE },
    { TYPE_GZIP, archive_read_support_format_raw, archive_read_support_filter_gzip, TEXT("\x1F\x8B\x08") },
    { TYPE_BZIP2, archive_read_support_format_raw, archive_read_support_filter_bzip2, TEXT("BZh") },
    { TYPE_XZ, archive_read_support_format_raw, archive_read_support_filter_xz, TEXT("\xFD\x37zXZ\0") },
    { TYPE_LZMA, archive_read_support_format_raw, archive_read_support_filter_lzma, TEXT_NONE },
    { TYPE_ZSTD, archive_read_support_format_raw, archive_read_support_filter_zstd,
      TEXT("\x28\xB5\x2F\xFD") },
    { TYPE_LZ4, archive_read_support_format_raw, archive_read_support_filter_lz4, TEXT("\x04\x22\x4D\x18") },
    { TYPE_LZIP, archive_read_support_format_raw, archive_read_support_filter_lzip, TEXT("LZIP\1") },
    { TYPE_COMPRESS, archive_read_support_format_raw, archive_read_support_filter_compress, TEXT_NONE },
    { TYPE_RPM, archive_read_support_format_raw, archive_read_support_filter_rpm, TEXT_NONE },
    { TYPE_TAR, archive_read_support_format_tar, NULL, TEXT_NONE },
    { TYPE_AR, archive_read_support_format_ar, NULL, TEXT_NONE },
    { TYPE_CPIO, archive_read_support_format_cpio, NULL, TEXT_NONE },
    { TYPE_CPIO_BINARY, archive_read_support_format_cpio, NULL, TEXT_NONE },
    { TYPE_CAB, archive_read_support_format_cab, NULL, TEXT_NONE },
    { TYPE_LHA, archive_read_support_format_lha, NULL, TEXT_NONE },
    { TYPE_ISO, archive_read_support_format_iso9660, NULL, TEXT_NONE },
};

/* Left open for good: then nothing is unloaded. */
void archive_warm_up(void)
{
    static const char *const charsets[] = { "UTF-16LE", "UTF-16BE", "UTF-8", "CP437", "CP932", "ISO-8859-1" };
    for (size_t i = 0; i < sizeof charsets / sizeof *charsets; i++) {
        iconv_open("ANSI_X3.4-1968", charsets[i]);
        iconv_open("UTF-8", charsets[i]);
    }
}

/* NULL: libarchive does not read it. */
static const struct container *container_of(enum true_type type)
{
    for (size_t i = 0; i < sizeof containers / sizeof *containers; i++)
        if (containers[i].type == type) return &containers[i];
    return NULL;
}

static struct archive *archive_for(enum true_type type)
{
    const struct container *container = container_of(type);
    struct archive *archive = container ? archive_read_new() : NULL;
    if (!archive) return NULL;
    container->format(archive);
    if (container->filter) container->filter(archive);
    if (container->filter) archive_read_support_format_empty(archive);
    return archive;
}

/* --- what it says --- */

static bool says(struct archive *archive, const char *word)
{
    struct text said = text_of(archive_error_string(archive));
    return text_find_nocase(said, text_of(word)) < said.length;
}

/* libarchive 3.6 calls what lies behind its formats when none took the bytes. */
static bool has_encrypted(struct archive *archive)
{
    return archive_format(archive) != 0 && archive_read_has_encrypted_entries(archive) == 1;
}

static bool is_encrypted(struct archive *archive, struct archive_entry *entry)
{
    return (entry && archive_entry_is_data_encrypted(entry)) || has_encrypted(archive) ||
           says(archive, "ncrypt") || says(archive, "assphrase");
}

static bool says_cut(struct archive *archive)
{
    return says(archive, "truncated") || says(archive, "premature") || says(archive, "unexpected end");
}

/* A stream under a filter of libarchive. */
static bool is_stream(enum true_type type)
{
    const struct container *container = container_of(type);
    return container && container->filter;
}

/* Its bytes end early: what is there was seen, and there is no more for anybody. The same words stand for
   what ends inside of a member, with others behind it; and of a stream the last piece is never handed out. */
static bool is_cut(struct archive *archive, enum true_type type, struct text bytes)
{
    la_int64_t taken = archive_filter_bytes(archive, -1);
    return !is_stream(type) && says_cut(archive) && taken >= 0 &&
           (uint64_t)taken + CUT_REST_MOST > bytes.length;
}

static bool is_large(struct archive *archive)
{
    return says(archive, "dictionary") || says(archive, "too much memory");
}

/* One container that libarchive reads. */
struct opened {
    enum true_type type;
    struct text bytes;
    struct archive *archive;
    uint32_t whole;    /* members that came to their end */
    bool is_encrypted; /* was said already, and is why something is no sense */
    bool has_trouble;
};

/* What is weak by its magic and gave nothing whole may well be something else. */
static void trouble(struct unpack *unpack, struct opened *opened, struct archive_entry *entry)
{
    const char *name = true_type_name(opened->type);
    opened->has_trouble = true;
    if (opened->is_encrypted) return;
    if (is_encrypted(opened->archive, entry))
        members_notice(unpack, UNPACK_ENCRYPTED, "%s", name);
    else if (is_large(opened->archive))
        members_notice(unpack, UNPACK_LIMITS, "dictionary");
    else if (!is_cut(opened->archive, opened->type, opened->bytes) &&
             (opened->whole > 0 || !true_type_is_weak(opened->type)))
        members_notice(unpack, UNPACK_NOT_OPENED, "%s: damaged, or of a kind that is not read", name);
}

/* --- members --- */

enum outcome { OUTCOME_WHOLE, OUTCOME_STOPPED, OUTCOME_TROUBLE };

/* Holes of sparse files have no bytes: what stands behind one follows at once. */
static enum outcome data_read(struct unpack *unpack, struct archive *archive, struct buffer *member)
{
    const void *bytes;
    size_t size;
    la_int64_t offset;
    bool is_kept = true;
    for (int code; (code = archive_read_data_block(archive, &bytes, &size, &offset)) != ARCHIVE_EOF;) {
        if (code < ARCHIVE_WARN) return OUTCOME_TROUBLE;
        if (!is_kept) { /* too large already: the rest is unpacked for what comes behind, and counts */
            unpack->total += size;
            if (!members_may_go_on(unpack)) return OUTCOME_STOPPED;
        } else {
            is_kept = members_add(unpack, member, bytes, size);
        }
        if (unpack->is_over) return OUTCOME_STOPPED;
    }
    return is_kept ? OUTCOME_WHOLE : OUTCOME_STOPPED;
}

static struct text name_of(struct archive_entry *entry)
{
    const char *name = archive_entry_pathname(entry);
    return name ? text_of(name) : TEXT("?");
}

/* False: the filter did not take the bytes, which then come as they are. */
static bool is_filtered(struct archive *archive, enum true_type type)
{
    return !is_stream(type) || archive_filter_count(archive) > 1;
}

/* False: nothing more can be had of the archive: libarchive may fall where it goes on behind damage. */
static bool entry_read(struct unpack *unpack, struct opened *opened, struct archive_entry *entry)
{
    struct buffer member = { 0 };
    enum outcome outcome = data_read(unpack, opened->archive, &member);
    bool goes_on = outcome != OUTCOME_TROUBLE || is_encrypted(opened->archive, entry);
    if (outcome == OUTCOME_TROUBLE) trouble(unpack, opened, entry);
    opened->whole += outcome == OUTCOME_WHOLE;
    /* What is stored and encrypted is handed out as it stands there: not what a program will make of it. */
    if (outcome != OUTCOME_TROUBLE && archive_entry_is_data_encrypted(entry))
        members_notice(unpack, UNPACK_ENCRYPTED, "%s", true_type_name(opened->type));
    members_take(unpack, name_of(entry), buffer_text(&member));
    buffer_free(&member);
    return goes_on && !unpack->is_over;
}

static void entries_read(struct unpack *unpack, struct opened *opened)
{
    struct archive_entry *entry;
    for (uint32_t i = 0; i < HEADERS_MOST && members_may_go_on(unpack); i++) {
        int code = archive_read_next_header(opened->archive, &entry);
        if (code == ARCHIVE_EOF) {
            if (i == 0 && has_encrypted(opened->archive)) trouble(unpack, opened, NULL);
            return;
        }
        if (code < ARCHIVE_WARN) {
            if (code == ARCHIVE_RETRY) continue;
            trouble(unpack, opened, NULL);
            return;
        }
        if (!is_filtered(opened->archive, opened->type)) {
            trouble(unpack, opened, NULL);
            return;
        }
        if (!entry_read(unpack, opened, entry)) return;
    }
}

/* --- what it would allocate --- */

/* LZMA2 of one chunk, as encoders have it of a header: its data and LZMA's properties. */
static bool chunk_take(struct text *packed, char properties[5])
{
    enum { CHUNK_HEADER = 6, PROPERTIES_RESET = 0xC0 };
    if (packed->length < CHUNK_HEADER || (unsigned char)packed->at[0] < PROPERTIES_RESET) return false;
    size_t length = (size_t)((unsigned char)packed->at[3] << 8 | (unsigned char)packed->at[4]) + 1;
    memcpy(properties, (char[]){ packed->at[5], 0, 0, 0, 1 }, 5); /* a dictionary of 16 MiB */
    *packed = text_slice(*packed, CHUNK_HEADER, CHUNK_HEADER + length);
    return true;
}

/* As a file of .lzma, which has the same properties and then the size. */
static bool sevenzip_header_unpack(struct text file, const struct sevenzip_packed *packed, struct buffer *out)
{
    struct archive_entry *entry;
    struct text bytes = text_slice(file, (size_t)packed->offset, (size_t)(packed->offset + packed->bytes));
    char properties[5];
    if (packed->properties.length == sizeof properties)
        memcpy(properties, packed->properties.at, sizeof properties);
    else if (!chunk_take(&bytes, properties))
        return false;
    struct buffer alone = { 0 };
    buffer_add(&alone, properties, sizeof properties);
    put_u64(&alone, packed->size);
    buffer_add_text(&alone, bytes);
    struct archive *archive = archive_for(TYPE_LZMA);
    la_ssize_t got = 0;
    if (archive &&
        archive_read_open_memory(archive, buffer_text(&alone).at, buffer_length(&alone)) >= ARCHIVE_WARN &&
        archive_read_next_header(archive, &entry) >= ARCHIVE_WARN)
        got = archive_read_data(archive, buffer_reserve(out, (size_t)packed->size + 1), (size_t)packed->size);
    if (got > 0) buffer_commit(out, (size_t)got);
    if (archive) archive_read_free(archive);
    buffer_free(&alone);
    return got >= 0 && (uint64_t)got == packed->size;
}

static enum sevenzip_state sevenzip_look(struct unpack *unpack, struct text file)
{
    struct text header;
    struct sevenzip_packed packed;
    struct buffer inner = { 0 };
    uint64_t most = unpack->limits->file_bytes;
    if (!sevenzip_header_find(file, &header)) return SEVENZIP_DAMAGED;
    enum sevenzip_state state = sevenzip_header_look(header, most, &packed);
    if (state != SEVENZIP_PACKED) return state;
    state = SEVENZIP_DAMAGED;
    bool is_there = packed.offset <= file.length && packed.bytes <= file.length - packed.offset;
    if (is_there && sevenzip_header_unpack(file, &packed, &inner))
        state = sevenzip_header_look(buffer_text(&inner), most, &packed);
    buffer_free(&inner);
    return state == SEVENZIP_PACKED ? SEVENZIP_DAMAGED : state;
}

/* False, and said: it asks for too much, or nobody can say for how much. */
static bool is_bounded(struct unpack *unpack, enum true_type type, struct text bytes)
{
    enum sevenzip_state state = type == TYPE_7Z ? sevenzip_look(unpack, bytes) : SEVENZIP_FINE;
    if (memory_need_is_too_large(type, bytes)) state = SEVENZIP_LARGE;
    if (state == SEVENZIP_LARGE) members_notice(unpack, UNPACK_LIMITS, "dictionary");
    if (state == SEVENZIP_DAMAGED)
        members_notice(unpack, UNPACK_NOT_OPENED, "7z: damaged, or of a kind that is not read");
    return state == SEVENZIP_FINE;
}

/* --- streams behind streams --- */

/* Where the next stream of that type begins, behind `from`; the length: nowhere, or not within what a
   stranger may cost. */
static size_t stream_next(struct unpack *unpack, const struct container *container, struct text bytes,
                          size_t from)
{
    size_t at = from + 1;
    for (uint32_t i = 0; i < STREAM_MARKS_MOST && members_may_go_on(unpack); i++, at++) {
        at += text_find(text_slice(bytes, at, bytes.length), container->mark);
        if (at >= bytes.length) return bytes.length;
        if (true_type_of(text_slice(bytes, at, at + STREAM_HEAD)) == container->type) return at;
    }
    if (!unpack->is_over) members_notice(unpack, UNPACK_LIMITS, "number of streams");
    return bytes.length;
}

/* What one stream has, without a word about it. False: it is not whole. */
static bool stream_unpack(struct unpack *unpack, enum true_type type, struct text bytes,
                          struct buffer *member)
{
    struct archive_entry *entry;
    if (!is_bounded(unpack, type, bytes)) return false;
    struct archive *archive = archive_for(type);
    bool is_whole = archive && archive_read_open_memory(archive, bytes.at, bytes.length) >= ARCHIVE_WARN &&
                    archive_read_next_header(archive, &entry) >= ARCHIVE_WARN && is_filtered(archive, type) &&
                    data_read(unpack, archive, member) == OUTCOME_WHOLE;
    if (archive) archive_read_free(archive);
    return is_whole;
}

/* Each alone, where there are several. What looks like a beginning may stand inside of a stream: then what
   is before it is not whole, and from the first few on all is tried. */
static void streams_read(struct unpack *unpack, enum true_type type, struct text bytes)
{
    const struct container *container = container_of(type);
    size_t from = 0, to;
    if (!container || container->mark.length == 0) return;
    if ((to = stream_next(unpack, container, bytes, 0)) == bytes.length) return;
    for (uint32_t i = 0; from < bytes.length && members_may_go_on(unpack); i++) {
        struct buffer member = { 0 };
        bool is_whole = stream_unpack(unpack, type, text_slice(bytes, from, to), &member);
        if (!is_whole && i > 0 && i < OPEN_STREAMS_MOST) {
            buffer_clear(&member);
            stream_unpack(unpack, type, text_slice(bytes, from, bytes.length), &member);
        }
        members_take(unpack, TEXT("stream"), buffer_text(&member));
        buffer_free(&member);
        from = to;
        to = stream_next(unpack, container, bytes, from);
    }
}

/* False: there was trouble, and so perhaps more behind it. */
static bool whole_read(struct unpack *unpack, enum true_type type, struct text bytes, bool is_encrypted)
{
    if (!is_bounded(unpack, type, bytes)) return true;
    struct opened opened = {
        .type = type, .bytes = bytes, .archive = archive_for(type), .is_encrypted = is_encrypted
    };
    if (!opened.archive) {
        members_notice(unpack, UNPACK_NOT_OPENED, "%s", true_type_name(type));
        return true;
    }
    if (archive_read_open_memory(opened.archive, bytes.at, bytes.length) < ARCHIVE_WARN)
        trouble(unpack, &opened, NULL);
    else
        entries_read(unpack, &opened);
    archive_read_free(opened.archive);
    return !opened.has_trouble;
}

void archive_read(struct unpack *unpack, enum true_type type, struct text bytes)
{
    struct buffer plain = { 0 };
    bool is_encrypted = type == TYPE_RAR5 && rar5_headers_leave_out(bytes, &plain);
    if (is_encrypted) members_notice(unpack, UNPACK_ENCRYPTED, "%s", true_type_name(type));
    /* As it stands, as other programs that know of no encryption read it; then without what stopped that. */
    if (!whole_read(unpack, type, bytes, is_encrypted) && is_encrypted)
        whole_read(unpack, type, buffer_text(&plain), true);
    buffer_free(&plain);
    streams_read(unpack, type, bytes);
}

/* --- one entry of a zip --- */

/* A dictionary is asked for whole. LZMA (APPNOTE 5.8.8): two bytes of version, two of length, then its
   properties. PPMd (5.11): four bits of order, eight of megabytes less one. */
static bool is_too_large(const struct zip_entry *entry)
{
    struct text packed = entry->packed;
    uint32_t dictionary = 0;
    if (entry->method == METHOD_XZ) return memory_need_is_too_large(TYPE_XZ, packed);
    if (entry->method == METHOD_PPMD && packed.length >= 2)
        dictionary = (((unsigned char)packed.at[1] & 0x0FU) << 4 | (unsigned char)packed.at[0] >> 4) << 20;
    if (entry->method == METHOD_LZMA && packed.length >= LZMA_HEADER)
        dictionary = (uint32_t)codec_number_at(packed, 5, 4);
    return dictionary >= DICTIONARY_MOST + (entry->method == METHOD_LZMA);
}

/* A zip of one entry, for the reader that goes forward: a local header of ours before the packed bytes, and
   where it will look for a data descriptor something behind them. */
enum { SINGLE_PIECES = 3, PADDING = 64 };
struct single {
    struct text pieces[SINGLE_PIECES];
    int next;
};

static la_ssize_t single_read(struct archive *archive, void *context, const void **out)
{
    struct single *single = context;
    (void)archive;
    if (single->next >= SINGLE_PIECES) return 0;
    struct text piece = single->pieces[single->next++];
    *out = piece.at;
    return (la_ssize_t)piece.length;
}

static void header_put(struct buffer *header, const struct zip_entry *entry)
{
    buffer_add_text(header, TEXT("PK\3\4"));
    put_u16(header, 63);
    put_u16(header, entry->is_open_ended ? ZIP_DATA_FOLLOWS : 0);
    put_u16(header, entry->method);
    put_u32(header, 0);
    put_u32(header, entry->is_open_ended ? 0 : entry->crc);
    put_u32(header, entry->is_open_ended ? 0 : (uint32_t)entry->packed.length);
    put_u32(header, entry->is_open_ended ? 0 : (uint32_t)entry->size);
    put_u16(header, 1);
    put_u16(header, 0);
    buffer_add_char(header, 'm');
}

static enum zip_outcome single_outcome(struct unpack *unpack, struct archive *archive, struct buffer *member)
{
    struct archive_entry *entry;
    if (archive_read_next_header(archive, &entry) < ARCHIVE_WARN) return ZIP_FAILED;
    enum outcome outcome = data_read(unpack, archive, member);
    if (outcome == OUTCOME_STOPPED) return ZIP_WHOLE; /* as much as is wanted */
    if (outcome == OUTCOME_TROUBLE) return says_cut(archive) ? ZIP_CUT : ZIP_FAILED;
    return archive_error_string(archive) ? ZIP_BAD_CRC : ZIP_WHOLE;
}

enum zip_outcome archive_zip_entry(struct unpack *unpack, const struct zip_entry *entry,
                                   struct buffer *member)
{
    struct buffer header = { 0 };
    if (is_too_large(entry)) return ZIP_LARGE;
    struct archive *archive = archive_read_new();
    if (!archive) return ZIP_FAILED;
    header_put(&header, entry);
    static const char padding[PADDING];
    struct single single = { { buffer_text(&header), entry->packed, { padding, PADDING } }, 0 };
    if (entry->packed.length == 0) single = (struct single){ { single.pieces[0], single.pieces[2] }, 0 };
    archive_read_support_format_zip_streamable(archive);
    enum zip_outcome outcome = ZIP_FAILED;
    if (archive_read_open2(archive, &single, NULL, single_read, NULL, NULL) >= ARCHIVE_WARN)
        outcome = single_outcome(unpack, archive, member);
    archive_read_free(archive);
    buffer_free(&header);
    return outcome;
}
