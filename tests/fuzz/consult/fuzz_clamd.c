/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Any bytes that clamd may answer: read whole and in two pieces they come to the same replies, each to an
   open question, at most once. */
#include <stdlib.h>

#include "consult/clamd_dialogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replies(struct text bytes, size_t cut, struct buffer *told)
{
    struct clamd_dialogue dialogue = { 0 };
    struct buffer out = { 0 };
    struct clamd_reply reply;
    enum clamd_event event;
    size_t at = 0, shown = cut;
    for (int i = 0; i < CLAMD_OPEN_MOST; i++)
        clamd_ask(&dialogue, (enum clamd_command)(i % 3), &dialogue, &out);
    buffer_free(&out);
    for (;;) {
        uint32_t open = dialogue.count;
        size_t read = clamd_read(&dialogue, text_slice(bytes, at, shown), &event, &reply);
        if (read > shown - at || (event == CLAMD_MORE && read > 0)) abort();
        at += read;
        if (event == CLAMD_NONSENSE) break;
        if (event == CLAMD_REPLY && (dialogue.count != open - 1 || reply.asker != &dialogue)) abort();
        if (event == CLAMD_REPLY) buffer_printf(told, "%d %.*s;", (int)reply.state, TEXT_ARG(reply.words));
        if (event == CLAMD_MORE && shown == bytes.length) break;
        if (event == CLAMD_MORE) shown = bytes.length;
    }
    buffer_printf(told, "%d", (int)event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text bytes = text_from((const char *)data + (size > 0), size - (size > 0));
    struct buffer whole = { 0 }, cut = { 0 };
    replies(bytes, bytes.length, &whole);
    replies(bytes, size > 0 && data[0] < bytes.length ? data[0] : bytes.length, &cut);
    if (!text_equal(buffer_text(&whole), buffer_text(&cut))) abort();
    buffer_free(&whole);
    buffer_free(&cut);
    return 0;
}
