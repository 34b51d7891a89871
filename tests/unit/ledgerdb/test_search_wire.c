/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A question and an answer come over the wire as they were; what is cut short or changed is refused, or is
   another one of the same form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledgerdb/search_wire.h"

static void questions(void **state)
{
    struct network network;
    struct buffer bytes = { 0 }, again = { 0 };
    struct arena *arena = arena_new(0);
    assert_true(network_parse(TEXT("192.0.2.0/24"), &network));
    static const uint8_t digest[PART_DIGEST_BYTES] = { 0xFF, 0, 3 };
    const struct search_question rows[] = {
        { .class = -1, .most = 20 },
        { .class = 3,
          .most = 1,
          .id = UINT64_MAX >> 1,
          .status = STATUS_ABORTED,
          .from_ms = 5,
          .until_ms = 9 },
        { .class = -1,
          .most = 100000,
          .client = &network,
          .from = TEXT("\xE5\xB1\xB1\xE7\x94\xB0"),
          .to = TEXT("a\nb"),
          .message_id = TEXT("<a@b>"),
          .address = TEXT("a@b"),
          .domain = TEXT("b"),
          .subject = TEXT("c d"),
          .virus = TEXT("v"),
          .part = digest },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct search_question got;
        buffer_clear(&bytes);
        buffer_clear(&again);
        search_question_put(&rows[i], &bytes);
        assert_true(search_question_get(buffer_text(&bytes), arena, &got));
        search_question_put(&got, &again);
        assert_true(text_equal(buffer_text(&bytes), buffer_text(&again)));
        assert_int_equal(got.class, rows[i].class);
        assert_int_equal(got.client != NULL, rows[i].client != NULL);
        assert_int_equal(got.part != NULL, rows[i].part != NULL);
        if (got.part) assert_memory_equal(got.part, digest, sizeof digest);
        if (got.client) assert_memory_equal(got.client, &network, sizeof network);
        for (size_t length = 0; length < buffer_length(&bytes); length++)
            assert_false(search_question_get(text_slice(buffer_text(&bytes), 0, length), arena, &got));
    }
    buffer_free(&bytes);
    buffer_free(&again);
    arena_free(arena);
}

static void refused(void **state)
{
    const struct search_question rows[] = {
        { .class = -1, .most = 0 },
        { .class = -1, .most = SEARCH_WIRE_MOST + 1 },
        { .class = -2, .most = 1 },
        { .class = CLASS_COUNT, .most = 1 },
        { .class = -1, .most = 1, .status = STATUS_COUNT },
    };
    struct arena *arena = arena_new(0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct search_question got;
        struct buffer bytes = { 0 };
        search_question_put(&rows[i], &bytes);
        assert_false(search_question_get(buffer_text(&bytes), arena, &got));
        buffer_free(&bytes);
    }
    arena_free(arena);
}

static void answers(void **state)
{
    struct search_step steps[] = { { .time_ms = 3, .kind = STEP_DEFERRED, .reply = TEXT("450 later") } };
    struct search_recipient recipients[] = {
        { .number = 1, .address = TEXT("a@b"), .accepted_ms = 2, .step_count = 1, .steps = steps },
        { .number = 2, .address = TEXT("c@d"), .ending = ENDING_DELIVERED, .ended_ms = 7 },
    };
    struct search_hop hops[] = { { .id = 77, .node = 3, .node_name = TEXT("edge1") } };
    struct search_hit hits[] = {
        { .id = 5,
          .score = 6.5,
          .is_judged = true,
          .subject = TEXT("s"),
          .recipient_count = 2,
          .recipients = recipients,
          .release_count = 1,
          .releases = hops,
          .original_count = 1,
          .originals = hops,
          .came_count = 1,
          .came = hops },
        { .id = 6,
          .is_refusal = true,
          .code = 550,
          .stage = STAGE_RCPT,
          .count = 3,
          .recipient = TEXT("x@y") },
    };
    const struct search_result result = { .hits = hits, .count = 2, .is_cut = true };
    struct search_result got;
    struct buffer bytes = { 0 }, again = { 0 };
    struct arena *arena = arena_new(0);
    search_result_put(&result, &bytes);
    assert_true(search_result_get(buffer_text(&bytes), arena, &got));
    assert_int_equal(got.count, 2);
    assert_true(got.is_cut && got.hits[0].score == 6.5 && got.hits[1].code == 550);
    assert_true(text_equal(got.hits[0].recipients[0].steps[0].reply, TEXT("450 later")));
    assert_true(text_equal(got.hits[0].releases[0].node_name, TEXT("edge1")));
    search_result_put(&got, &again);
    assert_true(text_equal(buffer_text(&bytes), buffer_text(&again)));
    for (size_t length = 0; length < buffer_length(&bytes); length++)
        assert_false(search_result_get(text_slice(buffer_text(&bytes), 0, length), arena, &got));
    buffer_free(&bytes);
    buffer_free(&again);
    arena_free(arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions),
        cmocka_unit_test(refused),
        cmocka_unit_test(answers),
    };
    return cmocka_run_group_tests_name("search wire", tests, NULL, NULL);
}
