/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Asks the report process of the running node; it alone can draw. */
#include "cli/report_tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/arena.h"
#include "cli/control.h"
#include "cli/language_option.h"
#include "cli/options.h"
#include "cli/time_words.h"
#include "statistics/calendar.h"

enum { ASK_LIMIT_MS = 60000 };

static const char help[] =
    "usage: sekimori report [--to FILE|ADDRESS] [--date DAY [--week] | --month MONTH] [--language ja|en]\n"
    "       [--config FILE | --state FOLDER]\n"
    "       sekimori report --test-alarm [--config FILE | --state FOLDER]\n\n"
    "Makes the report of a day as the node sends it each night, or of a week or a month, as text on\n"
    "standard output, into a file, or as a mail.\n\n"
    "  --to FILE        its end says the form: .html, .txt or .eml\n"
    "  --to ADDRESS     sent through the node's own queue; prints the message's id\n"
    "  --date DAY       as 2026-10-05, today or yesterday (the default)\n"
    "  --week           the week, Monday to Sunday, that DAY is in; without --date the last whole one\n"
    "  --month MONTH    as 2026-10\n"
    "  --language LANG  ja or en (default: as `report language` says)\n"
    "  --test-alarm     makes an alarm although nothing is wrong, by mail and hook, and says what came of "
    "it\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0, 64 usage or a time to come, 69 no node answers, 73 the file cannot be written, 75 the\n"
    "queue does not take it now or the alarm did not get through, 77 not allowed, 78 no alarm is\n"
    "configured.\n";

struct options {
    struct control_target target;
    const char *to, *language;
    uint32_t day, month; /* 0: not said */
    bool is_week, is_test;
};

static bool language_take(void *options, const char *word)
{
    enum language language;
    ((struct options *)options)->language = word;
    return language_option_read(word, &language);
}

static bool month_take(void *options, const char *word)
{
    return calendar_parse_month(text_of(word), &((struct options *)options)->month);
}

static const struct verb_option table[] = {
    { "to", OPTION_WORD, offsetof(struct options, to), NULL, NULL },
    { "date", OPTION_DAY, offsetof(struct options, day), NULL, "--date" WHEN_DAY_WANTED },
    { "week", OPTION_SWITCH, offsetof(struct options, is_week), NULL, NULL },
    { "month", OPTION_VALUE, 0, month_take, "--month" WHEN_MONTH_WANTED },
    { "language", OPTION_VALUE, 0, language_take, LANGUAGE_OPTION_WANTED, .choice = language_option_choice },
    { "test-alarm", OPTION_SWITCH, offsetof(struct options, is_test), NULL, NULL },
    OPTIONS_TARGET(struct options),
    { 0 }
};
const struct verb_usage report_usage = { "report", help, table };

/* "html", "txt" or "eml" by the end of a file's name; NULL: it is none. */
static const char *form_of(const char *to)
{
    static const char *const forms[] = { "html", "txt", "eml" };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char end[8];
        snprintf(end, sizeof end, ".%s", forms[i]);
        if (text_ends(text_of(to), text_of(end))) return forms[i];
    }
    return NULL;
}

static int file_write(const char *path, struct text bytes)
{
    FILE *file = fopen(path, "we");
    bool is_good = file && fwrite(bytes.at, 1, bytes.length, file) == bytes.length;
    if (file && fclose(file) != 0) is_good = false;
    if (is_good) return EX_OK;
    fprintf(stderr, "sekimori report: %s: %m\n", path);
    return EX_CANTCREAT;
}

/* In the words that the report process reads: period_parse of report/daily/period.h. */
static void period_add(const struct options *options, struct buffer *out)
{
    uint32_t today = calendar_of(time(NULL)), day = options->day;
    if (options->month) {
        buffer_printf(out, "%04u-%02u", calendar_year(options->month), calendar_month(options->month));
        return;
    }
    if (!day) day = calendar_add(today, options->is_week ? -7 : -1);
    buffer_printf(out, "%s%04u-%02u-%02u", options->is_week ? "week:" : "", calendar_year(day),
                  calendar_month(day), calendar_date(day));
}

static void command_print(const struct options *options, const char *form, struct buffer *out)
{
    buffer_add_text(out, TEXT("report "));
    if (options->is_test) {
        buffer_add_text(out, TEXT("test-alarm"));
        return;
    }
    period_add(options, out);
    buffer_printf(out, " %s %s %s", options->language, form ? "as" : "to", form ? form : options->to);
}

/* OPTIONS_GO_ON, or the exit code of what does not go together. */
static int options_check(const struct options *options, int argc, char **argv)
{
    if (options->is_test && (options->to || optind < argc))
        return options_complain(&report_usage, "--test-alarm stands alone", "");
    if (optind < argc) return options_complain(&report_usage, "unexpected argument: ", argv[optind]);
    if (options->month && (options->day || options->is_week))
        return options_complain(&report_usage, "--month goes with neither --date nor --week", "");
    if (options->to && !form_of(options->to) && !strchr(options->to, '@'))
        return options_complain(&report_usage,
                                "neither an address nor a .html, .txt or .eml file: ", options->to);
    return OPTIONS_GO_ON;
}

static int answer_take(const struct options *options, const char *form, int code, struct text answer)
{
    if (code == EX_OK && form && options->to) return file_write(options->to, answer);
    if (code == EX_OK)
        printf("%.*s%s", TEXT_ARG(answer), text_ends(answer, TEXT("\n")) ? "" : "\n");
    else if (answer.length)
        fprintf(stderr, "sekimori report: %.*s\n", TEXT_ARG(answer));
    return code;
}

int report_main(int argc, char **argv)
{
    struct options options = { .language = "-" };
    int code = options_read(&report_usage, argc, argv, &options);
    if (code == OPTIONS_GO_ON) code = options_check(&options, argc, argv);
    if (code != OPTIONS_GO_ON) return code;
    const char *form = options.is_test ? NULL : options.to ? form_of(options.to) : "txt";
    struct buffer command = { 0 }, out = { 0 };
    command_print(&options, form, &command);
    code = control_ask(&options.target, buffer_text(&command), ASK_LIMIT_MS, NULL, NULL, &out);
    code = answer_take(&options, form, code, buffer_text(&out));
    buffer_free(&command);
    buffer_free(&out);
    return code;
}
