/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What lookup is asked of senders, what it says, and what it is told: whatever is read has a meaning, is
   written as it was, and weighs within its bounds. The first octet says which. */
#include <math.h>
#include <stdlib.h>

#include "config/load.h"
#include "ipc/ask_sender.h"
#include "scan/sender_weight.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config *senders_config(void)
{
    struct problem_list problems;
    problem_list_start(&problems);
    return config_load_text(
        TEXT("role single; hostname mx.test; listen 192.0.2.25:25; domains { a.test 10.0.0.7 }\n"
             "greylist mode on\n"),
        "senders.conf", false, &problems);
}

static void subject_try(struct arena *arena, struct text bytes)
{
    struct sender_subject subject, again;
    struct buffer put = { 0 };
    if (!sender_subject_get(arena, bytes, &subject)) return;
    sender_subject_put(&subject, &put);
    if (!sender_subject_get(arena, buffer_text(&put), &again)) abort();
    if (again.recipient_count > subject.recipient_count || !text_equal(again.sender, subject.sender)) abort();
    buffer_free(&put);
}

static void history_try(struct arena *arena, const struct config *config, struct text bytes)
{
    struct sender_history history;
    struct sender_demand demand;
    struct buffer put = { 0 };
    struct score score = { .arena = arena };
    const struct occasion occasion = { .direction = DIRECTION_IN };
    const struct auth_judgement authentication = { .is_made = false };
    const struct question answer = { QUESTION_HISTORY, TEXT_NONE, ANSWER_FOUND, bytes };
    if (!sender_history_get(bytes, &history)) return;
    sender_history_put(&history, &put);
    if (!text_equal(buffer_text(&put), bytes)) abort();
    sender_history_weigh(config, &occasion, &authentication, &answer, 1, &score, &demand);
    if (!(fabs(demand.points) <= 5)) abort();
    for (uint32_t i = 0; i < history.count; i++) sender_finding_say(LANGUAGE_JA, &history.findings[i], &put);
    buffer_free(&put);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config *config;
    struct sender_rcpt_answer answer;
    struct sender_seen seen;
    if (!config) config = senders_config();
    if (size == 0) return 0;
    struct text bytes = text_from((const char *)data + 1, size - 1);
    struct arena *arena = arena_new(0);
    switch (data[0] % 4) {
    case 0:
        subject_try(arena, bytes);
        break;
    case 1:
        history_try(arena, config, bytes);
        break;
    case 2:
        if (sender_rcpt_answer_get(bytes, &answer) && answer.delay >= SENDER_DELAYS) abort();
        break;
    default:
        if (sender_seen_get(arena, bytes, &seen) && seen.subject.recipient_count > SENDER_RECIPIENTS_MOST)
            abort();
    }
    arena_free(arena);
    return 0;
}
