/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Any bytes that spamd or rspamd may answer: read whole and in two pieces, as a stream shows them (never
   none), they come to the same, within bounds, and in words that can be printed. The first byte says which
   peer and where the cut is. */
#include <math.h>
#include <stdlib.h>

#include "consult/opinion_dialogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void opinion_check(enum opinion_event event, const struct opinion *opinion)
{
    if (event == OPINION_MORE) return;
    if (!memchr(opinion->names, '\0', sizeof opinion->names)) abort();
    if (!text_is_printable(text_of(opinion->names))) abort();
    if (!(fabs(opinion->score) <= ENGINE_SCORE_MOST) || !(fabs(opinion->line) <= ENGINE_SCORE_MOST)) abort();
}

/* What says its own length is over with its last byte, an empty body with its header. */
static void whole_check(const struct opinion_dialogue *dialogue, enum opinion_event event, size_t left)
{
    if (event == OPINION_MORE && dialogue->is_in_body && left >= dialogue->length) abort();
}

static void reply_read(enum engine_kind kind, struct text bytes, size_t cut, struct buffer *told)
{
    struct opinion_dialogue dialogue = { .kind = kind };
    struct opinion opinion;
    enum opinion_event event;
    size_t at = 0, shown = cut > 0 ? cut : bytes.length;
    for (;;) {
        size_t read = opinion_read(&dialogue, text_slice(bytes, at, shown), &event, &opinion);
        if (read > shown - at || dialogue.length > OPINION_REPLY_MOST) abort();
        at += read;
        if (event != OPINION_MORE || at == bytes.length || (read == 0 && shown == bytes.length)) break;
        if (read == 0 || at == shown) shown = bytes.length;
    }
    whole_check(&dialogue, event, bytes.length - at);
    opinion_check(event, &opinion);
    buffer_printf(told, "%d", (int)event);
    if (event != OPINION_MORE)
        buffer_printf(told, " %d %g %g %s", opinion.is_spam, opinion.score, opinion.line, opinion.names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text bytes = text_from((const char *)data + (size > 0), size - (size > 0));
    enum engine_kind kind = size > 0 && data[0] & 1 ? ENGINE_RSPAMD : ENGINE_SPAMD;
    size_t cut = size > 0 && data[0] < bytes.length ? data[0] : bytes.length;
    struct buffer whole = { 0 }, parts = { 0 };
    reply_read(kind, bytes, bytes.length, &whole);
    reply_read(kind, bytes, cut, &parts);
    if (!text_equal(buffer_text(&whole), buffer_text(&parts))) abort();
    buffer_free(&whole);
    buffer_free(&parts);
    return 0;
}
