/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Two messages of a session, one pair a row: what was answered to the first, and whether the second is asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/spf_answer.h"
#include "receive/spf_memory.h"

static const struct {
    const char *name;
    int sender, helo; /* outcomes of the first; -1: nobody answered */
    uint32_t domain_length;
    const char *second; /* subject of the second message */
    uint64_t after_ms;
    bool is_asked;
} rows[] = {
    { "the same sender", SPF_PASS, SPF_NONE, 9, "one", 100, false },
    { "a failure is an answer too", SPF_FAIL, SPF_PERMERROR, 9, "one", 100, false },
    { "at the end of its time", SPF_PASS, SPF_NONE, 9, "one", SPF_MEMORY_MS, false },
    { "past its time", SPF_PASS, SPF_NONE, 9, "one", SPF_MEMORY_MS + 1, true },
    { "another sender", SPF_PASS, SPF_NONE, 9, "two", 100, true },
    { "a subject that begins alike", SPF_PASS, SPF_NONE, 9, "on", 100, true },
    { "temporary error of the sender", SPF_TEMPERROR, SPF_NONE, 9, "one", 100, true },
    { "temporary error of HELO", SPF_PASS, SPF_TEMPERROR, 9, "one", 100, true },
    { "no answer", -1, 0, 9, "one", 100, true },
    { "a long answer", SPF_PASS, SPF_NONE, 1100, "one", 100, true },
};

static void answer(struct question_set *questions, int sender, int helo, uint32_t domain_length)
{
    static char domain[2000];
    struct buffer value = { 0 };
    memset(domain, 'd', sizeof domain);
    struct spf_answer said = { .sender = { .outcome = (enum spf_outcome)sender,
                                           .domain = text_from(domain, domain_length),
                                           .reason = "" },
                               .helo = { .outcome = (enum spf_outcome)helo, .reason = "" } };
    spf_answer_put(&said, &value);
    const struct question known = { QUESTION_SPF, TEXT("one"), ANSWER_FOUND, buffer_text(&value) };
    question_set_know(questions, QUESTION_OF_MESSAGE, &known);
    buffer_free(&value);
}

static void pairs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *session = arena_new(0), *message = arena_new(0);
        struct question_set questions;
        struct spf_memory memory = { 0 };
        question_set_begin(&questions, session, message);
        spf_memory_add(&memory, &questions, TEXT("one"), 5000);
        if (!question_set_has_unasked(&questions)) fail_msg("%s: the first is not asked", rows[i].name);
        if (rows[i].sender >= 0) answer(&questions, rows[i].sender, rows[i].helo, rows[i].domain_length);
        spf_memory_keep(&memory, &questions, message);
        question_set_forget(&questions);
        arena_reset(message);
        spf_memory_add(&memory, &questions, text_of(rows[i].second), 5000 + rows[i].after_ms);
        if (question_set_has_unasked(&questions) != rows[i].is_asked)
            fail_msg("%s: %s", rows[i].name, rows[i].is_asked ? "not asked" : "asked");
        spf_memory_free(&memory);
        arena_free(session);
        arena_free(message);
    }
}

/* What is known is not younger for being used. */
static void age(void **state)
{
    (void)state;
    struct arena *session = arena_new(0), *message = arena_new(0);
    struct question_set questions;
    struct spf_memory memory = { 0 };
    question_set_begin(&questions, session, message);
    for (uint64_t now_ms = 0; now_ms <= 3 * SPF_MEMORY_MS; now_ms += SPF_MEMORY_MS / 2) {
        bool is_new = now_ms % (3 * SPF_MEMORY_MS / 2) == 0;
        spf_memory_add(&memory, &questions, TEXT("one"), now_ms);
        assert_int_equal(question_set_has_unasked(&questions), is_new);
        if (is_new) answer(&questions, SPF_SOFTFAIL, SPF_NONE, 9);
        const struct question *known = question_set_find(&questions, QUESTION_SPF, TEXT("one"));
        struct spf_answer said;
        assert_non_null(known);
        assert_true(spf_answer_get(message, known->value, &said));
        assert_int_equal(said.sender.outcome, SPF_SOFTFAIL);
        spf_memory_keep(&memory, &questions, message);
        question_set_forget(&questions);
        arena_reset(message);
    }
    spf_memory_free(&memory);
    arena_free(session);
    arena_free(message);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(pairs), cmocka_unit_test(age) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
