/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Byte forms of facts, questions and verdicts. Readers check every count and every enum. */
#include "judge/evidence.h"

#include "base/codec.h"

enum { RECIPIENTS_MOST = 10000, SIGNALS_MOST = 1000, QUESTIONS_MOST = 1000 };

static void texts_put(const struct text *texts, uint32_t count, struct buffer *out)
{
    put_u32(out, count);
    for (uint32_t i = 0; i < count; i++) put_text(out, texts[i]);
}

const char *evidence_action_name(enum action action)
{
    static const char *const names[] = {
        [ACTION_ACCEPT] = "accept", [ACTION_TAG] = "tag",         [ACTION_QUARANTINE] = "quarantine",
        [ACTION_REJECT] = "reject", [ACTION_DISCARD] = "discard", [ACTION_DEFER] = "defer"
    };
    return (unsigned)action <= ACTION_DEFER ? names[action] : "unknown";
}

void occasion_put(const struct occasion *occasion, struct buffer *out)
{
    put_u64(out, occasion->id);
    put_u8(out, (uint8_t)occasion->direction);
    buffer_add(out, occasion->client.bytes, sizeof occasion->client.bytes);
    put_text(out, occasion->helo);
    put_text(out, occasion->sender);
    put_u8(out, occasion->smtputf8);
    put_u8(out, occasion->secure);
    texts_put(occasion->recipients, occasion->recipient_count, out);
}

void occasion_client(struct reader *reader, struct address *out)
{
    get_u64(reader);
    get_u8(reader);
    for (size_t i = 0; i < sizeof out->bytes; i++) out->bytes[i] = get_u8(reader);
}

bool occasion_get(struct arena *arena, struct reader *reader, struct occasion *out)
{
    *out = (struct occasion){ .id = get_u64(reader), .direction = DIRECTION_IN };
    out->direction = get_u8(reader);
    for (size_t i = 0; i < sizeof out->client.bytes; i++) out->client.bytes[i] = get_u8(reader);
    out->helo = get_text(reader);
    out->sender = get_text(reader);
    out->smtputf8 = get_u8(reader) != 0;
    out->secure = get_u8(reader) != 0;
    out->recipient_count = get_count(reader, RECIPIENTS_MOST, 4);
    out->recipients = arena_alloc_array(arena, out->recipient_count, sizeof *out->recipients);
    for (uint32_t i = 0; i < out->recipient_count; i++) out->recipients[i] = get_text(reader);
    return !reader->failed && (unsigned)out->direction <= DIRECTION_OUT;
}

void questions_put(const struct question *questions, uint32_t count, struct buffer *out)
{
    put_u32(out, count);
    for (uint32_t i = 0; i < count; i++) {
        put_u8(out, (uint8_t)questions[i].kind);
        put_text(out, questions[i].subject);
        put_u8(out, (uint8_t)questions[i].status);
        put_text(out, questions[i].value);
    }
}

bool questions_get(struct arena *arena, struct reader *reader, struct question **out, uint32_t *out_count)
{
    uint32_t count = get_count(reader, QUESTIONS_MOST, 10);
    struct question *questions = arena_alloc_array(arena, count, sizeof *questions);
    for (uint32_t i = 0; i < count; i++) {
        questions[i].kind = get_u8(reader);
        questions[i].subject = get_text(reader);
        questions[i].status = get_u8(reader);
        questions[i].value = get_text(reader);
        if (questions[i].kind >= QUESTION_KIND_COUNT || questions[i].status > ANSWER_TEMPERROR)
            reader->failed = true;
    }
    *out = questions;
    *out_count = count;
    return !reader->failed;
}

static void signals_put(const struct signal *signals, uint32_t count, struct buffer *out)
{
    put_u32(out, count);
    for (uint32_t i = 0; i < count; i++) {
        put_text(out, signals[i].name);
        put_double(out, signals[i].points);
        put_text(out, signals[i].about);
    }
}

