/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Power goes at any step of a recorded run: what was acknowledged is there, what ended stays ended, nothing
   is there that was never offered, and the counts agree. Bytes that were not synced are dropped by chance,
   sector by sector and in no order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/log.h"
#include "ipc/event.h"
#include "rig.h"

enum { SEGMENT = 64 * 1024, MESSAGES_MOST = 2000 };

/* When things happened to a message, in steps of the trace; SIZE_MAX: never. */
struct life {
    size_t offered, kept, ending, ended;
};

struct run {
    struct rig rig;
    struct life lives[MESSAGES_MOST];
    uint64_t count;
    unsigned random;
    uint64_t recycled; /* by journals that were closed since */
};

static unsigned chance(struct run *run, unsigned most)
{
    run->random = run->random * 1103515245u + 12345u;
    return (run->random >> 16 & 0x7fff) % most;
}

static void end_some(struct run *run)
{
    for (uint64_t id = 1; id <= run->count; id++) {
        struct life *life = &run->lives[id - 1];
        struct message *message = message_index_find(run->rig.message_index, id);
        if (!message || life->kept == SIZE_MAX || life->ending != SIZE_MAX || id % 17 == 1) continue;
        if (chance(run, 3) == 0) continue;
        life->ending = run->rig.step_count;
        rig_end(&run->rig, message, ENDING_DELIVERED);
    }
}

static void defer_one(struct run *run)
{
    for (uint64_t id = 1; id <= run->count; id += 17) {
        struct message *message = message_index_find(run->rig.message_index, id);
        if (message && run->lives[id - 1].kept != SIZE_MAX && chance(run, 4) == 0)
            rig_defer(&run->rig, message, 1000 + id, "450 later");
    }
}

static void turn(struct run *run)
{
    unsigned fresh = chance(run, 5);
    for (unsigned i = 0; i < fresh && run->count < MESSAGES_MOST; i++) {
        run->lives[run->count] = (struct life){ run->rig.step_count, SIZE_MAX, SIZE_MAX, SIZE_MAX };
        run->count++;
        rig_keep(&run->rig, run->count, 1 + chance(run, 3), 40 + chance(run, 4000));
    }
    if (chance(run, 2)) end_some(run);
    if (chance(run, 5) == 0) defer_one(run);
    assert_int_equal(journal_commit(run->rig.journal), COMMIT_DONE);
    for (uint64_t id = 1; id <= run->count; id++) {
        struct life *life = &run->lives[id - 1];
        if (life->kept == SIZE_MAX) life->kept = run->rig.step_count;
        if (life->ending != SIZE_MAX && life->ended == SIZE_MAX) life->ended = run->rig.step_count;
    }
    for (int i = 0; i < 3; i++) journal_tidy(run->rig.journal);
    if (chance(run, 8)) return;
    run->recycled += journal_facts(run->rig.journal).recycled;
    rig_close(&run->rig); /* a restart: the segment goes on */
    assert_true(rig_open(&run->rig, NULL));
}

static void assert_life(const struct run *run, const struct rig *after, uint64_t id, size_t until)
{
    const struct life *life = &run->lives[id - 1];
    const struct message *message = message_index_find(after->message_index, id);
    bool was_kept = life->kept <= until, may_have_ended = life->ending < until;
    if (was_kept && !may_have_ended && !message)
        fail_msg("message %llu was acknowledged at %zu and is lost at %zu", (unsigned long long)id,
                 life->kept, until);
    if (life->ended <= until && message)
        fail_msg("message %llu had ended at %zu and is back at %zu", (unsigned long long)id, life->ended,
                 until);
    if (life->offered > until && message) fail_msg("message %llu comes from nowhere", (unsigned long long)id);
    if (message && !rig_is_whole(after, id)) fail_msg("message %llu is not whole", (unsigned long long)id);
}

static void assert_after(const struct run *run, const struct rig *after, size_t until)
{
    for (uint64_t id = 1; id <= run->count; id++) assert_life(run, after, id, until);
    struct queue_counters counters = journal_counters(after->journal);
    assert_int_equal(counters.accepted, counters.ended[ENDING_DELIVERED] + counters.live);
    assert_int_equal(after->found.damaged, 0);
}

/* What is appended behind the end that recovery found is whole, and what stood there never shows up. */
static void goes_on(struct rig *after)
{
    enum { LATER_ID = MESSAGES_MOST + 1, COUNT = 3 };
    for (uint64_t id = LATER_ID; id < LATER_ID + COUNT; id++) {
        rig_keep(after, id, 1, 100);
        assert_int_equal(journal_commit(after->journal), COMMIT_DONE);
    }
    rig_close(after);
    assert_true(rig_open(after, NULL));
    assert_int_equal(after->found.torn, 0);
    for (uint64_t id = LATER_ID; id < LATER_ID + COUNT; id++) assert_true(rig_is_whole(after, id));
    rig_close(after);
    assert_true(rig_open(after, NULL));
}

static void test_power_goes_at_any_step(void **state)
{
    unsigned tried = 0;
    for (unsigned seed = 1; seed <= 3; seed++) {
        struct run *run = memory_alloc(sizeof *run);
        struct rig after;
        run->random = seed * 7919;
        rig_make(&run->rig, SEGMENT);
        rig_make(&after, SEGMENT);
        run->rig.is_tracing = true;
        assert_true(rig_open(&run->rig, NULL));
        for (int i = 0; i < 150; i++) turn(run);
        assert_true(run->recycled + journal_facts(run->rig.journal).recycled > 0);
        unsigned step = 1;
        for (size_t until = 1; until <= run->rig.step_count; until += step) {
            rig_power_loss(&run->rig, until, seed * 31 + (unsigned)until, &after);
            if (!rig_open(&after, NULL)) fail_msg("step %zu: %s", until, after.error);
            assert_after(run, &after, until);
            rig_close(&after);
            /* what recovery itself wrote stands a second look, too */
            assert_true(rig_open(&after, NULL));
            assert_after(run, &after, until);
            if (tried % 3 == 0) goes_on(&after);
            assert_after(run, &after, until);
            rig_close(&after);
            tried++;
            step = 1 + chance(run, 5);
        }
        rig_free(&after);
        rig_free(&run->rig);
        free(run);
    }
    assert_true(tried > 300);
}

/* Power goes again while recovery is at work. */
static void test_power_goes_in_recovery(void **state)
{
    struct run *run = memory_alloc(sizeof *run);
    struct rig first, second;
    run->random = 4711;
    rig_make(&run->rig, SEGMENT);
    rig_make(&second, SEGMENT);
    run->rig.is_tracing = true;
    assert_true(rig_open(&run->rig, NULL));
    for (int i = 0; i < 60; i++) turn(run);
    size_t until = run->rig.step_count;
    rig_make(&first, SEGMENT);
    rig_power_loss(&run->rig, until, 5, &first);
    first.is_tracing = true;
    assert_true(rig_open(&first, NULL));
    /* only what is new is in the second trace, so the first's files stand below it */
    for (size_t stop = 0; stop <= first.step_count; stop++) {
        rig_power_loss(&run->rig, until, 5, &second);
        rig_replay(&first, stop, &second);
        assert_true(rig_open(&second, NULL));
        assert_after(run, &second, until);
        rig_close(&second);
    }
    rig_free(&second);
    rig_free(&first);
    rig_free(&run->rig);
    free(run);
}

int main(void)
{
    log_open("test", LOG_TARGET_STDERR, NULL, LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_power_goes_at_any_step),
        cmocka_unit_test(test_power_goes_in_recovery),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
