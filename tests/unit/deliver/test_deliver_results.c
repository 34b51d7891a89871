/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: what servers took is told by the next life of deliver, once and no longer than queue needs it,
   whatever stands in the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "deliver/results.h"
#include "ipc/event.h"

static struct scene {
    int file, end;
    struct loop *loop;
    struct channel *queue;
    struct arena *arena;
    struct ring *events;
} scene;

static struct ring *file_map(int fd)
{
    struct ring *ring = ring_map(fd);
    assert_non_null(ring);
    return ring;
}

static int start(void **state)
{
    int pair[2];
    static const struct channel_events silent = { NULL, NULL };
    (void)state;
    scene.file = memfd_create("results", MFD_CLOEXEC);
    int events = memfd_create("events", MFD_CLOEXEC);
    scene.events = file_map(events);
    close(events);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    scene.loop = loop_new();
    scene.arena = arena_new(0);
    scene.queue = channel_open(scene.loop, pair[0], &silent, NULL);
    scene.end = pair[1];
    return 0;
}

static void after(void *context)
{
    loop_stop(context);
}

static int stop(void **state)
{
    (void)state;
    channel_close(scene.queue);
    struct timer *timer = timer_new(scene.loop, after, scene.loop);
    timer_set(timer, 0);
    loop_run(scene.loop); /* buries the channel */
    timer_free(timer);
    loop_free(scene.loop);
    arena_free(scene.arena);
    ring_unmap(scene.events);
    close(scene.file);
    close(scene.end);
    return 0;
}

static struct results *life(void)
{
    return results_new(file_map(scene.file), scene.events);
}

static void keep(struct results *results, struct result_hold *hold, uint64_t message, uint32_t recipient)
{
    struct buffer record = { 0 };
    struct event_ended event = { .id = message,
                                 .recipient = recipient,
                                 .ending = ENDING_DELIVERED,
                                 .dsn = TEXT("2.0.0"),
                                 .relay = TEXT("mx[192.0.2.1]:25"),
                                 .reply = TEXT("250 2.0.0 kept") };
    event_ended_put(&event, &record);
    if (hold) results_begin(results, hold);
    results_keep(results, buffer_text(&record), true);
    buffer_free(&record);
}

/* The next result that queue hears, false when there is none. */
static bool told(struct deliver_result *out)
{
    struct frame frame;
    channel_flush(scene.queue);
    if (!channel_wait(scene.end, 0, &frame)) return false;
    frame.payload = arena_text(scene.arena, frame.payload);
    assert_int_equal(frame.type, DELIVER_RESULT);
    assert_true(deliver_result_get(scene.arena, &frame, out));
    assert_int_equal(out->id, frame.id);
    return true;
}

static unsigned events_count(void)
{
    struct text record;
    unsigned count = 0;
    uint64_t position = ring_tail(scene.events);
    while (ring_next(scene.events, &position, &record)) count++;
    return count;
}

static void the_next_life_tells(void **state)
{
    struct result_hold one, two;
    struct deliver_result result;
    (void)state;
    struct results *results = life();
    keep(results, &one, 71, 0);
    keep(results, NULL, 71, 3);
    keep(results, &two, 72, 1);
    results_let_go(results, &two); /* the older one is still open */
    results_tell(results, scene.queue);
    assert_false(told(&result)); /* its own are jobs.c's to tell */
    results_free(results);       /* as by kill -9 */

    results = life();
    results_tell(results, scene.queue);
    for (unsigned i = 0; i < 3; i++) {
        static const uint32_t numbers[] = { 0, 3, 1 };
        assert_true(told(&result));
        assert_int_equal(result.message_id, i < 2 ? 71 : 72);
        assert_int_equal(result.recipient_count, 1);
        assert_int_equal(result.recipients[0].number, numbers[i]);
        assert_int_equal(result.recipients[0].ending, RECIPIENT_DELIVERED);
        assert_int_equal(result.recipients[0].code, 250);
        assert_true(result.recipients[0].dsn_relayed);
        assert_true(text_equal(result.relay, TEXT("mx[192.0.2.1]:25")));
    }
    assert_false(told(&result));
    assert_int_equal(events_count(), 3);
    results_kept(results, 1);
    results_kept(results, 3);
    results_kept(results, 900);         /* of a job */
    results_tell(results, scene.queue); /* another queue, which may know nothing of it */
    for (unsigned i = 0; i < 3; i++) assert_true(told(&result));
    for (uint64_t id = 1; id <= 3; id++) results_kept(results, id);
    results_tell(results, scene.queue);
    assert_false(told(&result));
    results_free(results);

    results = life();
    results_tell(results, scene.queue);
    assert_false(told(&result));
    results_free(results);
}

static void what_queue_has_is_let_go(void **state)
{
    struct result_hold holds[3];
    struct deliver_result result;
    (void)state;
    struct results *results = life();
    for (unsigned i = 0; i < 100000; i++) { /* many turns of the ring */
        struct result_hold *hold = &holds[i % 3];
        if (i >= 3) results_let_go(results, hold);
        keep(results, hold, i, 0);
    }
    results_free(results);
    results = life();
    results_tell(results, scene.queue);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(told(&result));
        assert_int_equal(result.message_id, 100000 - 3 + i);
    }
    assert_false(told(&result));
    results_free(results);
}

/* A life that was taken over may have left anything. */
static void what_makes_no_sense_is_not_told(void **state)
{
    struct deliver_result result;
    struct buffer record = { 0 };
    (void)state;
    struct event_ended failed = { .id = 5, .ending = ENDING_RETURNED, .reply = TEXT("250 ok") };
    struct event_ended refused = { .id = 6, .ending = ENDING_DELIVERED, .reply = TEXT("550 no") };
    struct ring *ring = file_map(scene.file);
    put_u8(&record, 0);
    event_ended_put(&failed, &record);
    ring_append(ring, buffer_text(&record));
    buffer_clear(&record);
    put_u8(&record, 0);
    event_ended_put(&refused, &record);
    ring_append(ring, buffer_text(&record));
    ring_append(ring, text_slice(buffer_text(&record), 0, 9));
    ring_append(ring, TEXT(""));
    ring_unmap(ring);
    buffer_free(&record);
    struct results *results = life();
    results_tell(results, scene.queue);
    assert_false(told(&result));
    assert_int_equal(events_count(), 0);
    results_free(results);
    ring = file_map(scene.file);
    assert_int_equal(ring_tail(ring), ring_head(ring));
    ring_unmap(ring);
}

static void without_a_file(void **state)
{
    struct result_hold hold;
    struct deliver_result result;
    (void)state;
    struct results *results = results_new(NULL, NULL);
    keep(results, &hold, 1, 0);
    results_tell(results, scene.queue);
    assert_false(told(&result));
    results_let_go(results, &hold);
    results_free(results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_next_life_tells, start, stop),
        cmocka_unit_test_setup_teardown(what_queue_has_is_let_go, start, stop),
        cmocka_unit_test_setup_teardown(what_makes_no_sense_is_not_told, start, stop),
        cmocka_unit_test_setup_teardown(without_a_file, start, stop),
    };
    return cmocka_run_group_tests_name("deliver results", tests, NULL, NULL);
}
