/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The option tables: each kind of row, long and short, and how each mistake is answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include <cmocka.h>

#include "cli/options.h"
#include "said.h"

struct options {
    struct control_target target;
    bool is_loud, is_short;
    const char *word;
    struct text text;
    uint64_t number, time_ms;
    uint32_t day;
    unsigned taken;
    char named[80];
};

static bool even_take(void *context, const char *word)
{
    ((struct options *)context)->taken++;
    return strlen(word) % 2 == 0;
}

static bool maybe_take(void *context, const char *word)
{
    struct options *options = context;
    snprintf(options->named, sizeof options->named, "maybe=%s", word ? word : "(none)");
    return !word || strcmp(word, "bad") != 0;
}

static const char *named_say(void *context, const char *name, const char *word)
{
    struct options *options = context;
    snprintf(options->named, sizeof options->named, "%s=%s", name, word);
    return strcmp(word, "bad") == 0 ? "cannot be meant" : NULL;
}

static const char help[] = "usage: sekimori trial [OPTIONS] WORD…\n       and more\n\nWhat it does.\n";
static const struct verb_option table[] = {
    { "loud", OPTION_SWITCH, offsetof(struct options, is_loud), NULL, NULL },
    { "short", OPTION_SWITCH, offsetof(struct options, is_short), NULL, NULL, .letter = 's' },
    { "word", OPTION_WORD, offsetof(struct options, word), NULL, NULL, .letter = 'w' },
    { "text", OPTION_TEXT, offsetof(struct options, text), NULL, NULL },
    { "number", OPTION_NUMBER, offsetof(struct options, number), NULL, "--number is from 3 to 50, not ",
      .least = 3, .most = 50 },
    { "time", OPTION_TIME, offsetof(struct options, time_ms), NULL, "--time wants a time, not " },
    { "day", OPTION_DAY, offsetof(struct options, day), NULL, "--day wants a day, not " },
    { "even", OPTION_VALUE, 0, even_take, "--even wants an even word, not " },
    { "maybe", OPTION_MAYBE, 0, maybe_take, "--maybe wants a good word, not " },
    { "first", OPTION_NAMED, .say = named_say },
    { "second", OPTION_NAMED, .say = named_say },
    OPTIONS_TARGET(struct options),
    { 0 }
};
static const struct verb_usage usage = { "trial", help, table };

struct run {
    const char *words;
    bool takes_all;
    struct options options;
    int first; /* the word at optind, counted from 0 without the verb */
};

static int run_options(void *context)
{
    static char room[1024]; /* borrowed by the options until they are compared */
    struct run *run = context;
    char *words[30], *rest = room;
    int count = 0;
    snprintf(room, sizeof room, "trial%s%s", *run->words ? " " : "", run->words);
    for (char *word; (word = strsep(&rest, " "));) words[count++] = strcmp(word, "''") == 0 ? word + 2 : word;
    words[count] = NULL;
    int code = run->takes_all ? options_read_all(&usage, count, words, &run->options)
                              : options_read(&usage, count, words, &run->options);
    run->first = optind;
    return code;
}

static void print(const struct options *options, char *room, size_t size)
{
    snprintf(room, size, "%s%s|%s|%.*s|%llu|%u|%s|%s|%s", options->is_loud ? "L" : "",
             options->is_short ? "S" : "", options->word ? options->word : "-", TEXT_ARG(options->text),
             (unsigned long long)options->number, options->taken, options->named,
             options->target.config ? options->target.config : "-",
             options->target.state ? options->target.state : "-");
}

