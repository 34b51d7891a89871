/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a restarted queue tells once more of a hold that new signatures made: also what they found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ipc/event.h"
#include "ipc/ring.h"
#include "queue/queue_private.h"

static void holds(void **state)
{
    static const struct {
        enum record_type type;
        const char *reply;
        enum message_class class; /* CLASS_NONE: nothing was found */
        const char *virus;
    } rows[] = {
        { RECORD_HOLD, "virus found with new signatures: Own.Word", CLASS_VIRUS, "Own.Word" },
        { RECORD_HOLD, "phishing found with new signatures: A: b", CLASS_PHISHING, "A: b" },
        { RECORD_HOLD, "spam found with new signatures: x", CLASS_NONE, "" },
        { RECORD_HOLD, "the message looks like spam", CLASS_NONE, "" },
        { RECORD_HOLD, "a virus found with new signatures: x", CLASS_NONE, "" },
        { RECORD_DEFERRAL, "virus found with new signatures: x", CLASS_NONE, "" },
    };
    int file = memfd_create("ring", MFD_CLOEXEC);
    (void)state;
    assert_int_equal(ftruncate(file, RING_FILE_BYTES), 0);
    struct queue *queue = memory_alloc(sizeof *queue);
    queue->magic = QUEUE_MAGIC;
    queue->events = ring_map(file);
    uint64_t position = ring_tail(queue->events);
    struct journal_listener listener = event_log_listener(queue);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct changed_recipient recipient = { .number = 3, .hold = HOLD_QUARANTINE };
        struct change change = {
            .when_ms = 99, .count = 1, .recipients = &recipient, .reply = text_of(rows[i].reply)
        };
        struct text record;
        struct event_found found = { .class = CLASS_NONE };
        listener.on_change(queue, rows[i].type, 42, &change);
        struct arena *arena = arena_new(0);
        unsigned steps = 0;
        while (ring_next(queue->events, &position, &record)) {
            steps += event_kind_of(record) == EVENT_STEP;
            if (event_kind_of(record) == EVENT_FOUND) {
                assert_int_equal(steps, 0); /* ledger hears of it first */
                assert_true(event_found_get(arena, record, &found));
                assert_true(found.id == 42 && found.time_ms == 99 && found.is_queued);
                assert_true(text_equal(found.virus, text_of(rows[i].virus)));
            }
        }
        assert_int_equal(steps, 1);
        if (found.class != rows[i].class) fail_msg("%s", rows[i].reply);
        arena_free(arena);
    }
    buffer_free(&queue->events_pending);
    ring_unmap(queue->events);
    free(queue);
    close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(holds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
