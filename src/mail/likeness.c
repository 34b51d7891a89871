/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The parts in one row, each with its length before it, so that none can run into the next. */
#include "mail/likeness.h"

#include "base/codec.h"
#include "mail/mime.h"

static void field_add(struct arena *arena, const struct header *header, enum header_id id, struct buffer *out)
{
    const struct header_field *field = header_find(header, id);
    put_text(out, field ? header_unfold(arena, field->value) : TEXT_NONE);
}

/* Mail programs end lines and bodies as they like when they attach a message. */
static void body_add(struct text body, struct buffer *out)
{
    struct text line;
    body = text_trim(body);
    while (text_next_line(&body, &line)) {
        buffer_add_text(out, line);
        buffer_add_char(out, '\n');
    }
}

char *likeness_hex(struct text message, char room[DIGEST_HEX_SIZE])
{
    struct arena *arena = arena_new(0);
    struct buffer parts = { 0 };
    struct header header;
    struct header_limits limits = { .bytes = mime_limits_default.header_bytes,
                                    .fields = mime_limits_default.header_fields,
                                    .skip_junk = true };
    header_parse(arena, message, &limits, &header);
    field_add(arena, &header, HEADER_FROM, &parts);
    field_add(arena, &header, HEADER_DATE, &parts);
    field_add(arena, &header, HEADER_MESSAGE_ID, &parts);
    body_add(text_slice(message, header.body_offset, message.length), &parts);
    digest_sha256_hex(buffer_text(&parts), room);
    buffer_free(&parts);
    arena_free(arena);
    return room;
}
