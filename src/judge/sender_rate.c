/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "judge/sender_rate.h"

#include "base/codec.h"

/* --- what is asked --- */

static struct text text_within(struct text text)
{
    return text.length <= RATE_TEXT_MOST ? text : TEXT_NONE;
}

void rate_subject_put(const struct rate_subject *subject, struct buffer *out)
{
    uint32_t count =
        subject->recipient_count < RATE_RECIPIENTS_MOST ? subject->recipient_count : RATE_RECIPIENTS_MOST;
    put_u8(out, (uint8_t)subject->about);
    buffer_add(out, subject->client.bytes, sizeof subject->client.bytes);
    put_text(out, text_within(subject->sender));
    put_u32(out, subject->recipient_total);
    size_t used = buffer_length(out);
    put_u32(out, count);
    for (uint32_t i = 0; i < count; i++) {
        /* The first ones that fit stand here; of the others nobody is asked for. */
        bool is_room = buffer_length(out) - used < (size_t)RATE_RECIPIENTS_MOST * 100;
        put_text(out, is_room ? text_within(subject->recipients[i]) : TEXT_NONE);
    }
}

bool rate_is_asked_inside(const struct config *config, struct text sender)
{
    return config->inside.mode != MODE_OFF && sender.length > 0;
}

void rate_inside_put(const struct address *client, struct text sender, uint32_t recipients,
                     struct buffer *out)
{
    const struct rate_subject subject = {
        .about = RATE_ABOUT_INSIDE, .client = *client, .sender = sender, .recipient_total = recipients
    };
    rate_subject_put(&subject, out);
}

static struct text text_take(struct reader *reader)
{
    struct text text = get_text(reader);
    if (text.length > RATE_TEXT_MOST) reader->failed = true;
    return text;
}

bool rate_subject_get(struct arena *arena, struct text bytes, struct rate_subject *out)
{
    enum { TEXT_LEAST = 4 };
    struct reader reader = reader_of(bytes);
    unsigned about = get_u8(&reader);
    *out = (struct rate_subject){ .about = about < RATE_ABOUTS ? about : RATE_ABOUT_INSIDE };
    get_bytes(&reader, out->client.bytes, sizeof out->client.bytes);
    out->sender = text_take(&reader);
    out->recipient_total = get_u32(&reader);
    out->recipient_count = get_count(&reader, RATE_RECIPIENTS_MOST, TEXT_LEAST);
    struct text *list = arena_alloc_array(arena, out->recipient_count, sizeof *list);
    for (uint32_t i = 0; i < out->recipient_count; i++) list[i] = text_take(&reader);
    out->recipients = list;
    return reader_done(&reader) && about < RATE_ABOUTS;
}

/* --- what is answered --- */

void rate_answer_put(const struct rate_answer *answer, struct buffer *out)
{
    put_u8(out, (uint8_t)answer->cause);
    put_u32(out, answer->count);
    put_u32(out, answer->of);
    put_u8(out, answer->is_first);
    put_u64(out, answer->recipients);
    put_u64(out, answer->until_ms);
}

bool rate_answer_get(struct text bytes, struct rate_answer *out)
{
    struct reader reader = reader_of(bytes);
    unsigned cause = get_u8(&reader);
    *out = (struct rate_answer){ .cause = cause < RATE_CAUSES ? cause : RATE_FINE };
    out->count = get_u32(&reader);
    out->of = get_u32(&reader);
    unsigned is_first = get_u8(&reader);
    out->is_first = is_first == 1;
    out->recipients = get_u64(&reader);
    out->until_ms = get_u64(&reader);
    return reader_done(&reader) && cause < RATE_CAUSES && is_first <= 1;
}

const char *rate_cause_name(enum rate_cause cause)
{
    static const char *const names[RATE_CAUSES] = {
        [RATE_FINE] = "",     [RATE_RECIPIENTS] = "recipients", [RATE_REFUSED] = "refused",
        [RATE_SPAM] = "spam", [RATE_NETWORKS] = "networks",     [RATE_SIGNUPS] = "sign-ups"
    };
    return names[cause];
}

void rate_answer_say(const struct rate_answer *answer, struct buffer *out)
{
    switch (answer->cause) {
    case RATE_FINE:
        break;
    case RATE_RECIPIENTS:
        buffer_printf(out, "%u recipients in an hour", answer->count);
        break;
    case RATE_REFUSED:
        buffer_printf(out, "%u of %u recipients refused in an hour", answer->count, answer->of);
        break;
    case RATE_SPAM:
        buffer_printf(out, "%u messages like spam in an hour", answer->count);
        break;
    case RATE_NETWORKS:
        buffer_printf(out, "sent from %u networks in an hour", answer->count);
        break;
    case RATE_SIGNUPS:
    case RATE_CAUSES:
        buffer_printf(out, "sign-up mail of %u domains in an hour", answer->count);
        break;
    }
}
