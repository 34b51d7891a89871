/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What lookup answers of lists: whatever is read is written as it was, and weighed. */
#include <stdlib.h>

#include "config/load.h"
#include "judge/list_answer.h"
#include "scan/list_questions.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config *lists_config(void)
{
    struct problem_list problems;
    problem_list_start(&problems);
    return config_load_text(
        TEXT("role single; hostname mx.test; listen 192.0.2.25:25; domains { a.test 10.0.0.7 }\n"
             "list spamhaus-zen; list own { names /n; action reject }\n"),
        "lists.conf", false, &problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config *config;
    struct text bytes = text_from((const char *)data, size);
    struct list_answer answer;
    struct list_demand demand;
    struct buffer again = { 0 };
    if (!config) config = lists_config();
    if (!list_answer_get(bytes, &answer)) return 0;
    struct arena *arena = arena_new(0);
    struct score score = { .arena = arena };
    struct question question = { QUESTION_LIST, TEXT("client 192.0.2.1"), ANSWER_FOUND, bytes };
    list_answers_weigh(config, &question, 1, &score, &demand);
    list_answer_put(&answer, &again);
    if (buffer_length(&again) > size) abort();
    arena_free(arena);
    buffer_free(&again);
    return 0;
}
