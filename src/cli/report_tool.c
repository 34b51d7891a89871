/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Asks the report process of the running node; it alone can draw. */
#include "cli/report_tool.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "base/arena.h"
#include "cli/control.h"
#include "figures/calendar.h"

enum { ASK_LIMIT_MS = 60000 };

static const char help[] =
    "usage: sekimori report --to FILE|ADDRESS [--date DAY] [--language ja|en]\n"
    "       [--config FILE | --state FOLDER]\n"
    "       sekimori report --test-alarm [--config FILE | --state FOLDER]\n\n"
    "Makes the report of a day as the node sends it each night, into a file or as a mail.\n\n"
    "  --to FILE        its end says the form: .html, .txt or .eml\n"
    "  --to ADDRESS     sent through the node's own queue; prints the message's id\n"
    "  --date DAY       as 2026-10-05 (default: yesterday)\n"
    "  --language LANG  ja or en (default: as `report language` says)\n"
    "  --test-alarm     makes an alarm although nothing is wrong, by mail and hook, and says what came of "
    "it\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0, 64 usage, 69 no node answers, 73 the file cannot be written, 75 the alarm did not get\n"
    "through, 78 no alarm is configured.\n";

struct options {
    struct control_target target;
    const char *to, *language;
    uint32_t day;
    bool is_test;
};

static int usage(const char *what, const char *argument)
{
    fprintf(stderr, "sekimori report: %s%s\n%s", what, argument, help);
    return EX_USAGE;
}

/* -1: go on; else the exit code. */
static int options_read(int argc, char **argv, struct options *options)
{
    static const struct option longs[] = {
        { "to", required_argument, NULL, 't' },       { "date", required_argument, NULL, 'd' },
        { "language", required_argument, NULL, 'l' }, { "test-alarm", no_argument, NULL, 'a' },
        { "config", required_argument, NULL, 'c' },   { "state", required_argument, NULL, 's' },
        { "help", no_argument, NULL, 'h' },           { 0 }
    };
    *options = (struct options){ .language = "-", .day = calendar_add(calendar_of(time(NULL)), -1) };
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "c:h", longs, NULL)) != -1;) {
        if (option == 'h') {
            fputs(help, stdout);
            return EX_OK;
        }
        if (option == '?') return usage("", "");
        if (option == 't') options->to = optarg;
        if (option == 'd' && !calendar_parse_day(text_of(optarg), &options->day))
            return usage("--date wants a day, as 2026-10-05, not ", optarg);
        if (option == 'a') options->is_test = true;
        if (option == 'l') options->language = optarg;
        if (option == 'c') options->target.config = optarg;
        if (option == 's') options->target.state = optarg;
    }
    if (strcmp(options->language, "ja") && strcmp(options->language, "en") && strcmp(options->language, "-"))
        return usage("--language is ja or en, not ", options->language);
    if (options->is_test && (options->to || optind < argc)) return usage("--test-alarm stands alone", "");
    if (!options->to && !options->is_test) return usage("--to is missing", "");
    return optind == argc ? -1 : usage("unexpected argument: ", argv[optind]);
}

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
    struct options options;
    int code = options_read(argc, argv, &options);
    if (code >= 0) return code;
    const char *form = options.is_test ? NULL : form_of(options.to);
    if (!options.is_test && !form && !strchr(options.to, '@'))
        return usage("neither an address nor a .html, .txt or .eml file: ", options.to);
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
