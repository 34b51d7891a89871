/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "spam/lesson.h"

#include <math.h>

#include "base/codec.h"
#include "mail/digest.h"
#include "spam/message_facts.h"

static const double BASE_MOST = 100; /* of a margin; more is no margin */

/* Line ends as LF, and none at the end. */
static void lines_add(struct text text, struct buffer *out)
{
    struct text line;
    text = text_trim(text);
    while (text_next_line(&text, &line)) {
        buffer_add_text(out, line);
        buffer_add_char(out, '\n');
    }
}

void lesson_identify(struct arena *arena, const struct mime *mime, uint8_t out[LESSON_ID_BYTES])
{
    const struct header *header = mime->parts[0].header;
    struct buffer all = { 0 };
    for (size_t i = 0; i < header->count; i++) {
        const struct header_field *field = &header->fields[i];
        if (vector_is_of_carrier(field)) continue;
        struct text value = header_unfold(arena, field->value);
        buffer_add_text(&all, arena_text_lower(arena, field->name));
        buffer_add_char(&all, ':');
        buffer_add_text(&all, field->id == HEADER_SUBJECT ? vector_untagged(value) : value);
        buffer_add_char(&all, '\n');
    }
    buffer_add_char(&all, '\n');
    lines_add(text_slice(mime->message, header->body_offset, mime->message.length), &all);
    digest_sha256(buffer_text(&all), out);
    buffer_free(&all);
}

bool lesson_is_mail(const struct header *header)
{
    uint32_t known = 0;
    for (int id = HEADER_OTHER + 1; id <= HEADER_RETURN_PATH; id++) known += header->times[id];
    return known > 0;
}

void lesson_read(struct arena *arena, struct text message, const struct base_model *base, struct lesson *out)
{
    struct mime *mime = mime_parse(arena, message, &mime_limits_default, MIME_FIRST);
    struct features *features = arena_alloc(arena, sizeof *features);
    struct message_text *text = arena_alloc(arena, sizeof *text);
    *out = (struct lesson){ 0 };
    vector_read_mail(arena, mime, text, features, &out->vector);
    enum base_script script = base_script_of(text);
    out->base = base ? base_model_margin(base, features, script) : 0;
    vector_sort(&out->vector);
    lesson_identify(arena, mime, out->id);
    message_text_free(text);
}

/* --- bytes --- */

void lesson_write(const struct lesson *lesson, struct buffer *out)
{
    put_u8(out, lesson->is_spam);
    put_u64(out, lesson->time_ms);
    buffer_add(out, lesson->id, sizeof lesson->id);
    put_double(out, lesson->base);
    vector_write(&lesson->vector, out);
}

bool lesson_parse(struct text bytes, struct arena *arena, struct lesson *out)
{
    struct reader reader = reader_of(bytes);
    uint8_t label = get_u8(&reader);
    out->is_spam = label == 1;
    out->time_ms = get_u64(&reader);
    get_bytes(&reader, out->id, sizeof out->id);
    out->base = get_double(&reader);
    if (reader.failed || label > 1 || !(fabs(out->base) <= BASE_MOST)) return false;
    return vector_read(reader.rest, arena, &out->vector);
}
