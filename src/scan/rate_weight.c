/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "scan/rate_weight.h"

static const double harvest_points = 3;

static bool has_signal(const struct score *score, const char *name)
{
    for (uint32_t i = 0; i < score->count; i++)
        if (text_equal(score->signals[i].name, text_of(name))) return true;
    return false;
}

/* --- asking --- */

/* Takes the bytes over. */
static void raise(struct arena *arena, struct buffer *bytes, struct facts *out)
{
    facts_raise(arena, out, QUESTION_RATE, arena_text(arena, buffer_text(bytes)));
    buffer_free(bytes);
}

static void inside_raise(struct arena *arena, const struct occasion *occasion, struct facts *out)
{
    struct buffer bytes = { 0 };
    rate_inside_put(&occasion->client, occasion->sender, occasion->recipient_count, &bytes);
    raise(arena, &bytes, out);
}

static void signup_raise(struct arena *arena, const struct occasion *occasion,
                         const struct from_domains *from, struct facts *out)
{
    struct buffer bytes = { 0 };
    if (from->count == 0) return;
    const struct rate_subject subject = { .about = RATE_ABOUT_SIGNUPS,
                                          .client = occasion->client,
                                          .sender = from->address,
                                          .recipient_total = occasion->recipient_count,
                                          .recipient_count = occasion->recipient_count,
                                          .recipients = occasion->recipients };
    rate_subject_put(&subject, &bytes);
    raise(arena, &bytes, out);
}

void rate_raise(struct arena *arena, const struct config *config, const struct occasion *occasion,
                enum direction direction, const struct from_domains *from, const struct score *score,
                struct facts *out)
{
    if (direction == DIRECTION_OUT && rate_is_asked_inside(config, occasion->sender))
        inside_raise(arena, occasion, out);
    if (direction == DIRECTION_IN && config->signups.mode != MODE_OFF && has_signal(score, "SIGNUP"))
        signup_raise(arena, occasion, from, out);
}

/* --- weighing --- */

static const char *signal_of(const struct rate_demand *demand)
{
    if (demand->answer.cause == RATE_SIGNUPS) return "SIGNUP_FLOOD";
    return demand->mode == MODE_ON && demand->answer.until_ms ? "INSIDE_HELD" : "INSIDE_OVER";
}

/* An answer to the other question than was asked counts for nothing. */
static bool is_of(enum rate_cause cause, enum direction direction)
{
    return (cause == RATE_SIGNUPS) == (direction == DIRECTION_IN);
}

void rate_weigh(const struct config *config, const struct occasion *occasion, enum direction direction,
                const struct question *answers, uint32_t answer_count, struct score *score,
                struct rate_demand *out)
{
    const struct question *question = questions_answered(answers, answer_count, QUESTION_RATE);
    struct buffer says = { 0 };
    *out = (struct rate_demand){ .mode = MODE_OFF };
    if (occasion->has_harvested && direction == DIRECTION_IN)
        score_add(score, "HARVEST", harvest_points,
                  TEXT("its client asked for many recipients that do not exist"));
    if (!question || !rate_answer_get(question->value, &out->answer) || out->answer.cause == RATE_FINE ||
        !is_of(out->answer.cause, direction)) {
        out->answer = (struct rate_answer){ .cause = RATE_FINE };
        return;
    }
    out->mode = out->answer.cause == RATE_SIGNUPS ? config->signups.mode : config->inside.mode;
    rate_answer_say(&out->answer, &says);
    score_add(score, signal_of(out), 0, arena_text(score->arena, buffer_text(&says)));
    buffer_free(&says);
}

enum action rate_action(const struct rate_demand *demand, uint32_t recipient)
{
    if (demand->answer.cause == RATE_FINE) return ACTION_ACCEPT;
    if (demand->answer.cause != RATE_SIGNUPS) return ACTION_QUARANTINE;
    bool is_his = recipient < 64 && demand->answer.recipients >> recipient & 1;
    return is_his ? ACTION_QUARANTINE : ACTION_ACCEPT;
}

void rate_reason(const struct rate_demand *demand, struct buffer *out)
{
    buffer_add_text(out, demand->answer.cause == RATE_SIGNUPS ? TEXT("held in a flood of sign-ups: ")
                                                              : TEXT("the mail of this sender is held: "));
    rate_answer_say(&demand->answer, out);
}
