/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "ipc/ask_sender.h"

#include "base/codec.h"

enum { DOMAIN_MOST = 255 };

static void subject_put(const struct sender_subject *subject, struct buffer *frame)
{
    struct buffer bytes = { 0 };
    sender_subject_put(subject, &bytes);
    put_text(frame, buffer_text(&bytes));
    buffer_free(&bytes);
}

void sender_tell(struct channel *lookup, uint64_t id, const struct sender_seen *seen)
{
    struct buffer *frame = channel_begin(lookup, LOOKUP_SENDER_SEEN, id);
    put_u8(frame, (uint8_t)seen->event);
    subject_put(&seen->subject, frame);
    put_text(frame, seen->proven.length <= DOMAIN_MOST ? seen->proven : TEXT_NONE);
    put_u8(frame, seen->is_spam);
    put_u8(frame, seen->is_greylisted);
    put_u64(frame, seen->taken);
    channel_end_note(lookup);
}

static bool flag_get(struct reader *reader)
{
    unsigned flag = get_u8(reader);
    if (flag > 1) reader->failed = true;
    return flag == 1;
}

bool sender_seen_get(struct arena *arena, struct text payload, struct sender_seen *out)
{
    struct reader reader = reader_of(payload);
    unsigned event = get_u8(&reader);
    *out = (struct sender_seen){ .event = event < SENDER_EVENTS ? event : SENDER_MESSAGE };
    struct text subject = get_text(&reader);
    out->proven = get_text(&reader);
    out->is_spam = flag_get(&reader);
    out->is_greylisted = flag_get(&reader);
    out->taken = get_u64(&reader);
    return reader_done(&reader) && event < SENDER_EVENTS && out->proven.length <= DOMAIN_MOST &&
           sender_subject_get(arena, subject, &out->subject);
}
