/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Reads the ledger database itself, so it works while the node is down. */
#include "cli/stats.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "cli/ledger_files.h"
#include "config/settings.h"
#include "figures/calendar.h"
#include "figures/country.h"
#include "figures/incident.h"
#include "figures/statistics.h"

enum { TOP_DEFAULT = 10, TOP_MOST = 100000, MONTHS_BACK = 5 };

static const char help[] =
    "usage: sekimori stats [--month MONTH | --day DAY | --from DAY --until DAY]\n"
    "       [--by WHAT | --incidents] [--would] [OPTIONS]\n\n"
    "Tables of what went through, from the ledger. Without --by: viruses and spam, viruses by\n"
    "name, mail sent and received, each by month, and working days against days off. The time is\n"
    "this month and the five before when none is given.\n\n"
    "  --month MONTH    one month, as 2026-10\n"
    "  --day DAY        one day, as 2026-10-05\n"
    "  --from DAY, --until DAY  from the first to the last day, both counted\n"
    "  --by WHAT        virus, domain, rule, engine, missed, hour, node, day or month\n"
    "  --would          what checks that only observe would have done\n"
    "  --incidents      storms: one virus again and again from one host\n"
    "  --countries FILE a GeoIP file: the country of each storm's source\n"
    "  --direction DIR  in or out (default: both)\n"
    "  --domain NAME    of one of our domains only\n"
    "  --top N          names in a table, the rest as Etc. (default 10; 0: all)\n"
    "  --format FORM    table, csv or json (default table)\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0, 64 usage, 65 the ledger is damaged, 66 there is none, 69 it cannot be read now,\n76 "
    "made by a newer version, 78 configuration.\n";

struct options {
    struct control_target target;
    struct statistics_wish wish;
    const char *countries;
    bool incidents;
    enum { FORM_TABLE, FORM_CSV, FORM_JSON } form;
};

static int usage(const char *what, const char *argument)
{
    fprintf(stderr, "sekimori stats: %s%s\n%s", what, argument, help);
    return EX_USAGE;
}

static bool form_set(struct options *options, const char *word)
{
    static const char *const words[] = { "table", "csv", "json" };
    for (int i = 0; i < 3; i++)
        if (strcmp(word, words[i]) == 0) {
            options->form = i;
            return true;
        }
    return false;
}

static bool direction_set(struct options *options, const char *word)
{
    bool is_in = strcmp(word, "in") == 0;
    options->wish.direction = is_in ? DIRECTION_IN : DIRECTION_OUT;
    return is_in || strcmp(word, "out") == 0;
}

static bool month_set(struct options *options, const char *word)
{
    if (!calendar_parse_month(text_of(word), &options->wish.from_day)) return false;
    options->wish.until_day = calendar_add(calendar_add_months(options->wish.from_day, 1), -1);
    return true;
}

static bool day_set(struct options *options, const char *word)
{
    bool is_good = calendar_parse_day(text_of(word), &options->wish.from_day);
    options->wish.until_day = options->wish.from_day;
    return is_good;
}

static bool top_set(struct options *options, const char *word)
{
    uint64_t top;
    bool is_good = text_to_number(text_of(word), TOP_MOST, &top);
    if (is_good) options->wish.top = (unsigned)top;
    return is_good;
}

/* False: the word makes no sense for the option. */
static bool option_set(struct options *options, int option, const char *word)
{
    switch (option) {
    case 'm':
        return month_set(options, word);
    case 'd':
        return day_set(options, word);
    case 'f':
        return calendar_parse_day(text_of(word), &options->wish.from_day);
    case 'u':
        return calendar_parse_day(text_of(word), &options->wish.until_day);
    case 'b':
        return statistics_by_from_word(text_of(word), &options->wish.by);
    case 'D':
        return direction_set(options, word);
    case 't':
        return top_set(options, word);
    case 'F':
        return form_set(options, word);
    case 'w':
        options->wish.would = true;
        return true;
    case 'i':
        options->incidents = true;
        return true;
    case 'C':
        options->countries = word;
        return true;
    case 'o':
        options->wish.domain = text_of(word);
        return true;
    case 'c':
        options->target.config = word;
        return true;
    default:
        options->target.state = word;
        return true;
    }
}

