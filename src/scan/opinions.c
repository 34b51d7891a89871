/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is not asked says nothing: in the middle of a reload, and where the message's lot was certain. */
#include "scan/opinions.h"

#include "config/engines.h"
#include "judge/engine_answer.h"

/* Points from which on a message is spam, on the scale of SpamAssassin. */
enum { LINE_POINTS = 5 };

/* By enum engine_kind. */
static const struct {
    const char *spam, *ham, *none;
} names[ENGINE_KINDS] = { [ENGINE_SPAMD] = { "SPAMD", "SPAMD_HAM", "SPAMD_NONE" },
                          [ENGINE_RSPAMD] = { "RSPAMD", "RSPAMD_HAM", "RSPAMD_NONE" } };

/* False: nobody waited for it. */
static bool answer_get(const struct outside_engine *opinion, enum direction direction,
                       const struct question *answers, uint32_t count, struct engine_answer *out)
{
    const struct question *asked = questions_find(answers, count, QUESTION_OPINION, opinion->name);
    if (!config_engine_minds(opinion, direction) || !asked || asked->status == ANSWER_NONE) return false;
    if (asked->status != ANSWER_FOUND || !engine_answer_get(asked->value, out))
        *out = (struct engine_answer){ .state = SCAN_UNSCANNED, .name = TEXT("no answer") };
    return true;
}

/* A score under the line of what is spam all the same, by an action that was forced, counts as the line. */
static double points_of(const struct outside_engine *opinion, const struct engine_answer *answer)
{
    if (answer->state != SCAN_FOUND) return 0;
    double times = answer->line > 0 && answer->score > answer->line ? answer->score / answer->line : 1;
    double points = LINE_POINTS * times * opinion->weight;
    return points < opinion->points_most ? points : opinion->points_most;
}

static void answer_score(const struct outside_engine *opinion, const struct engine_answer *answer,
                         struct score *score)
{
    if (answer->state != SCAN_FOUND && answer->state != SCAN_CLEAN) {
        score_add(score, names[opinion->kind].none, 0, answer->name);
        return;
    }
    struct text about = arena_printf(score->arena, "%.1f of %.1f%s%.*s", answer->score, answer->line,
                                     answer->name.length ? ": " : "", TEXT_ARG(answer->name));
    bool is_spam = answer->state == SCAN_FOUND;
    score_add(score, is_spam ? names[opinion->kind].spam : names[opinion->kind].ham,
              points_of(opinion, answer), about);
}

void opinions_score(const struct config *config, enum direction direction, const struct question *answers,
                    uint32_t answer_count, struct score *score)
{
    for (size_t i = 0; i < config->opinion_count; i++) {
        struct engine_answer answer;
        if (answer_get(&config->opinions[i], direction, answers, answer_count, &answer))
            answer_score(&config->opinions[i], &answer, score);
    }
}

enum action opinions_demand(const struct config *config, enum direction direction,
                            const struct question *answers, uint32_t answer_count)
{
    for (size_t i = 0; i < config->opinion_count; i++) {
        const struct outside_engine *opinion = &config->opinions[i];
        struct engine_answer answer;
        if (opinion->unavailable == LACK_DEFER &&
            answer_get(opinion, direction, answers, answer_count, &answer) && answer.state == SCAN_UNSCANNED)
            return ACTION_DEFER;
    }
    return ACTION_ACCEPT;
}

bool opinions_has_said(const struct signal *signal)
{
    for (unsigned kind = 0; kind < ENGINE_KINDS; kind++)
        if (names[kind].spam && (text_equal(signal->name, text_of(names[kind].spam)) ||
                                 text_equal(signal->name, text_of(names[kind].ham))))
            return true;
    return false;
}
