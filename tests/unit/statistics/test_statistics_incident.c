/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Storms among sightings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "statistics/incident.h"

struct run {
    const char *client, *virus;
    uint64_t start_s, span_s;
    unsigned count;
};

/* Mixes the runs in order of time and finds storms. */
static struct incident *find(struct arena *arena, const struct run *runs, size_t count)
{
    struct incident_finder *finder = incident_finder_new(arena);
    unsigned told[8] = { 0 };
    for (;;) {
        uint64_t first = UINT64_MAX;
        size_t at = 0;
        for (size_t i = 0; i < count; i++) {
            if (told[i] == runs[i].count) continue;
            uint64_t span = runs[i].count > 1 ? runs[i].span_s * 1000 * told[i] / (runs[i].count - 1) : 0;
            uint64_t time = runs[i].start_s * 1000 + span;
            if (time >= first) continue;
            first = time;
            at = i;
        }
        if (first == UINT64_MAX) return incident_finder_end(finder);
        told[at]++;
        struct sighting sighting = { first, text_of(runs[at].client), text_of(runs[at].virus), true };
        incident_finder_add(finder, &sighting);
    }
}

static void the_storm_of_the_paper(void **state)
{
    struct arena *arena = arena_new(0);
    static const struct run runs[] = { { "203.0.113.25", "Worm/Alder.P", 100000, 1500, 3898 },
                                       { "203.0.113.26", "Worm/Alder.P", 100010, 86400, 60 },
                                       { "203.0.113.25", "Worm/Birch.D", 100300, 60, 3 } };
    const struct incident *found = find(arena, runs, 3);
    assert_non_null(found);
    assert_null(found->next);
    assert_int_equal(found->messages, 3898);
    assert_int_equal(found->refused, 3898);
    assert_int_equal(found->end_ms - found->start_ms, 1500000);
    char rate[32];
    snprintf(rate, sizeof rate, "%.2f", incident_rate(found));
    assert_string_equal(rate, "155.92");
    arena_free(arena);
}

static void what_is_a_storm(void **state)
{
    static const struct {
        unsigned count;
        uint64_t span_s;
        unsigned storms;
    } rows[] = { { 49, 60, 0 }, { 50, 60, 1 }, { 50, 0, 1 }, { 50, 601, 0 }, { 50, 600, 1 }, { 1, 0, 0 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_new(0);
        struct run run = { "2001:db8::1", "V", 5000, rows[i].span_s, rows[i].count };
        unsigned storms = 0;
        for (const struct incident *one = find(arena, &run, 1); one; one = one->next) storms++;
        assert_int_equal(storms, rows[i].storms);
        arena_free(arena);
    }
}

static void a_pause_parts_two_storms(void **state)
{
    struct arena *arena = arena_new(0);
    static const struct run runs[] = { { "c", "V", 9000, 60, 100 },
                                       { "c", "V", 9060 + 601, 60, 70 },
                                       { "c", "V", 30000, 0, 100 } };
    const struct incident *found = find(arena, runs, 3);
    assert_int_equal(found->messages, 100);
    assert_int_equal(found->next->messages, 70);
    assert_int_equal(found->next->next->messages, 100);
    assert_true(incident_rate(found->next->next) == 100); /* a moment counts as a minute */
    assert_null(found->next->next->next);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_storm_of_the_paper),
                                        cmocka_unit_test(what_is_a_storm),
                                        cmocka_unit_test(a_pause_parts_two_storms) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
