/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A callback's context is what it is taken for, or the process ends before it is used. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/context.h"
#include "base/loop.h"

struct lamp {
    enum { LAMP_MAGIC = 0x1f2e3d4c } magic;
    struct loop *loop;
    int lit;
};

struct kettle {
    enum { KETTLE_MAGIC = 0x6b5a4938 } magic;
    struct loop *loop;
    double heat;
};

struct letter { /* of no kind */
    char text[16];
};

static void light(void *context)
{
    struct lamp *lamp = CONTEXT(context, struct lamp, LAMP_MAGIC);
    lamp->lit++;
    loop_stop(lamp->loop);
}

static void run_with(struct loop *loop, void *context)
{
    struct timer *timer = timer_new(loop, light, context);
    timer_set(timer, 0);
    loop_run(loop);
    timer_free(timer);
}

static void the_right_one_is_used(void **state)
{
    struct loop *loop = loop_new();
    struct lamp lamp = { .magic = LAMP_MAGIC, .loop = loop };
    run_with(loop, &lamp);
    assert_int_equal(lamp.lit, 1);
    const struct lamp *same = CONTEXT(&lamp, const struct lamp, LAMP_MAGIC);
    assert_ptr_equal(same, &lamp);
    loop_free(loop);
}

/* What a process says that gets this context back from a timer; it must abort. */
static void last_words(void *context, char *room, size_t size)
{
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        run_with(loop_new(), context);
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t got; (got = read(ends[0], room + length, size - 1 - length)) > 0;) length += (size_t)got;
    room[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void a_wrong_one_ends_the_process(void **state)
{
    struct kettle kettle = { .magic = KETTLE_MAGIC };
    struct lamp unmade = { .lit = 0 };
    struct lamp *behind = &(struct lamp){ .magic = LAMP_MAGIC };
    struct letter letter = { "a lamp? no" };
    const struct {
        const char *what;
        void *context;
    } rows[] = {
        { "of another kind", &kettle },  { "never made", &unmade }, { "of no kind", &letter },
        { "inside one", &behind->loop }, { "none", NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char words[512];
        last_words(rows[i].context, words, sizeof words);
        if (!strstr(words, "a callback got a context that is no struct lamp"))
            fail_msg("%s: the process said: %s", rows[i].what, words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_one_is_used),
        cmocka_unit_test(a_wrong_one_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
