/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Head: mark, version of the log, version of the features. A record: its length, the same with all bits
   turned, a checksum, then that many bytes. */
#include "spam/lesson_log.h"

#include "base/codec.h"

static const char mark[] = "SEKILEAR";
enum { MARK_BYTES = 8 };

void lesson_log_begin(struct buffer *out)
{
    buffer_add(out, mark, MARK_BYTES);
    put_u32(out, LESSON_LOG_VERSION);
    put_u32(out, VECTOR_VERSION);
}

static void record_add(struct text content, struct buffer *out)
{
    put_u32(out, (uint32_t)content.length);
    put_u32(out, ~(uint32_t)content.length);
    put_u64(out, text_checksum(content));
    buffer_add_text(out, content);
}

void lesson_log_teach(const struct lesson *lesson, struct buffer *out)
{
    struct buffer content = { 0 };
    put_u8(&content, LESSON_TAUGHT);
    lesson_write(lesson, &content);
    record_add(buffer_text(&content), out);
    buffer_free(&content);
}

void lesson_log_teach_automatic(const struct lesson *lesson, const struct lesson_origin *origin,
                                struct buffer *out)
{
    struct buffer content = { 0 };
    put_u8(&content, LESSON_AUTOMATIC);
    put_u64(&content, lesson->time_ms);
    buffer_add(&content, lesson->id, LESSON_ID_BYTES);
    put_u64(&content, origin->domain);
    put_u64(&content, origin->network);
    campaign_sketch_put(&origin->sketch, &content);
    record_add(buffer_text(&content), out);
    buffer_free(&content);
    lesson_log_teach(lesson, out);
}

void lesson_log_undo(const uint8_t id[LESSON_ID_BYTES], uint64_t time_ms, struct buffer *out)
{
    struct buffer content = { 0 };
    put_u8(&content, LESSON_UNDONE);
    put_u64(&content, time_ms);
    buffer_add(&content, id, LESSON_ID_BYTES);
    record_add(buffer_text(&content), out);
    buffer_free(&content);
}

const char *lesson_log_open(struct text *rest)
{
    struct reader reader = reader_of(*rest);
    char found[MARK_BYTES];
    get_bytes(&reader, found, sizeof found);
    uint32_t version = get_u32(&reader), features = get_u32(&reader);
    if (reader.failed || memcmp(found, mark, MARK_BYTES) != 0) return "it is no log of what was learned";
    if (version != LESSON_LOG_VERSION || features != VECTOR_VERSION) return "it is of another version";
    *rest = reader.rest;
    return NULL;
}

/* Where the power failed, a file may end in zeros. */
static bool is_blank(struct text bytes)
{
    for (size_t i = 0; i < bytes.length; i++)
        if (bytes.at[i]) return false;
    return true;
}

static bool origin_read(struct reader *reader, struct lesson_origin *out)
{
    out->domain = get_u64(reader);
    out->network = get_u64(reader);
    return !reader->failed && campaign_sketch_get(reader->rest, &out->sketch);
}

static bool content_read(struct text content, struct lesson_record *out)
{
    struct reader reader = reader_of(content);
    *out = (struct lesson_record){ 0 };
    out->kind = (enum lesson_record_kind)get_u8(&reader);
    out->lesson = reader.rest;
    if (out->kind == LESSON_TAUGHT) get_u8(&reader);
    out->time_ms = get_u64(&reader);
    get_bytes(&reader, out->id, sizeof out->id);
    if (reader.failed) return false;
    if (out->kind == LESSON_AUTOMATIC) return origin_read(&reader, &out->origin);
    return out->kind == LESSON_TAUGHT || (out->kind == LESSON_UNDONE && reader_done(&reader));
}

enum lesson_log_next lesson_log_next(struct text *rest, struct lesson_record *out)
{
    struct reader reader = reader_of(*rest);
    if (rest->length == 0) return LESSON_LOG_END;
    uint32_t length = get_u32(&reader), turned = get_u32(&reader);
    uint64_t checksum = get_u64(&reader);
    if (reader.failed || is_blank(*rest)) return LESSON_LOG_CUT;
    if (turned != ~length || length > LESSON_RECORD_MOST - LESSON_RECORD_HEAD_BYTES)
        return LESSON_LOG_DAMAGED;
    if (reader.rest.length < length) return LESSON_LOG_CUT;
    struct text content = text_slice(reader.rest, 0, length);
    bool is_last = reader.rest.length == length, is_whole = text_checksum(content) == checksum;
    if (!is_whole) return is_last ? LESSON_LOG_CUT : LESSON_LOG_DAMAGED;
    if (!content_read(content, out)) return LESSON_LOG_DAMAGED;
    out->bytes = LESSON_RECORD_HEAD_BYTES + length;
    *rest = text_slice(*rest, out->bytes, rest->length);
    return LESSON_LOG_RECORD;
}
