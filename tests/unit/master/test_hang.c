/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Who is killed: each row is what the kernel shows in each second of a silence, and when a verdict falls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "master/hang.h"

enum { PERIOD_MS = 1000, ROUNDS = 12 };

/* In `states`, a letter a round: as in proc(5); '.' has answered; 'C' computes. */
static const struct row {
    const char *name, *states;
    bool is_starting;
    uint32_t limit_ms;
    unsigned killed_in, alarmed_in; /* the first such round, from 1; 0: never */
} rows[] = {
    { "answers", "............", false, 3000, 0, 0 },
    { "stopped", "TTTT", false, 3000, 3, 0 },
    { "sleeps", ".SSSS", false, 3000, 4, 0 },
    { "computes for ever", "CCCC", false, 3000, 3, 0 },
    { "answers in time", "TT.TT.TT.TT", false, 3000, 0, 0 },
    { "waits for a disk", "DDDDDDDDDDDD", false, 3000, 0, 3 },
    { "waits for a disk, then answers, then again", "DDDD.DDD", false, 3000, 0, 3 },
    { "a slow disk between steps", "DDSDDSDD", false, 3000, 0, 3 },
    { "stopped after a disk", "DDDTTT", false, 3000, 6, 3 },
    { "stopped, seen in a disk wait when the time is up", "TTDT", false, 3000, 4, 3 },
    { "starts and computes", "CCCCCCCCCCCC", true, 3000, 0, 0 },
    { "starts and hangs", "CCSSS", true, 3000, 5, 0 },
    { "starts and is stopped", "TTT", true, 3000, 3, 0 },
    { "no limit", "TTTTTTTTTTTT", false, 0, 0, 0 },
    { "not known", "????", false, 3000, 3, 0 },
};

static void verdicts(void **state)
{
    for (const struct row *row = rows; row < rows + sizeof rows / sizeof *rows; row++) {
        struct hang hang = { 0 };
        struct hang_sight sight = { 0 };
        unsigned killed_in = 0, alarmed_in = 0, round = 1;
        for (const char *at = row->states; *at; at++, round++) {
            sight.state = *at == 'C' ? 'R' : *at;
            sight.cpu_ticks += *at == 'C';
            enum hang_verdict verdict =
                hang_round(&hang, *at == '.', row->is_starting, &sight, PERIOD_MS, row->limit_ms);
            if (verdict == HANG_KILL && !killed_in) killed_in = round;
            if (verdict == HANG_DISK && !alarmed_in) alarmed_in = round;
        }
        if (killed_in != row->killed_in || alarmed_in != row->alarmed_in)
            fail_msg("%s: killed in %u, not %u; alarm in %u, not %u", row->name, killed_in, row->killed_in,
                     alarmed_in, row->alarmed_in);
    }
}

/* Seconds of a silence until master can do no more, at a limit of three. */
static void past_mending(void **state)
{
    static const struct {
        const char *states;
        uint32_t limit_ms;
        unsigned in;
    } silences[] = {
        { "TTTTTTTTTTTTTTTT", 3000, 13 }, { "TTTTTTTTTTTT", 3000, 0 },  { "TTTTTTTTTT.TTTTT", 3000, 0 },
        { "DDDDDDDDDDDDDDDD", 3000, 0 },  { "TTTTTTTTTTTTTTTT", 0, 0 },
    };
    for (size_t i = 0; i < sizeof silences / sizeof *silences; i++) {
        struct hang hang = { 0 };
        unsigned in = 0, round = 1;
        for (const char *at = silences[i].states; *at; at++, round++) {
            struct hang_sight sight = { .state = *at };
            hang_round(&hang, *at == '.', false, &sight, PERIOD_MS, silences[i].limit_ms);
            if (!in && hang_is_past_mending(&hang, silences[i].limit_ms)) in = round;
        }
        if (in != silences[i].in) fail_msg("%s: in %u, not %u", silences[i].states, in, silences[i].in);
    }
}

static void lines(void **state)
{
    static const struct {
        const char *line;
        bool is_good;
        char state;
        pid_t parent;
        uint64_t cpu, ended, resident;
    } stats[] = {
        { "7 (scan) S 1 7 7 0 -1 4194560 1 0 0 0 5 6 30 40 20 0 1 0 9 8192 17 1844", true, 'S', 1, 11, 70,
          17 },
        { "7 (scan) S 1 7 7 0 -1 4194560 1 0 0 0 5 6 30 x 20 0 1 0 9 8192 17", false, 0, 0, 0, 0, 0 },
        { "7 (queue) D 1 7 7 0 -1 4194560 1 0 0 0 5 6 0 0 20 0 1 0 9", true, 'D', 1, 11, 0, 0 },
        { "7 (a) R 9 (b) S 42 7 7 0 -1 0 1 0 0 0 100 1 0 0", true, 'S', 42, 101 },
        { "7 () T 3 7 7 34816 7 0 1 0 0 0 0 0", true, 'T', 3, 0 },
        { "7 (queue) D 1 7 7 0 -1 4194560 1 0 0 0 5", false, 0, 0, 0 },
        { "7 (queue) DD 1 7 7 0 -1 4194560 1 0 0 0 5 6", false, 0, 0, 0 },
        { "7 (queue) D x 7 7 0 -1 4194560 1 0 0 0 5 6", false, 0, 0, 0 },
        { "7 (queue)", false, 0, 0, 0 },
        { "7 queue D 1", false, 0, 0, 0 },
        { ")", false, 0, 0, 0 },
        { "", false, 0, 0, 0 },
    };
    for (size_t i = 0; i < sizeof stats / sizeof *stats; i++) {
        struct hang_sight sight;
        if (hang_sight_parse(text_of(stats[i].line), &sight) != stats[i].is_good)
            fail_msg("%s", stats[i].line);
        if (!stats[i].is_good) continue;
        assert_int_equal(sight.state, stats[i].state);
        assert_int_equal(sight.parent, stats[i].parent);
        assert_int_equal(sight.cpu_ticks, stats[i].cpu);
        assert_int_equal(sight.ended_ticks, stats[i].ended);
        assert_int_equal(sight.resident_pages, stats[i].resident);
    }
}

/* The kernel's own words, of a process that is stopped. */
static void real_process(void **state)
{
    struct hang_sight sight;
    struct buffer place = { 0 };
    pid_t pid = fork();
    if (pid == 0)
        for (;;) pause();
    kill(pid, SIGSTOP);
    waitpid(pid, NULL, WUNTRACED);
    assert_true(hang_look(pid, &sight));
    assert_int_equal(sight.state, 'T');
    assert_int_equal(sight.parent, getpid());
    assert_true(hang_descends(pid, getpid()));
    assert_true(hang_descends(pid, getppid()));
    assert_false(hang_descends(getppid(), getpid()));
    assert_false(hang_descends(getpid(), getpid()));
    hang_describe(pid, &place);
    assert_true(text_starts(buffer_text(&place), TEXT("stopped")));
    buffer_free(&place);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_false(hang_look(pid, &sight));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(verdicts), cmocka_unit_test(past_mending),
                                        cmocka_unit_test(lines), cmocka_unit_test(real_process) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