/* -1: go on; else the exit code. */
static int options_read(int argc, char **argv, struct options *options)
{
    static const struct option longs[] = { { "month", required_argument, NULL, 'm' },
                                           { "day", required_argument, NULL, 'd' },
                                           { "from", required_argument, NULL, 'f' },
                                           { "until", required_argument, NULL, 'u' },
                                           { "by", required_argument, NULL, 'b' },
                                           { "would", no_argument, NULL, 'w' },
                                           { "incidents", no_argument, NULL, 'i' },
                                           { "countries", required_argument, NULL, 'C' },
                                           { "direction", required_argument, NULL, 'D' },
                                           { "domain", required_argument, NULL, 'o' },
                                           { "top", required_argument, NULL, 't' },
                                           { "format", required_argument, NULL, 'F' },
                                           { "config", required_argument, NULL, 'c' },
                                           { "state", required_argument, NULL, 's' },
                                           { "help", no_argument, NULL, 'h' },
                                           { 0 } };
    *options = (struct options){ .wish = { .direction = -1, .top = TOP_DEFAULT } };
    uint32_t today = calendar_of(time(NULL));
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "c:h", longs, NULL)) != -1;) {
        if (option == 'h') {
            fputs(help, stdout);
            return EX_OK;
        }
        if (option == '?') return usage("", "");
        if (!option_set(options, option, optarg)) return usage("this makes no sense here: ", optarg);
    }
    if (!options->wish.until_day) options->wish.until_day = today;
    if (!options->wish.from_day)
        options->wish.from_day = calendar_add_months(options->wish.until_day, -MONTHS_BACK);
    if (options->wish.from_day > options->wish.until_day) return usage("--from is after --until", "");
    return optind == argc ? -1 : usage("unexpected argument: ", argv[optind]);
}

static void sheets_print(const struct options *options, struct sheet *const *sheets, size_t count)
{
    struct buffer out = { 0 };
    if (options->form == FORM_JSON) buffer_add_text(&out, TEXT("["));
    for (size_t i = 0; i < count; i++) {
        if (i && options->form == FORM_JSON) buffer_add_char(&out, ',');
        if (i && options->form != FORM_JSON) buffer_add_text(&out, TEXT("\n"));
        if (options->form == FORM_TABLE) sheet_print_text(sheets[i], NULL, &out);
        if (options->form == FORM_CSV) sheet_print_csv(sheets[i], &out);
        if (options->form == FORM_JSON) sheet_print_json(sheets[i], &out);
    }
    if (options->form == FORM_JSON) buffer_add_text(&out, TEXT("]\n"));
    fwrite(buffer_text(&out).at, 1, buffer_length(&out), stdout);
    buffer_free(&out);
}

static enum books_outcome incidents_make(const struct options *options, struct reader_books *books,
                                         struct arena *arena, struct sheet **out)
{
    const char *why = NULL;
    struct country_file *countries = options->countries ? country_open(options->countries, &why) : NULL;
    if (why) fprintf(stderr, "sekimori stats: %s: %s\n", options->countries, why);
    uint64_t from = (uint64_t)calendar_start(options->wish.from_day) * 1000;
    uint64_t until = (uint64_t)calendar_start(calendar_add(options->wish.until_day, 1)) * 1000;
    enum books_outcome outcome = incident_table(books, from, until, countries, arena, out);
    country_close(countries);
    return outcome;
}

int stats_main(int argc, char **argv)
{
    struct options options;
    struct reader_books *books;
    struct sheet *sheets[STATISTICS_SHEETS];
    size_t count = 1;
    int code = options_read(argc, argv, &options);
    if (code >= 0) return code;
    books = ledger_open(&options.target, "stats", &code);
    if (!books) return code;
    struct arena *arena = arena_new(64 * 1024);
    enum books_outcome outcome = options.incidents
                                     ? incidents_make(&options, books, arena, &sheets[0])
                                     : statistics_make(books, &options.wish, arena, sheets, &count);
    if (outcome == BOOKS_DONE) sheets_print(&options, sheets, count);
    code = ledger_outcome(outcome, "stats");
    books_close(books);
    arena_free(arena);
    return code;
}