static struct signal *signals_get(struct arena *arena, struct reader *reader, uint32_t *out_count)
{
    *out_count = get_count(reader, SIGNALS_MOST, 16);
    struct signal *signals = arena_alloc_array(arena, *out_count, sizeof *signals);
    for (uint32_t i = 0; i < *out_count; i++) {
        signals[i].name = get_text(reader);
        signals[i].points = get_double(reader);
        signals[i].about = get_text(reader);
    }
    return signals;
}

void facts_put(const struct facts *facts, struct buffer *out)
{
    put_u8(out, (uint8_t)facts->virus);
    put_text(out, facts->virus_name);
    put_text(out, facts->engine);
    put_u8(out, facts->ambiguous);
    put_u16(out, facts->content);
    put_u32(out, facts->received_count);
    put_u32(out, facts->part_count);
    put_text(out, facts->subject);
    put_text(out, facts->message_id);
    put_text(out, facts->from);
    signals_put(facts->signals, facts->signal_count, out);
    questions_put(facts->questions, facts->question_count, out);
    put_text(out, facts->edits_remove);
    put_text(out, facts->edits_tag);
}

bool facts_get(struct arena *arena, struct reader *reader, struct facts *out)
{
    *out = (struct facts){ .virus = SCAN_NOT_ASKED };
    out->virus = get_u8(reader);
    out->virus_name = get_text(reader);
    out->engine = get_text(reader);
    out->ambiguous = get_u8(reader) != 0;
    out->content = get_u16(reader);
    out->received_count = get_u32(reader);
    out->part_count = get_u32(reader);
    out->subject = get_text(reader);
    out->message_id = get_text(reader);
    out->from = get_text(reader);
    out->signals = signals_get(arena, reader, &out->signal_count);
    questions_get(arena, reader, &out->questions, &out->question_count);
    out->edits_remove = get_text(reader);
    out->edits_tag = get_text(reader);
    return !reader->failed && (unsigned)out->virus <= SCAN_UNSCANNED;
}

void verdict_put(const struct verdict *verdict, struct buffer *out)
{
    put_double(out, verdict->score);
    signals_put(verdict->signals, verdict->signal_count, out);
    put_u32(out, verdict->recipient_count);
    for (uint32_t i = 0; i < verdict->recipient_count; i++) {
        put_u8(out, (uint8_t)verdict->recipients[i].action);
        put_u8(out, (uint8_t)verdict->recipients[i].observed);
        put_u8(out, verdict->recipients[i].edits);
    }
    put_u16(out, verdict->code);
    put_text(out, verdict->enhanced);
    put_text(out, verdict->reason);
    put_text(out, verdict->header);
    put_text(out, verdict->header_tag);
    put_text(out, verdict->summary);
}

bool verdict_get(struct arena *arena, struct reader *reader, struct verdict *out)
{
    *out = (struct verdict){ .score = get_double(reader) };
    out->signals = signals_get(arena, reader, &out->signal_count);
    out->recipient_count = get_count(reader, RECIPIENTS_MOST, 3);
    out->recipients = arena_alloc_array(arena, out->recipient_count, sizeof *out->recipients);
    for (uint32_t i = 0; i < out->recipient_count; i++) {
        out->recipients[i].action = get_u8(reader);
        out->recipients[i].observed = get_u8(reader);
        out->recipients[i].edits = get_u8(reader);
        bool good = out->recipients[i].action <= ACTION_DEFER &&
                    out->recipients[i].observed <= ACTION_DEFER && out->recipients[i].edits <= 1;
        if (!good) reader->failed = true;
    }
    out->code = get_u16(reader);
    out->enhanced = get_text(reader);
    out->reason = get_text(reader);
    out->header = get_text(reader);
    out->header_tag = get_text(reader);
    out->summary = get_text(reader);
    return !reader->failed && out->code >= 200 && out->code <= 599;
}
