/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What follows from an answer about an hour: held, observed or nothing, and for whom; an answer to another
   question than was asked, or one that makes no sense, changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scan/rate_weight.h"

static const struct row {
    const char *name;
    enum direction direction;
    enum rate_cause cause;
    enum mode mode;
    uint64_t recipients, until_ms;
    bool is_broken, has_harvested;
    const char *signal;              /* NULL: none */
    enum action first, second, late; /* of recipients 0, 1 and 70 */
} rows[] = {
    { "held", DIRECTION_OUT, RATE_RECIPIENTS, MODE_ON, 0, 5, false, false, "INSIDE_HELD", ACTION_QUARANTINE,
      ACTION_QUARANTINE, ACTION_QUARANTINE },
    { "observed", DIRECTION_OUT, RATE_SPAM, MODE_OBSERVE, 0, 0, false, false, "INSIDE_OVER",
      ACTION_QUARANTINE, ACTION_QUARANTINE, ACTION_QUARANTINE },
    { "a flood", DIRECTION_IN, RATE_SIGNUPS, MODE_ON, 2, 0, false, false, "SIGNUP_FLOOD", ACTION_ACCEPT,
      ACTION_QUARANTINE, ACTION_ACCEPT },
    { "fine", DIRECTION_OUT, RATE_FINE, MODE_OFF, 0, 0, false, false, NULL, ACTION_ACCEPT, ACTION_ACCEPT,
      ACTION_ACCEPT },
    { "from outside as if inside", DIRECTION_IN, RATE_RECIPIENTS, MODE_OFF, 0, 5, false, false, NULL,
      ACTION_ACCEPT, ACTION_ACCEPT, ACTION_ACCEPT },
    { "from inside as if outside", DIRECTION_OUT, RATE_SIGNUPS, MODE_OFF, 3, 0, false, false, NULL,
      ACTION_ACCEPT, ACTION_ACCEPT, ACTION_ACCEPT },
    { "broken", DIRECTION_OUT, RATE_RECIPIENTS, MODE_OFF, 0, 5, true, false, NULL, ACTION_ACCEPT,
      ACTION_ACCEPT, ACTION_ACCEPT },
    { "harvest", DIRECTION_IN, RATE_FINE, MODE_OFF, 0, 0, false, true, "HARVEST", ACTION_ACCEPT,
      ACTION_ACCEPT, ACTION_ACCEPT },
};

static void row_check(const struct row *row)
{
    struct arena *arena = arena_new(0);
    struct config config = { 0 };
    struct score score = { .arena = arena };
    struct rate_demand demand;
    struct buffer bytes = { 0 };
    config.inside.mode = config.signups.mode = row->mode;
    const struct rate_answer answer = {
        .cause = row->cause, .count = 20, .recipients = row->recipients, .until_ms = row->until_ms
    };
    rate_answer_put(&answer, &bytes);
    const struct question question = { QUESTION_RATE, TEXT_NONE, ANSWER_FOUND,
                                       text_slice(buffer_text(&bytes), 0, row->is_broken ? 3 : 1000) };
    const struct occasion occasion = { .direction = row->direction, .has_harvested = row->has_harvested };
    rate_weigh(&config, &occasion, row->direction, &question, 1, &score, &demand);
    const char *signal = score.count ? score.signals[0].name.at : "";
    if (score.count != (row->signal != NULL) || (row->signal && strcmp(signal, row->signal) != 0))
        fail_msg("%s: %s", row->name, signal);
    if (demand.mode != row->mode || rate_action(&demand, 0) != row->first ||
        rate_action(&demand, 1) != row->second || rate_action(&demand, 70) != row->late)
        fail_msg("%s: another action", row->name);
    buffer_free(&bytes);
    arena_free(arena);
}

static void weights(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) row_check(&rows[i]);
}

/* One who asked in vain: lookup is dead. */
static void no_answer(void **state)
{
    struct arena *arena = arena_new(0);
    struct config config = { .inside.mode = MODE_ON };
    struct score score = { .arena = arena };
    struct rate_demand demand;
    const struct question question = { QUESTION_RATE, TEXT_NONE, ANSWER_TEMPERROR, TEXT_NONE };
    const struct occasion occasion = { .direction = DIRECTION_OUT };
    rate_weigh(&config, &occasion, DIRECTION_OUT, &question, 1, &score, &demand);
    assert_true(score.count == 0 && rate_action(&demand, 0) == ACTION_ACCEPT && demand.mode == MODE_OFF);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(weights), cmocka_unit_test(no_answer) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
