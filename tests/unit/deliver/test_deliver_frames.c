/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: jobs and results cross the channel unchanged, every cut of one is refused, and the largest result
   that a job can lead to fits a frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "deliver/handover.h"

static struct deliver_job job_make(struct recipient *recipients, uint32_t *numbers)
{
    recipients[0] = (struct recipient){ TEXT("a@b.test"), TEXT("rfc822;x@y"), NOTIFY_NEVER };
    recipients[1] = (struct recipient){ TEXT("c@b.test"), TEXT_NONE, 0 };
    numbers[0] = 4;
    numbers[1] = 9;
    return (struct deliver_job){
        .id = 77,
        .message_id = 88,
        .arrived_ms = 99,
        .domain = TEXT("b.test"),
        .segment = 3,
        .offset = 4096,
        .length = 500,
        .prefix_length = 20,
        .content = 5,
        .edits = TEXT("\0\0\0\0"),
        .envelope = { .sender = TEXT("s@t"), .recipient_count = 2, .recipients = recipients },
        .recipient_numbers = numbers
    };
}

static bool job_get(struct arena *arena, struct text payload, struct deliver_job *out)
{
    struct frame frame = { .type = DELIVER_JOB, .id = 77, .payload = payload };
    return deliver_job_get(arena, &frame, out);
}

static void test_job(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct recipient recipients[2];
    uint32_t numbers[2];
    struct deliver_job job = job_make(recipients, numbers), read;
    struct buffer bytes = { 0 };
    deliver_job_put(&job, &bytes);
    assert_true(job_get(arena, buffer_text(&bytes), &read));
    assert_int_equal(read.message_id, 88);
    assert_int_equal(read.offset, 4096);
    assert_int_equal(read.recipient_numbers[1], 9);
    assert_true(text_equal(read.envelope.recipients[0].orcpt, TEXT("rfc822;x@y")));
    assert_true(text_equal(read.edits, job.edits));
    for (size_t cut = 0; cut < buffer_length(&bytes); cut++)
        assert_false(job_get(arena, text_slice(buffer_text(&bytes), 0, cut), &read));
    job.prefix_length = 501;
    buffer_clear(&bytes);
    deliver_job_put(&job, &bytes);
    assert_false(job_get(arena, buffer_text(&bytes), &read));
    job.prefix_length = 0;
    job.length = UINT64_MAX - 10;
    buffer_clear(&bytes);
    deliver_job_put(&job, &bytes);
    assert_false(job_get(arena, buffer_text(&bytes), &read));
    buffer_free(&bytes);
    arena_free(arena);
}

static void test_result(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct recipient_result recipients[2] = {
        { 4, RECIPIENT_DELIVERED, 250, TEXT("2.0.0"), TEXT("ok"), true },
        { 9, RECIPIENT_FAILED, 550, TEXT("5.1.1"), TEXT("unknown"), false },
    };
    struct deliver_result result = { .id = 5,
                                     .message_id = 6,
                                     .destination_down = true,
                                     .relay = TEXT("r"),
                                     .tls = TEXT("t"),
                                     .connect_ms = 7,
                                     .transfer_ms = 8,
                                     .recipient_count = 2,
                                     .recipients = recipients },
                          read;
    struct buffer bytes = { 0 };
    deliver_result_put(&result, &bytes);
    struct frame frame = { .type = DELIVER_RESULT, .id = 5, .payload = buffer_text(&bytes) };
    assert_true(deliver_result_get(arena, &frame, &read));
    assert_true(read.destination_down);
    assert_int_equal(read.recipients[1].ending, RECIPIENT_FAILED);
    assert_true(read.recipients[0].dsn_relayed);
    assert_true(text_equal(read.recipients[1].reply, TEXT("unknown")));
    for (size_t cut = 0; cut < buffer_length(&bytes); cut++) {
        frame.payload = text_slice(buffer_text(&bytes), 0, cut);
        assert_false(deliver_result_get(arena, &frame, &read));
    }
    buffer_free(&bytes);
    arena_free(arena);
}

/* As many of the shortest recipients as a job's frame can hold, each with the longest reply. */
static void test_largest_result(void **state)
{
    (void)state;
    static char long_reply[600];
    static const uint32_t counts[] = { 1, 50, 1000, 3000, 5000, 6500 };
    memset(long_reply, 'x', sizeof long_reply);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct arena *arena = arena_new(0);
        struct envelope envelope = { .recipient_count = counts[i] };
        struct handover handover = { .arena = arena, .envelope = &envelope };
        struct smtp_reply reply = { .code = 550, .enhanced = TEXT("5.123.123"), .line_count = 1 };
        struct buffer bytes = { 0 };
        reply.text = text_from(long_reply, sizeof long_reply);
        envelope.recipients = arena_alloc_array(arena, counts[i], sizeof *envelope.recipients);
        handover_start(&handover);
        handover_end_rest_by_reply(&handover, &reply, false, false);
        struct deliver_result result = { .relay = text_from(long_reply, 340),
                                         .tls = text_from(long_reply, 160),
                                         .recipient_count = counts[i],
                                         .recipients = handover.results };
        deliver_result_put(&result, &bytes);
        if (buffer_length(&bytes) > FRAME_LIMIT - 64)
            fail_msg("%u: %zu bytes", counts[i], buffer_length(&bytes));
        buffer_free(&bytes);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_job), cmocka_unit_test(test_result),
                                        cmocka_unit_test(test_largest_result) };
    return cmocka_run_group_tests_name("deliver frames", tests, NULL, NULL);
}
