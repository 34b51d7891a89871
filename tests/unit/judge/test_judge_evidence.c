/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Facts, questions and verdicts as bytes: there and back, cut at every place, with every enum out of range.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/codec.h"
#include "judge/evidence.h"

static struct text addresses[] = { { "a@b.test", 8 }, { "c@d.test", 8 } };
static struct question question = {
    QUESTION_CLIENT_NAME, { "192.0.2.1", 9 }, ANSWER_FOUND, { "mx.test", 7 }
};
static struct signal signals[] = { { { "GTUBE", 5 }, 1000, { "test", 4 } },
                                   { { "OTHER", 5 }, -0.5, { "", 0 } } };
static struct recipient_verdict results[] = { { ACTION_TAG, ACTION_REJECT, 1 },
                                              { ACTION_ACCEPT, ACTION_ACCEPT, 0 } };

enum form { OCCASION, QUESTIONS, FACTS, VERDICT, FORMS };

static void form_put(enum form form, struct buffer *out)
{
    struct occasion occasion = { 7, DIRECTION_OUT, { { 1, 2 } }, TEXT("helo"), TEXT("s@x.test"), true, false,
                                 2, addresses };
    struct facts facts = { .virus = SCAN_FOUND,
                           .virus_name = TEXT("Name"),
                           .engine = TEXT("clamav"),
                           .ambiguous = true,
                           .content = 5,
                           .received_count = 3,
                           .part_count = 4,
                           .subject = TEXT("subject"),
                           .message_id = TEXT("<x>"),
                           .from = TEXT("from"),
                           .signal_count = 2,
                           .signals = signals,
                           .question_count = 1,
                           .questions = &question,
                           .edits_remove = TEXT("1234"),
                           .edits_tag = TEXT("56789") };
    struct verdict verdict = { 7.5,
                               2,
                               signals,
                               2,
                               results,
                               250,
                               TEXT("2.0.0"),
                               TEXT("reason"),
                               TEXT("header"),
                               TEXT("tagged"),
                               TEXT("summary") };
    if (form == OCCASION) occasion_put(&occasion, out);
    if (form == QUESTIONS) questions_put(&question, 1, out);
    if (form == FACTS) facts_put(&facts, out);
    if (form == VERDICT) verdict_put(&verdict, out);
}

/* Reads and writes again; false when it is malformed. */
static bool form_again(enum form form, struct text bytes, struct buffer *out)
{
    struct arena *arena = arena_new(0);
    struct reader reader = reader_of(bytes);
    struct occasion occasion;
    struct question *list;
    uint32_t count;
    struct facts facts;
    struct verdict verdict;
    bool is_good = false;
    if (form == OCCASION && (is_good = occasion_get(arena, &reader, &occasion))) occasion_put(&occasion, out);
    if (form == QUESTIONS && (is_good = questions_get(arena, &reader, &list, &count)))
        questions_put(list, count, out);
    if (form == FACTS && (is_good = facts_get(arena, &reader, &facts))) facts_put(&facts, out);
    if (form == VERDICT && (is_good = verdict_get(arena, &reader, &verdict))) verdict_put(&verdict, out);
    is_good = is_good && reader_done(&reader);
    arena_free(arena);
    return is_good;
}

static void test_there_and_back(void **state)
{
    (void)state;
    for (enum form form = 0; form < FORMS; form++) {
        struct buffer first = { 0 }, again = { 0 };
        form_put(form, &first);
        assert_true(form_again(form, buffer_text(&first), &again));
        assert_true(text_equal(buffer_text(&first), buffer_text(&again)));
        buffer_free(&first);
        buffer_free(&again);
    }
}

static void test_cut_anywhere(void **state)
{
    (void)state;
    for (enum form form = 0; form < FORMS; form++) {
        struct buffer whole = { 0 }, again = { 0 };
        form_put(form, &whole);
        for (size_t length = 0; length < buffer_length(&whole); length++)
            if (form_again(form, text_slice(buffer_text(&whole), 0, length), &again))
                fail_msg("form %d cut to %zu bytes is taken", (int)form, length);
        buffer_free(&whole);
        buffer_free(&again);
    }
}

/* Offsets of the bytes that hold an enum. */
static void test_enums_out_of_range(void **state)
{
    (void)state;
    static const struct {
        enum form form;
        size_t offset;
        uint8_t value;
    } rows[] = {
        { OCCASION, 8, DIRECTION_OUT + 1 },
        { QUESTIONS, 4, QUESTION_KIND_COUNT },
        { QUESTIONS, 4 + 1 + 4 + 9, ANSWER_TEMPERROR + 1 },
        { FACTS, 0, SCAN_UNSCANNED + 1 },
        { VERDICT, 8 + 4 + (4 + 5 + 8 + 4 + 4) + (4 + 5 + 8 + 4) + 4, ACTION_DEFER + 1 },
        { VERDICT, 8 + 4 + (4 + 5 + 8 + 4 + 4) + (4 + 5 + 8 + 4) + 5, ACTION_DEFER + 1 },
        { VERDICT, 8 + 4 + (4 + 5 + 8 + 4 + 4) + (4 + 5 + 8 + 4) + 6, 2 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer bytes = { 0 }, again = { 0 };
        form_put(rows[i].form, &bytes);
        bytes.memory[bytes.start + rows[i].offset] = (char)rows[i].value;
        if (form_again(rows[i].form, buffer_text(&bytes), &again)) fail_msg("row %zu is taken", i);
        buffer_free(&bytes);
        buffer_free(&again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_there_and_back),
                                        cmocka_unit_test(test_cut_anywhere),
                                        cmocka_unit_test(test_enums_out_of_range) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
