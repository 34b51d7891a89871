/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* How long a client may take. A row is what it does over time and how it then stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"
#include "receive/pace.h"

enum { BEGIN_MS = 1000000 };

static const struct pace_limits limits = {
    .greeting_ms = 60000, .command_ms = 300000, .data_ms = 180000, .rate = 1000
};

/* Words of a story: "+N" N milliseconds pass, "NN" so many octets of content come, "EHLO", "MAIL", "done" a
   message is over, "tls" STARTTLS, "wait+N" so long the client waits for us. */
static void tell(struct pace *pace, struct text story, uint64_t *now)
{
    struct text word;
    while (text_next_word(&story, &word)) {
        char room[40];
        snprintf(room, sizeof room, "%.*s", TEXT_ARG(word));
        if (room[0] == '+') {
            *now += strtoull(room + 1, NULL, 10);
        } else if (text_starts(word, TEXT("wait+"))) {
            pace_count(pace, &limits, *now, 0);
            *now += strtoull(room + 5, NULL, 10);
            pace_skip(pace, *now);
        } else if (text_equal(word, TEXT("EHLO"))) {
            pace_reach(pace, PACE_BETWEEN, *now);
        } else if (text_equal(word, TEXT("MAIL"))) {
            pace_reach(pace, PACE_MESSAGE, *now);
        } else if (text_equal(word, TEXT("done"))) {
            pace_start(pace, PACE_BETWEEN, *now);
        } else if (text_equal(word, TEXT("tls"))) {
            pace_start(pace, PACE_GREETING, *now);
        } else {
            pace_count(pace, &limits, *now, strtoull(room, NULL, 10));
        }
    }
}

static void stories(void **state)
{
    static const struct {
        const char *story;
        uint64_t behind_ms, left_ms;
    } rows[] = {
        { "", 0, 60000 },
        { "+10000", 10000, 50000 },
        { "+60000", 60000, 0 },
        { "+99999999", 99999999, 0 },
        { "+59000 EHLO", 0, 300000 },
        { "+1000 EHLO +1000 EHLO +1000 EHLO +1000", 3000, 297000 }, /* no EHLO but the first is progress */
        { "EHLO +100000 tls +1000", 1000, 59000 },
        { "EHLO +100000 tls +1000 EHLO +5", 5, 299995 },
        { "EHLO +200000 MAIL +100", 100, 479900 },
        { "EHLO MAIL +100000 MAIL +100000 MAIL +100000", 300000, 180000 }, /* RSET and MAIL renew nothing */
        { "EHLO MAIL +100000 EHLO +100000", 200000, 280000 },
        { "EHLO MAIL +479999", 479999, 1 },
        { "EHLO MAIL +480000", 480000, 0 },
        { "EHLO MAIL +10000 5000", 5000, 475000 },
        { "EHLO MAIL +10000 10000", 0, 480000 },
        { "EHLO MAIL +10000 90000000 +10000", 10000, 470000 }, /* what came fast is not saved up */
        { "EHLO MAIL +4000 1 +4000 1 +4000 1", 11997, 468003 },
        { "EHLO MAIL +400000 1 +40000 1 +39999 1 +5", 480001, 0 },
        { "EHLO MAIL +1 1 +1 1 +1 1 +1 1", 0, 480000 }, /* single octets at the least rate keep up */
        { "EHLO MAIL +2 1 +2 1 +2 1 +2 1", 4, 479996 },
        { "EHLO MAIL +5000 done", 0, 300000 },
        { "EHLO MAIL +5000 done +299999", 299999, 1 },
        { "EHLO MAIL +5000 done MAIL +10", 10, 479990 },
        { "EHLO MAIL +5000 wait+9000000 +1000", 6000, 474000 },
        { "EHLO wait+9000000 +1000", 1000, 299000 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pace pace;
        uint64_t now = BEGIN_MS;
        pace_start(&pace, PACE_GREETING, now);
        tell(&pace, text_of(rows[i].story), &now);
        uint64_t behind = pace_behind_ms(&pace, &limits, now), left = pace_left_ms(&pace, &limits, now);
        if (behind != rows[i].behind_ms || left != rows[i].left_ms)
            fail_msg("\"%s\": %llu ms behind, %llu left", rows[i].story, (unsigned long long)behind,
                     (unsigned long long)left);
    }
}

/* Whatever octets a client sends and when, it has at most the stage's time and what its octets buy. */
static void bound(void **state)
{
    uint32_t chance = 1;
    for (int round = 0; round < 300; round++) {
        struct pace pace;
        uint64_t now = BEGIN_MS, octets = 0;
        pace_start(&pace, PACE_MESSAGE, now);
        while (pace_left_ms(&pace, &limits, now) > 0) {
            chance = chance * 1664525 + 1013904223;
            uint64_t passed = 1 + (chance >> 8) % 20000, came = (chance >> 16) % (uint32_t)(50 * round + 1);
            now += passed < pace_left_ms(&pace, &limits, now) ? passed : pace_left_ms(&pace, &limits, now);
            if (pace_left_ms(&pace, &limits, now) == 0) break;
            if (octets > 10000000) came = 0;
            pace_count(&pace, &limits, now, came);
            octets += came;
        }
        assert_true(now - BEGIN_MS <= limits.command_ms + limits.data_ms + octets * 1000 / limits.rate);
    }
}

/* The widest limits that the configuration takes, over the longest session. */
static void no_overflow(void **state)
{
    const struct pace_limits wide = { 3600000, 3600000, 3600000, 1024u * 1024 * 1024 };
    const uint64_t week_ms = 7 * 86400000ull;
    struct pace pace;
    pace_start(&pace, PACE_MESSAGE, 0);
    assert_int_equal(pace_behind_ms(&pace, &wide, week_ms), week_ms);
    assert_int_equal(pace_left_ms(&pace, &wide, week_ms), 0);
    pace_count(&pace, &wide, 1000, 2048ull * 1024 * 1024);
    assert_int_equal(pace_behind_ms(&pace, &wide, 1000), 0);
    pace_start(&pace, PACE_BETWEEN, 5000);
    assert_int_equal(pace_behind_ms(&pace, &wide, 4000), 0); /* a clock behind is no time */
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(stories), cmocka_unit_test(bound),
                                        cmocka_unit_test(no_overflow) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
