/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Answers tests/fuzz/differential for our parser: mails on standard input, for each one byte on standard
   output, how well our readings show the payload. A number is four bytes, the highest first; a mail is its
   payload and itself, each behind its length. */
#include <stdio.h>

#include "mail/reading.h"

enum { FRAME_MOST = 64 << 20 };

enum answer { ANSWER_NONE = '0', ANSWER_INSIDE = '1', ANSWER_EXACT = '2', ANSWER_HELD = 'H' };

/* False at the end of the input. */
static bool frame_read(struct buffer *out)
{
    unsigned char head[4];
    if (fread(head, 1, sizeof head, stdin) != sizeof head) return false;
    size_t length = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    if (length > FRAME_MOST) return false;
    buffer_clear(out);
    if (fread(buffer_reserve(out, length + 1), 1, length, stdin) != length) return false;
    buffer_commit(out, length);
    return true;
}

/* With or without empty lines, which belong to the boundary for some. */
static enum answer compare(struct text bytes, struct text payload)
{
    struct text rest = text_slice(bytes, payload.length, bytes.length);
    if (text_starts(bytes, payload) && text_trim(rest).length == 0) return ANSWER_EXACT;
    return text_find(bytes, payload) < bytes.length ? ANSWER_INSIDE : ANSWER_NONE;
}

static enum answer look(struct arena *arena, struct text message, struct text payload)
{
    enum answer best = ANSWER_NONE;
    struct mime *mime = mime_parse(arena, message, &mime_limits_default, MIME_FIRST);
    struct reading_list *list = reading_open(arena, mime);
    struct reading reading;
    while (reading_next(list, &reading)) {
        enum answer answer = compare(reading.bytes, payload);
        if (answer > best) best = answer;
    }
    bool is_held = reading_is_ambiguous(list) || finding_set_calls_for(&mime->findings, CONSEQUENCE_LIMIT);
    reading_close(list);
    return is_held && best != ANSWER_EXACT ? ANSWER_HELD : best;
}

int main(void)
{
    struct buffer payload = { 0 }, message = { 0 };
    while (frame_read(&payload) && frame_read(&message)) {
        struct arena *arena = arena_new(1 << 16);
        putchar((int)look(arena, buffer_text(&message), buffer_text(&payload)));
        fflush(stdout);
        arena_free(arena);
    }
    buffer_free(&payload);
    buffer_free(&message);
    return 0;
}
