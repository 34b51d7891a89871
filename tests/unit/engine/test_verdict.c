/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a command's end means: a row is an exit status, what it said, and what follows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "config/engines.h"
#include "engine/verdict.h"

static struct text clean[] = { TEXT("0"), TEXT("2") }, found[] = { TEXT("1"), TEXT("13") };

static const struct row {
    const char *pattern; /* NULL: none is said */
    uint32_t status;
    const char *output;
    enum scan_state state;
    const char *name;
} rows[] = {
    { NULL, 0, "", SCAN_CLEAN, "" },
    { "FOUND (.+)$", 2, "FOUND Test\n", SCAN_CLEAN, "" },
    { NULL, 1, "x FOUND Test\n", SCAN_FOUND, "found 1" },
    { "FOUND (.+)$", 1, "x FOUND Test\n", SCAN_FOUND, "Test" },
    { "FOUND (.+)$", 13, "one\r\nx FOUND Te st \r\nFOUND Other\n", SCAN_FOUND, "Te st" },
    { "^FOUND (.+)$", 13, "x FOUND Test\nFOUND", SCAN_FOUND, "found 13" },
    { "^([^ ]+) FOUND$", 1, "a FOUND", SCAN_FOUND, "a" },
    { "[A-Z][a-z]+-[0-9]+", 1, "it is Worm-12.", SCAN_FOUND, "Worm-12" },
    { "(a)|b", 1, "b\na\n", SCAN_FOUND, "a" }, /* the group is not there, so the next line */
    { "FOUND( *)$", 1, "FOUND   \n", SCAN_FOUND, "found 1" },
    { "FOUND (.+)$", 3, "FOUND Test\n", SCAN_UNSCANNED, "it ended with status 3: FOUND Test" },
    { NULL, 5, "\r\n  \n  cannot open the database \r\nmore\n", SCAN_UNSCANNED,
      "it ended with status 5: cannot open the database" },
    { "FOUND (.+)$", 127, "", SCAN_UNSCANNED, "it ended with status 127" },
    { "FOUND (.+)$", 255, "", SCAN_UNSCANNED, "it ended with status 255" },
    { "FOUND (.+)$", 1, "\n\n\nFOUND \xff\xfe\x1b[1m\n", SCAN_FOUND, "\xff\xfe\x1b[1m" },
};

static void test_rows(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct outside_engine engine = { .clean = { clean, 2 }, .found = { found, 2 } };
        struct buffer name = { 0 };
        regex_t pattern;
        char why[100];
        if (row->pattern) engine.pattern = text_of(row->pattern);
        if (row->pattern) assert_true(config_engine_pattern(&engine, &pattern, why, sizeof why));
        enum scan_state said =
            verdict_of(&engine, row->pattern ? &pattern : NULL, row->status, text_of(row->output), &name);
        if (said != row->state || !text_equal(buffer_text(&name), text_of(row->name)))
            fail_msg("row %zu: %d \"%.*s\"", i, (int)said, TEXT_ARG(buffer_text(&name)));
        if (row->pattern) regfree(&pattern);
        buffer_free(&name);
    }
}

/* A NUL does not end the output, and what is too far in a line, or in all, is not seen. */
static void test_bounds(void **state)
{
    struct outside_engine engine = { .found = { found, 1 }, .pattern = TEXT("FOUND (.+)$") };
    regex_t pattern;
    char why[100], *text = malloc(VERDICT_OUTPUT_MOST + 100);
    const struct {
        size_t at;
        char filler;
        const char *name;
    } places[] = { { 100, '\0', "Test" },
                   { VERDICT_LINE_MOST - 50, 'x', "Test" },
                   { VERDICT_LINE_MOST, 'x', "found 1" },
                   { VERDICT_OUTPUT_MOST - 50, '\n', "Test" },
                   { VERDICT_OUTPUT_MOST, '\n', "found 1" } };
    assert_true(config_engine_pattern(&engine, &pattern, why, sizeof why));
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct buffer name = { 0 };
        memset(text, places[i].filler, places[i].at);
        memcpy(text + places[i].at, "FOUND Test\n", 11);
        assert_int_equal(verdict_of(&engine, &pattern, 1, text_from(text, places[i].at + 11), &name),
                         SCAN_FOUND);
        if (!text_equal(buffer_text(&name), text_of(places[i].name)))
            fail_msg("place %zu: \"%.*s\"", i, TEXT_ARG(buffer_text(&name)));
        buffer_free(&name);
    }
    regfree(&pattern);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_bounds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
