/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Any bytes that an ICAP server may answer to OPTIONS, to a preview or to a message: read whole and in two
   pieces they come to the same, and clean is said only at an end of an answer. */
#include <stdlib.h>

#include "consult/icap_dialogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct icap_dialogue asked(unsigned how)
{
    struct icap_dialogue dialogue = { .host = TEXT("192.0.2.1"), .service = TEXT("scan") };
    const struct icap_options options = { .has_preview = how == 1, .preview = 3 };
    struct icap_output output;
    if (how == 0)
        icap_options_ask(&dialogue, &output);
    else
        icap_look(&dialogue, &options, TEXT("hello\r\n"), &output);
    buffer_free(&output.head);
    return dialogue;
}

static void answers(unsigned how, struct text bytes, size_t cut, struct buffer *told)
{
    struct icap_dialogue dialogue = asked(how);
    struct icap_options options;
    struct icap_answer answer;
    enum icap_event event;
    size_t at = 0, shown = cut;
    for (;;) {
        size_t read = icap_read(&dialogue, text_slice(bytes, at, shown), &event, &options, &answer);
        if (read > shown - at) abort();
        at += read;
        if (event == ICAP_ANSWER && answer.state == SCAN_CLEAN && dialogue.message.length > 0) abort();
        if (event != ICAP_MORE) break;
        if (read > 0) continue;
        if (shown == bytes.length) break;
        shown = bytes.length;
    }
    buffer_printf(told, "%d %d %s", (int)event, (int)answer.state, answer.name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    struct text bytes = text_from((const char *)data + 2, size - 2);
    struct buffer whole = { 0 }, cut = { 0 };
    answers(data[0] % 3, bytes, bytes.length, &whole);
    answers(data[0] % 3, bytes, data[1] < bytes.length ? data[1] : bytes.length, &cut);
    if (!text_equal(buffer_text(&whole), buffer_text(&cut))) abort();
    buffer_free(&whole);
    buffer_free(&cut);
    return 0;
}
