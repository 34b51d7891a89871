/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What monitors read of engines outside: counts go on over a restart and a reload, and a new engine begins at
   zero in whatever place is free. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "consult/engine_measures.h"

static void nothing(struct look *look, const struct engine_answer *answer)
{
    (void)look, (void)answer;
}

/* Its body was lost on the way: it is counted as spared without an engine. */
static void spare(struct engine_client *client, unsigned times)
{
    while (times-- > 0) {
        struct body body = { .is_lost = true };
        engine_client_ask(client, look_new(&body, 1, NULL, nothing));
    }
}

static struct engine_client *client_of(struct loop *loop, const char *name)
{
    struct outside_engine engine = { .name = text_of(name), .failures = 1, .time_ms = 1000 };
    return engine_client_new(loop, &engine, &clamd_link_calls, NULL);
}

static const struct measured_engine *row_of(const struct consult_measures *page, const char *name)
{
    for (int i = 0; i < MEASURES_ENGINES; i++)
        if (strcmp(page->engines[i].name, name) == 0) return &page->engines[i];
    fail_msg("%s has no row", name);
    return NULL;
}

static void stop(void *context)
{
    loop_stop(context);
}

/* Retired clients go in a turn of the loop. */
static void loop_end(struct loop *loop)
{
    struct timer *timer = timer_new(loop, stop, loop);
    timer_set(timer, 1);
    loop_run(loop);
    timer_free(timer);
    loop_free(loop);
}

static void counts_go_on(void **state)
{
    static struct consult_measures page;
    struct loop *loop = loop_new();
    struct engine_client *first[2] = { client_of(loop, "a"), client_of(loop, "b") };
    (void)state;
    spare(first[0], 2);
    engine_measures_write(&page, first, 2);
    engine_measures_write(&page, first, 2);
    assert_int_equal(row_of(&page, "a")->spared, 2);
    spare(first[0], 1);
    spare(first[1], 5);
    engine_measures_write(&page, first, 2);
    assert_int_equal(row_of(&page, "a")->spared, 3);
    assert_true(row_of(&page, "a")->is_up && row_of(&page, "a")->is_configured);
    struct engine_client *second[2] = { client_of(loop, "c"), client_of(loop, "a") }; /* a new process */
    spare(second[1], 10);
    engine_measures_write(&page, second, 2);
    assert_int_equal(row_of(&page, "a")->spared, 13);
    assert_int_equal(row_of(&page, "c")->spared, 0);
    assert_int_equal(row_of(&page, "b")->spared, 5);
    assert_false(row_of(&page, "b")->is_configured);
    for (int i = 0; i < 2; i++) {
        engine_client_retire(first[i]);
        engine_client_retire(second[i]);
    }
    loop_end(loop);
}

static void places_are_given_anew(void **state)
{
    static struct consult_measures page;
    struct loop *loop = loop_new();
    (void)state;
    for (int round = 0; round < 3; round++) {
        struct engine_client *clients[MEASURES_ENGINES];
        for (int i = 0; i < MEASURES_ENGINES; i++) {
            char name[8];
            snprintf(name, sizeof name, "%d-%d", round, i);
            clients[i] = client_of(loop, name);
            spare(clients[i], 1);
        }
        engine_measures_write(&page, clients, MEASURES_ENGINES);
        for (int i = 0; i < MEASURES_ENGINES; i++) {
            assert_int_equal(page.engines[i].spared, 1);
            assert_int_equal(page.engines[i].name[0], '0' + round);
            engine_client_retire(clients[i]);
        }
    }
    loop_end(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(counts_go_on),
                                        cmocka_unit_test(places_are_given_anew) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
