/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "ipc/ask_rate.h"

#include "base/codec.h"
#include "judge/sender_rate.h"

void rate_tell(struct channel *lookup, enum rate_event event, struct text sender)
{
    if (!lookup || sender.length == 0 || sender.length > RATE_TEXT_MOST) return;
    struct buffer *frame = channel_begin(lookup, LOOKUP_RATE_SEEN, 0);
    put_u8(frame, (uint8_t)event);
    put_text(frame, sender);
    channel_end(lookup);
}

bool rate_event_get(struct text payload, enum rate_event *out_event, struct text *out_sender)
{
    struct reader reader = reader_of(payload);
    unsigned event = get_u8(&reader);
    *out_event = event < RATE_EVENTS ? event : RATE_EVENT_SPAM;
    *out_sender = get_text(&reader);
    return reader_done(&reader) && event < RATE_EVENTS && out_sender->length <= RATE_TEXT_MOST;
}