static void every_kind(void **state)
{
    static const struct {
        const char *words, *wanted;
        int arguments; /* what is left over */
    } rows[] = {
        { "", "|-||0|0||-|-", 0 },
        { "--loud", "L|-||0|0||-|-", 0 },
        { "--loud --loud -s", "LS|-||0|0||-|-", 0 },
        { "--word a --word b", "|b||0|0||-|-", 0 },
        { "--word=a", "|a||0|0||-|-", 0 },
        { "--word= --text=", "|||0|0||-|-", 0 },
        { "-w a", "|a||0|0||-|-", 0 },
        { "-wa", "|a||0|0||-|-", 0 },
        { "-sw a", "S|a||0|0||-|-", 0 },
        { "--word --loud", "|--loud||0|0||-|-", 0 },
        { "--text x=y", "|-|x=y|0|0||-|-", 0 },
        { "--number 3", "|-||3|0||-|-", 0 },
        { "--number 050", "|-||50|0||-|-", 0 },
        { "--even ab --even ''", "|-||0|2||-|-", 0 },
        { "--maybe", "|-||0|0|maybe=(none)|-|-", 0 },
        { "--maybe=a", "|-||0|0|maybe=a|-|-", 0 },
        { "--maybe=", "|-||0|0|maybe=|-|-", 0 },
        { "--maybe a", "|-||0|0|maybe=(none)|-|-", 1 },
        { "--first x", "|-||0|0|first=x|-|-", 0 },
        { "--first x --second ''", "|-||0|0|second=|-|-", 0 },
        { "--config f --state g", "|-||0|0||f|g", 0 },
        { "-c f", "|-||0|0||f|-", 0 },
        { "--lo", "L|-||0|0||-|-", 0 },
        { "one two", "|-||0|0||-|-", 2 },
        { "one --loud two", "L|-||0|0||-|-", 2 },
        { "-- --loud", "|-||0|0||-|-", 1 },
        { "-", "|-||0|0||-|-", 1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct run run = { .words = rows[i].words };
        struct said said;
        char got[200];
        said_by(run_options, &run, &said);
        print(&run.options, got, sizeof got);
        if (said.code != OPTIONS_GO_ON || strcmp(got, rows[i].wanted) != 0 || *said.out || *said.err)
            fail_msg("%s\n  gives    %d %s %s%s\n  expected %s", rows[i].words, said.code, got, said.out,
                     said.err, rows[i].wanted);
        int count = 1;
        for (const char *at = rows[i].words; *at; at++) count += *at == ' ';
        count = *rows[i].words ? count + 1 : 1;
        if (count - run.first != rows[i].arguments)
            fail_msg("%s: %d left over", rows[i].words, count - run.first);
    }
}

static void every_mistake(void **state)
{
    static const struct {
        const char *words, *said;
        bool takes_all;
    } rows[] = {
        { "--nothing", "sekimori trial: unrecognized option '--nothing'\n" },
        { "-x", "sekimori trial: invalid option -- 'x'\n" },
        { "--word", "sekimori trial: option '--word' requires an argument\n" },
        { "-w", "sekimori trial: option requires an argument -- 'w'\n" },
        { "--loud=yes", "sekimori trial: option '--loud' doesn't allow an argument\n" },
        { "--s", "sekimori trial: option '--s' is ambiguous" },
        { "--maybe=bad", "sekimori trial: --maybe wants a good word, not bad\n" },
        { "--number 2", "sekimori trial: --number is from 3 to 50, not 2\n" },
        { "--number 51", "sekimori trial: --number is from 3 to 50, not 51\n" },
        { "--number -3", "sekimori trial: --number is from 3 to 50, not -3\n" },
        { "--number 3x", "sekimori trial: --number is from 3 to 50, not 3x\n" },
        { "--number ''", "sekimori trial: --number is from 3 to 50, not \n" },
        { "--number 18446744073709551619",
          "sekimori trial: --number is from 3 to 50, not 18446744073709551619\n" },
        { "--time tomorrow", "sekimori trial: --time wants a time, not tomorrow\n" },
        { "--time 2026-10-04T25:00", "sekimori trial: --time wants a time, not 2026-10-04T25:00\n" },
        { "--day 2026-02-29", "sekimori trial: --day wants a day, not 2026-02-29\n" },
        { "--day 2026-02", "sekimori trial: --day wants a day, not 2026-02\n" },
        { "--even odd", "sekimori trial: --even wants an even word, not odd\n" },
        { "--second bad", "sekimori trial: --second bad: cannot be meant\n" },
        { "--loud word", "sekimori trial: unexpected argument: word\n", true },
        { "-- --loud", "sekimori trial: unexpected argument: --loud\n", true },
    };
    static const char after[] = "usage: sekimori trial [OPTIONS] WORD…\n       and more\n"
                                "`sekimori trial --help` explains it.\n";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct run run = { .words = rows[i].words, .takes_all = rows[i].takes_all };
        struct said said;
        said_by(run_options, &run, &said);
        if (said.code != EX_USAGE || *said.out ||
            strncmp(said.err, rows[i].said, strlen(rows[i].said)) != 0 ||
            !text_ends(text_of(said.err), text_of(after)))
            fail_msg("%s\n  gives    %d %s\n  expected %s", rows[i].words, said.code, said.err, rows[i].said);
    }
}

static void help_is_asked_for(void **state)
{
    static const char *const rows[] = { "--help",      "-h",  "--loud --help",
                                        "word --help", "-sh", "--help --nothing" };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct run run = { .words = rows[i], .takes_all = true };
        struct said said;
        said_by(run_options, &run, &said);
        assert_int_equal(said.code, EX_OK);
        assert_string_equal(said.out, help);
        assert_string_equal(said.err, "");
    }
}

/* A value that is refused leaves the one before. */
static void refused_numbers_change_nothing(void **state)
{
    struct run run = { .words = "--number 7 --number 99" };
    struct said said;
    said_by(run_options, &run, &said);
    assert_int_equal(said.code, EX_USAGE);
    assert_int_equal(run.options.number, 7);
}

static void times_and_days(void **state)
{
    struct run run = { .words = "--time 2026-10-04T13:05 --day 2024-02-29" };
    struct said said;
    setenv("TZ", "Asia/Tokyo", 1);
    tzset();
    said_by(run_options, &run, &said);
    assert_int_equal(said.code, OPTIONS_GO_ON);
    assert_true(run.options.time_ms == UINT64_C(1791086700000));
    assert_int_equal(run.options.day, 20240229);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind),        cmocka_unit_test(every_mistake),
        cmocka_unit_test(help_is_asked_for), cmocka_unit_test(refused_numbers_change_nothing),
        cmocka_unit_test(times_and_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
