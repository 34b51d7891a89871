/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Rates: any bytes as a question, an answer, an event or the file of held senders are refused, or read and written
   again as they came; what was read is counted. The first byte chooses. */
#include <stdlib.h>

#include "lookup/inside_senders.h"
#include "lookup/signup_floods.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) abort();
}

static struct config config_of(void)
{
    struct config config = { 0 };
    config.inside.mode = config.signups.mode = MODE_ON;
    config.inside.recipients = config.inside.spam = config.inside.refused = config.inside.networks = 3;
    config.inside.percent = 10;
    config.inside.hold_ms = 1000;
    config.signups.domains = 2;
    return config;
}

static void question_read(struct inside_senders *senders, struct signup_floods *floods, struct text bytes)
{
    const struct config config = config_of();
    static struct inside_time time = { 1000000, 2000000 };
    struct arena *arena = arena_new(0);
    struct rate_subject subject;
    struct rate_answer answer = { .cause = RATE_FINE };
    if (rate_subject_get(arena, bytes, &subject)) {
        time.now_ms += 100;
        time.wall_ms += 100;
        must(subject.recipient_count <= RATE_RECIPIENTS_MOST);
        if (subject.about == RATE_ABOUT_INSIDE)
            inside_senders_message(senders, &config, &subject, time, &answer);
        else
            signup_floods_message(floods, &config, &subject, time.now_ms, &answer);
        must(subject.recipient_count == 64 || answer.recipients >> subject.recipient_count == 0);
    }
    arena_free(arena);
}

static void answer_read(struct text bytes)
{
    struct rate_answer answer;
    struct buffer again = { 0 };
    if (!rate_answer_get(bytes, &answer)) return;
    rate_answer_put(&answer, &again);
    must(text_equal(buffer_text(&again), bytes));
    buffer_clear(&again);
    rate_answer_say(&answer, &again);
    buffer_free(&again);
}

static void file_read(struct text bytes)
{
    struct inside_senders *senders = inside_senders_new();
    struct buffer again = { 0 };
    if (inside_senders_get(senders, bytes)) {
        inside_senders_put(senders, 0, &again);
        must(buffer_length(&again) <= bytes.length);
    } else {
        must(!inside_senders_held(senders, 0, 0));
    }
    buffer_free(&again);
    inside_senders_free(senders);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct inside_senders *senders;
    static struct signup_floods *floods;
    enum rate_event event;
    struct text sender;
    if (!senders) senders = inside_senders_new();
    if (!floods) floods = signup_floods_new();
    if (size == 0) return 0;
    struct text bytes = text_from((const char *)data + 1, size - 1);
    switch (data[0] % 4) {
    case 0:
        answer_read(bytes);
        break;
    case 1:
        file_read(bytes);
        break;
    case 2:
        if (rate_event_get(bytes, &event, &sender)) inside_senders_event(senders, event, sender, 1000000);
        break;
    default:
        question_read(senders, floods, bytes);
    }
    return 0;
}
