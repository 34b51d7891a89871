/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The arithmetic of balance: each row is three counts and how many differences they have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "cli/count_comparison.h"

#define LEDGER                                                                                \
    "{\"accepted\":9,\"own\":1,\"delivered\":6,\"returned\":1,\"discarded\":1,\"removed\":0," \
    "\"live\":2,\"unmatched\":0,\"lost\":0}"
#define NONE "{\"accepted\":0,\"own\":0,\"live\":0}"
#define QUEUE \
    "{\"accepted\":10,\"own\":1,\"live\":2,\"held\":1,\"delivered\":6,\"returned\":1,\"discarded\":1}"
#define COUNTERS(receive, queue, baseline) \
    "{\"epoch_ms\":5,\"receive\":" receive ",\"queue\":" queue ",\"baseline\":" baseline "}"
#define RECEIVE "{\"accepted\":8,\"unreplied\":1,\"in_doubt\":0}"

static const struct row {
    const char *name, *counters, *ledger;
    unsigned differences;
    const char *first; /* the first line that differs */
} rows[] = {
    { "all equal", COUNTERS(RECEIVE, QUEUE, NONE), LEDGER, 0, "" },
    { "receive counted one more", COUNTERS("{\"accepted\":9,\"unreplied\":1}", QUEUE, NONE), LEDGER, 1,
      "accepted" },
    { "the ledger misses one acceptance", COUNTERS(RECEIVE, QUEUE, NONE),
      "{\"accepted\":8,\"own\":1,\"delivered\":6,\"returned\":1,\"discarded\":1}", 1, "accepted" },
    { "the ledger misses an ending", COUNTERS(RECEIVE, QUEUE, NONE),
      "{\"accepted\":9,\"own\":1,\"delivered\":5,\"returned\":1,\"discarded\":1}", 1, "delivered" },
    { "an ending of another kind", COUNTERS(RECEIVE, QUEUE, NONE),
      "{\"accepted\":9,\"own\":1,\"delivered\":5,\"returned\":2,\"discarded\":1}", 2, "delivered" },
    { "an ending nobody accepted", COUNTERS(RECEIVE, QUEUE, NONE),
      "{\"accepted\":9,\"own\":1,\"delivered\":6,\"returned\":1,\"discarded\":1,\"unmatched\":1}", 1,
      "unmatched" },
    { "the journal lost one",
      COUNTERS(RECEIVE,
               "{\"accepted\":10,\"own\":1,\"live\":1,\"delivered\":6,\"returned\":1,\"discarded\":1}", NONE),
      LEDGER, 1, "" },
    { "in quarantine, and one given back",
      COUNTERS("{\"accepted\":3}", "{\"accepted\":4,\"own\":0,\"again\":1,\"live\":1,\"quarantined\":3}",
               NONE),
      "{\"accepted\":3,\"own\":0,\"again\":1,\"quarantined\":3,\"held kept\":2,\"held released\":1}", 0, "" },
    { "one is not in the quarantine's index",
      COUNTERS("{\"accepted\":3}", "{\"accepted\":3,\"own\":0,\"again\":0,\"live\":0,\"quarantined\":3}",
               NONE),
      "{\"accepted\":3,\"own\":0,\"quarantined\":3,\"missing\":1}", 1, "missing" },
    { "one left the quarantine twice",
      COUNTERS("{\"accepted\":3}", "{\"accepted\":5,\"own\":0,\"again\":2,\"live\":2,\"quarantined\":3}",
               NONE),
      "{\"accepted\":3,\"own\":0,\"again\":1,\"quarantined\":3}", 1, "again" },
    { "counted since a baseline",
      COUNTERS("{\"accepted\":2,\"unreplied\":0}", QUEUE,
               "{\"accepted\":8,\"own\":1,\"live\":3,\"delivered\":4,\"returned\":1,\"discarded\":0}"),
      "{\"accepted\":2,\"own\":0,\"delivered\":2,\"returned\":0,\"discarded\":1}", 0, "" },
};

static void test_rows(void **state)
{
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        struct count_comparison sums;
        const char *first = "";
        assert_true(comparison_make(text_of(rows[r].counters), text_of(rows[r].ledger), &sums));
        for (unsigned i = sums.line_count; i-- > 0;)
            if (sums.lines[i].differs) first = sums.lines[i].name;
        if (sums.differences != rows[r].differences || strcmp(first, rows[r].first) != 0)
            fail_msg("%s: %u differences, the first \"%s\"", rows[r].name, sums.differences, first);
    }
}

static void test_nonsense(void **state)
{
    static const char *const nonsense[] = { "", "{}", "[]", "{\"queue\":{}}", "not JSON" };
    struct count_comparison sums;
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        assert_false(comparison_make(text_of(nonsense[i]), TEXT(LEDGER), &sums));
        assert_false(comparison_make(TEXT(COUNTERS(RECEIVE, QUEUE, NONE)), text_of(nonsense[i]), &sums));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_nonsense) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
