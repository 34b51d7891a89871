/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What the cache has is answered while the evaluator runs, so with a warm cache it runs once. */
#include "lookup/evaluation.h"

#include "base/context.h"

struct wanted {
    enum { WANTED_MAGIC = 0x51f0c8aa } magic;
    struct evaluation *evaluation;
    struct text name;
    enum dns_record_type type;
    struct dns_answer answer;
};

static bool run(struct evaluation *evaluation, struct dns_answers *answers)
{
    arena_reset(evaluation->scratch);
    return evaluation->evaluate(evaluation->context, evaluation->scratch, answers);
}

static void turn(struct evaluation *evaluation)
{
    if (!evaluation->is_over) evaluation->is_over = run(evaluation, &evaluation->answers);
    if (!evaluation->is_over && evaluation->pending > 0) return;
    if (!evaluation->is_over) evaluation_hurry(evaluation); /* it waits for what it did not ask */
    evaluation->is_over = true;
    evaluation->progressed(evaluation->context);
}

static void answered(void *context)
{
    struct wanted *wanted = CONTEXT(context, struct wanted, WANTED_MAGIC);
    struct evaluation *evaluation = wanted->evaluation;
    dns_answers_put(&evaluation->answers, wanted->name, wanted->type, &wanted->answer);
    evaluation->pending--;
    if (evaluation->pending == 0 || !evaluation->is_over) turn(evaluation);
}

static bool ask(void *context, struct text name, enum dns_record_type type, struct dns_answer *out)
{
    struct evaluation *evaluation = CONTEXT(context, struct evaluation, EVALUATION_MAGIC);
    struct arena *arena = evaluation->answers.arena;
    struct wanted *wanted = arena_alloc(arena, sizeof *wanted);
    *wanted = (struct wanted){ .magic = WANTED_MAGIC, .evaluation = evaluation, .name = name, .type = type };
    bool is_now =
        resolver_ask_now(evaluation->resolver, arena, name, type, &wanted->answer, answered, wanted);
    if (is_now)
        *out = wanted->answer;
    else
        evaluation->pending++;
    return is_now;
}

void evaluation_begin(struct evaluation *evaluation, struct resolver *resolver, struct arena *arena,
                      bool (*evaluate)(void *context, struct arena *scratch, struct dns_answers *answers),
                      void (*progressed)(void *context), void *context)
{
    *evaluation = (struct evaluation){ .magic = EVALUATION_MAGIC,
                                       .resolver = resolver,
                                       .answers = { .arena = arena, .at_hand = ask, .context = evaluation },
                                       .evaluate = evaluate,
                                       .scratch = arena_new(0),
                                       .progressed = progressed,
                                       .context = context };
    turn(evaluation);
}

void evaluation_end(struct evaluation *evaluation)
{
    arena_free(evaluation->scratch);
    evaluation->scratch = NULL;
}

void evaluation_hurry(struct evaluation *evaluation)
{
    struct dns_answers answers = evaluation->answers;
    struct arena *arena = answers.arena;
    answers.at_hand = NULL;
    answers.room = answers.count;
    answers.items = arena_alloc_array(arena, answers.count, sizeof *answers.items);
    if (answers.count)
        memcpy(answers.items, evaluation->answers.items, answers.count * sizeof *answers.items);
    do /* each time what was wanted meanwhile is closed too; the limits of an evaluator end it */
        dns_answers_close(&answers);
    while (!run(evaluation, &answers));
}
