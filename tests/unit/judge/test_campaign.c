/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Sketches and what is known of their like as bytes: there and back, cut at every place, with what is out of
   range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge/campaign.h"

static const struct campaign_sketch sketches[] = {
    { .bands = { 1, 2, 3, 4, 5, 6, 7, 8 } },
    { .line = UINT64_MAX },
    { .file_count = 1, .files = { 9 } },
    { .bands = { 1, 2, 3, 4, 5, 6, 7, 8 }, .line = 3, .file_count = 4, .files = { 9, 10, 11, 12 } },
};

static void test_sketches(void **state)
{
    for (size_t i = 0; i < sizeof sketches / sizeof *sketches; i++) {
        struct buffer bytes = { 0 }, again = { 0 };
        struct campaign_sketch read;
        campaign_sketch_put(&sketches[i], &bytes);
        assert_true(campaign_sketch_get(buffer_text(&bytes), &read));
        campaign_sketch_put(&read, &again);
        assert_true(text_equal(buffer_text(&bytes), buffer_text(&again)));
        for (size_t cut = 0; cut < buffer_length(&bytes); cut++)
            assert_false(campaign_sketch_get(text_slice(buffer_text(&bytes), 0, cut), &read));
        buffer_add_char(&bytes, 0);
        assert_false(campaign_sketch_get(buffer_text(&bytes), &read));
        buffer_free(&bytes);
        buffer_free(&again);
    }
}

static void test_answers(void **state)
{
    const struct campaign_answer answer = { CAMPAIGN_FILE, 5, 312,  57,   40,  200,
                                            1700000000000, 2, true, true, true };
    struct buffer bytes = { 0 };
    struct campaign_answer read;
    campaign_answer_put(&answer, &bytes);
    assert_true(campaign_answer_get(buffer_text(&bytes), &read));
    assert_int_equal(read.kind, CAMPAIGN_FILE);
    assert_int_equal(read.count, 312);
    assert_true(read.is_stopped && read.is_stopped_by_user && read.is_told_by_all &&
                read.since_ms == answer.since_ms);
    for (size_t cut = 0; cut < buffer_length(&bytes); cut++)
        assert_false(campaign_answer_get(text_slice(buffer_text(&bytes), 0, cut), &read));
    buffer_free(&bytes);
}

/* A byte of the form at its place. */
static void test_out_of_range(void **state)
{
    static const struct {
        bool is_answer;
        size_t offset; /* from the start; of an answer's flags from its end */
        uint8_t value;
    } rows[] = {
        { false, 0, CAMPAIGN_VERSION + 1 },
        { false, 1, 4 },
        { false, 2, CAMPAIGN_FILES_MOST + 1 },
        { false, 3, 0 }, /* a key that is 0 */
        { false, 1, 0 }, /* nothing, and bytes behind it */
        { true, 0, CAMPAIGN_KINDS },
        { true, 1 + 8 + 4 * 4 + 8 + 4, 8 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer bytes = { 0 };
        struct campaign_sketch sketch;
        struct campaign_answer answer = { 0 };
        if (rows[i].is_answer)
            campaign_answer_put(&answer, &bytes);
        else
            campaign_sketch_put(&sketches[0], &bytes);
        bytes.memory[bytes.start + rows[i].offset] = (char)rows[i].value;
        bool is_taken = rows[i].is_answer ? campaign_answer_get(buffer_text(&bytes), &answer)
                                          : campaign_sketch_get(buffer_text(&bytes), &sketch);
        if (is_taken) fail_msg("row %zu is taken", i);
        buffer_free(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_sketches), cmocka_unit_test(test_answers),
                                        cmocka_unit_test(test_out_of_range) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
