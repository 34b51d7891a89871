/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A server's replies, whole and in pieces: the same outcome both ways, within the limits. */
#include <stdlib.h>

#include "smtp/reply.h"

struct outcome {
    enum reply_outcome outcome;
    struct smtp_reply reply;
    size_t used;
};

static struct outcome in_steps(struct text bytes, size_t step)
{
    struct outcome out = { .outcome = REPLY_MORE };
    struct reply_parser parser = { 0 };
    for (size_t size = step; out.outcome == REPLY_MORE; size += step) {
        out.outcome = reply_parse(&parser, text_slice(bytes, 0, size), &out.reply, &out.used);
        if (size >= bytes.length) break;
    }
    return out;
}

static void reply_check(const struct outcome *whole, struct text bytes)
{
    struct arena *arena = arena_new(0);
    struct smtp_capabilities offered;
    const struct smtp_reply *reply = &whole->reply;
    if (reply->code < 200 || reply->code > 599 || whole->used > bytes.length) abort();
    if (whole->used > REPLY_BYTES_MOST + 1 || reply->line_count > REPLY_LINES_MOST) abort();
    if (reply_join(arena, reply, 300).length > 300) abort();
    smtp_capabilities_parse(reply, &offered);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text rest = text_from((const char *)data, size);
    while (rest.length > 0) {
        struct outcome whole = in_steps(rest, rest.length), pieces = in_steps(rest, 1 + size % 7);
        if (whole.outcome != pieces.outcome) abort();
        if (whole.outcome != REPLY_WHOLE) break;
        if (whole.used != pieces.used || whole.reply.code != pieces.reply.code) abort();
        reply_check(&whole, rest);
        rest = text_slice(rest, whole.used, rest.length);
    }
    return 0;
}
