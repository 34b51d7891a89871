/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Asks the report process of the running node; it alone can draw. */
#include "cli/report_tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "base/arena.h"
#include "cli/control.h"
#include "cli/options.h"
#include "cli/time_words.h"
#include "statistics/calendar.h"

enum { ASK_LIMIT_MS = 60000 };

static const char help[] =
    "usage: sekimori report --to FILE|ADDRESS [--date DAY] [--language ja|en]\n"
    "       [--config FILE | --state FOLDER]\n"
    "       sekimori report --test-alarm [--config FILE | --state FOLDER]\n\n"
    "Makes the report of a day as the node sends it each night, into a file or as a mail.\n\n"
    "  --to FILE        its end says the form: .html, .txt or .eml\n"
    "  --to ADDRESS     sent through the node's own queue; prints the message's id\n"
    "  --date DAY       as 2026-10-05, today or yesterday (the default)\n"
    "  --language LANG  ja or en (default: as `report language` says)\n"
    "  --test-alarm     makes an alarm although nothing is wrong, by mail and hook, and says what came of "
    "it\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0, 64 usage or a day to come, 69 no node answers, 73 the file cannot be written, 75 the\n"
    "queue does not take it now or the alarm did not get through, 77 not allowed, 78 no alarm is\n"
    "configured.\n";

struct options {
    struct control_target target;
    const char *to, *language;
    uint32_t day;
    bool is_test;
};

static bool language_take(void *options, const char *word)
{
    ((struct options *)options)->language = word;
    return strcmp(word, "ja") == 0 || strcmp(word, "en") == 0;
}

static const struct verb_option table[] = {
    { "to", OPTION_WORD, offsetof(struct options, to), NULL, NULL },
    { "date", OPTION_DAY, offsetof(struct options, day), NULL, "--date" WHEN_DAY_WANTED },
    { "language", OPTION_VALUE, 0, language_take, "--language is ja or en, not " },
    { "test-alarm", OPTION_SWITCH, offsetof(struct options, is_test), NULL, NULL },
    OPTIONS_TARGET(struct options),
    { 0 }
};
static const struct verb_usage usage = { "report", help, table };

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

static void command_print(const struct options *options, const char *form, struct buffer *out)
{
    if (options->is_test)
        buffer_printf(out, "report test-alarm");
    else
        buffer_printf(out, "report %04u-%02u-%02u %s %s %s", calendar_year(options->day),
                      calendar_month(options->day), calendar_date(options->day), options->language,
                      form ? "as" : "to", form ? form : options->to);
}

int report_main(int argc, char **argv)
{
    struct options options = { .language = "-", .day = calendar_add(calendar_of(time(NULL)), -1) };
    int code = options_read(&usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    if (options.is_test && (options.to || optind < argc))
        return options_complain(&usage, "--test-alarm stands alone", "");
    if (!options.to && !options.is_test) return options_complain(&usage, "--to is missing", "");
    if (optind < argc) return options_complain(&usage, "unexpected argument: ", argv[optind]);
    const char *form = options.is_test ? NULL : form_of(options.to);
    if (!options.is_test && !form && !strchr(options.to, '@'))
        return options_complain(&usage, "neither an address nor a .html, .txt or .eml file: ", options.to);
    struct buffer command = { 0 }, out = { 0 };
    command_print(&options, form, &command);
    code = control_ask(&options.target, buffer_text(&command), ASK_LIMIT_MS, NULL, NULL, &out);
    if (code == EX_OK && form)
        code = file_write(options.to, buffer_text(&out));
    else if (code == EX_OK)
        printf("%.*s\n", TEXT_ARG(buffer_text(&out)));
    else if (buffer_length(&out))
        fprintf(stderr, "sekimori report: %.*s\n", TEXT_ARG(buffer_text(&out)));
    buffer_free(&command);
    buffer_free(&out);
    return code;
}
