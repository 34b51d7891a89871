/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Reads the ledger database itself, so it works while the node is down; who may not asks the node. */
#include "cli/stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "cli/language_option.h"
#include "cli/ledger_files.h"
#include "cli/options.h"
#include "cli/time_words.h"
#include "config/settings.h"
#include "statistics/calendar.h"
#include "statistics/country.h"
#include "statistics/incident.h"
#include "statistics/statistics.h"
#include "statistics/words.h"

enum { TOP_DEFAULT = 10, TOP_MOST = 100000, MONTHS_BACK = 5, ANSWER_MS = 120000 };

static const char help[] =
    "usage: sekimori stats [--month MONTH | --day DAY | --from DAY --until DAY]\n"
    "       [--by WHAT | --incidents] [--would] [OPTIONS]\n\n"
    "Tables of what went through, from the ledger. Without --by: viruses and spam, viruses by\n"
    "name, mail sent and received, each by month, and working days against days off. The time is\n"
    "this month and the five before when none is given.\n\n"
    "  --month MONTH    one month, as 2026-10\n"
    "  --day DAY        one day, as 2026-10-05, today or yesterday\n"
    "  --from DAY, --until DAY  from the first to the last day, both counted\n"
    "  --by WHAT        virus, not-opened, domain, rule, engine, missed, auth, list, impostor,\n"
    "                   behaviour, hour, node, day or month; from the rows, as far back as they\n"
    "                   are kept: sender, recipient, refusal or held\n"
    "  --would          what checks that only observe would have done\n"
    "  --incidents      storms: one virus again and again from one host\n"
    "  --countries FILE a GeoIP file: the country of each storm's source\n"
    "  --direction DIR  in or out (default: both)\n"
    "  --domain NAME    of one of our domains only\n"
    "  --top N          names in a table, the rest as Etc. (default 10; 0: all)\n"
    "  --format FORM    table, csv or json (default table)\n"
    "  --language LANG  ja or en, of tables (default: as the locale, LC_ALL, LC_MESSAGES or LANG, "
    "says)\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0, 64 usage, 65 the ledger is damaged, 66 there is none, 69 it cannot be read now,\n76 "
    "made by a newer version, 78 configuration.\n";

struct options {
    struct control_target target;
    struct statistics_wish wish;
    const char *countries;
    bool incidents;
    enum language language;
    enum { FORM_TABLE, FORM_CSV, FORM_JSON } form;
};

static const char *form_choice(size_t position)
{
    static const char *const words[] = { "table", "csv", "json", NULL };
    return words[position];
}

static bool form_take(void *context, const char *word)
{
    struct options *options = context;
    for (int i = 0; form_choice((size_t)i); i++)
        if (strcmp(word, form_choice((size_t)i)) == 0) {
            options->form = i;
            return true;
        }
    return false;
}

static const char *direction_choice(size_t position)
{
    static const char *const words[] = { "in", "out", NULL };
    return words[position];
}

static bool direction_take(void *context, const char *word)
{
    struct options *options = context;
    bool is_in = strcmp(word, "in") == 0;
    options->wish.direction = is_in ? DIRECTION_IN : DIRECTION_OUT;
    return is_in || strcmp(word, "out") == 0;
}

static bool month_take(void *context, const char *word)
{
    struct options *options = context;
    if (!calendar_parse_month(text_of(word), &options->wish.from_day)) return false;
    options->wish.until_day = calendar_add(calendar_add_months(options->wish.from_day, 1), -1);
    return true;
}

static bool day_take(void *context, const char *word)
{
    struct statistics_wish *wish = &((struct options *)context)->wish;
    bool is_good = when_parse_day(text_of(word), when_now_ms(), &wish->from_day);
    if (is_good) wish->until_day = wish->from_day;
    return is_good;
}

static bool by_take(void *context, const char *word)
{
    return statistics_by_from_word(text_of(word), &((struct options *)context)->wish.by);
}

static bool top_take(void *context, const char *word)
{
    uint64_t top;
    bool is_good = text_to_number(text_of(word), TOP_MOST, &top);
    if (is_good) ((struct options *)context)->wish.top = (unsigned)top;
    return is_good;
}

static bool language_take(void *context, const char *word)
{
    return language_option_read(word, &((struct options *)context)->language);
}

static const struct verb_option table[] = {
    { "month", OPTION_VALUE, 0, month_take, "--month" WHEN_MONTH_WANTED },
    { "day", OPTION_VALUE, 0, day_take, "--day" WHEN_DAY_WANTED },
    { "from", OPTION_DAY, offsetof(struct options, wish.from_day), NULL, "--from" WHEN_DAY_WANTED },
    { "until", OPTION_DAY, offsetof(struct options, wish.until_day), NULL, "--until" WHEN_DAY_WANTED },
    { "by", OPTION_VALUE, 0, by_take,
      "--by is virus, not-opened, domain, rule, engine, missed, auth, list, impostor, behaviour, hour, "
      "node, day, month, sender, recipient, refusal or held, not ",
      .choice = statistics_by_word },
    { "would", OPTION_SWITCH, offsetof(struct options, wish.would), NULL, NULL },
    { "incidents", OPTION_SWITCH, offsetof(struct options, incidents), NULL, NULL },
    { "countries", OPTION_WORD, offsetof(struct options, countries), NULL, NULL },
    { "direction", OPTION_VALUE, 0, direction_take, "--direction is in or out, not ",
      .choice = direction_choice },
    { "domain", OPTION_TEXT, offsetof(struct options, wish.domain), NULL, NULL },
    { "top", OPTION_VALUE, 0, top_take, "--top wants a number up to 100000, not " },
    { "language", OPTION_VALUE, 0, language_take, LANGUAGE_OPTION_WANTED, .choice = language_option_choice },
    { "format", OPTION_VALUE, 0, form_take, "--format is table, csv or json, not ", .choice = form_choice },
    OPTIONS_TARGET(struct options),
    { 0 }
};
const struct verb_usage stats_usage = { "stats", help, table };

/* OPTIONS_GO_ON, with the period made whole; else the exit code. */
static int wish_read(int argc, char **argv, struct options *options)
{
    struct statistics_wish *wish = &options->wish;
    int code = options_read_all(&stats_usage, argc, argv, options);
    if (!wish->until_day) wish->until_day = calendar_of(time(NULL));
    if (!wish->from_day) wish->from_day = calendar_add_months(wish->until_day, -MONTHS_BACK);
    if (code != OPTIONS_GO_ON) return code;
    bool is_of_signals = wish->by >= STATISTICS_BY_LIST && wish->by <= STATISTICS_BY_BEHAVIOUR;
    bool is_of_all = wish->by == STATISTICS_BY_RULE || wish->by == STATISTICS_BY_ENGINE || is_of_signals;
    if (is_of_all && wish->domain.length && !wish->would)
        return options_complain(&stats_usage, "rules, engines and lists are not counted by domain", "");
    if ((wish->by == STATISTICS_BY_AUTH || is_of_signals) && wish->would)
        return options_complain(&stats_usage,
                                "who sent a message is counted as it was found: without --would", "");
    if (statistics_is_ranking(wish->by) && (wish->domain.length || wish->direction >= 0 || wish->would))
        return options_complain(&stats_usage,
                                "rows are counted whole: without --domain, --direction and --would", "");
    if (wish->from_day <= wish->until_day) return code;
    return options_complain(&stats_usage, "--from is after --until", "");
}

static void sheets_print(const struct options *options, struct sheet *const *sheets, size_t count)
{
    struct buffer out = { 0 };
    if (options->form == FORM_JSON) buffer_add_text(&out, TEXT("["));
    for (size_t i = 0; i < count; i++) {
        if (i && options->form == FORM_JSON) buffer_add_char(&out, ',');
        if (i && options->form == FORM_TABLE) buffer_add_char(&out, '\n');
        if (i && options->form == FORM_CSV) buffer_add_text(&out, TEXT("\r\n"));
        if (options->form == FORM_TABLE) sheet_print_text(sheets[i], words_in(options->language), &out);
        if (options->form == FORM_CSV) sheet_print_csv(sheets[i], &out);
        if (options->form == FORM_JSON) sheet_print_json(sheets[i], &out);
    }
    if (options->form == FORM_JSON) buffer_add_text(&out, TEXT("]\n"));
    fwrite(buffer_text(&out).at, 1, buffer_length(&out), stdout);
    buffer_free(&out);
}

static enum ledgerdb_outcome incidents_make(const struct options *options, struct ledgerdb_reader *ledgerdb,
                                            struct arena *arena, struct sheet **out)
{
    const char *why = NULL;
    struct country_file *countries = options->countries ? country_open(options->countries, &why) : NULL;
    if (why) fprintf(stderr, "sekimori stats: %s: %s\n", options->countries, why);
    uint64_t from = (uint64_t)calendar_start(options->wish.from_day) * 1000;
    uint64_t until = (uint64_t)calendar_start(calendar_add(options->wish.until_day, 1)) * 1000;
    enum ledgerdb_outcome outcome = incident_table(ledgerdb, from, until, countries, arena, out);
    country_close(countries);
    return outcome;
}

/* Who may not read the ledger's files asks the node, which looks at `rights trace`. */
static int node_ask(const struct options *options)
{
    static const char forms[] = { [FORM_TABLE] = 't', [FORM_CSV] = 'c', [FORM_JSON] = 'j' };
    struct buffer command = { 0 }, answer = { 0 };
    if (options->incidents)
        return options_complain(&stats_usage, "--incidents reads the ledger itself, which this user may not",
                                "");
    buffer_printf(&command, "stats %c", forms[options->form]);
    statistics_wish_put(&options->wish, &command);
    int code = control_ask(&options->target, buffer_text(&command), ANSWER_MS, NULL, NULL, &answer);
    struct text text = buffer_text(&answer);
    if (code == EX_OK)
        fwrite(text.at, 1, text.length, stdout);
    else if (text.length)
        fprintf(stderr, "sekimori stats: %.*s\n", TEXT_ARG(text_trim(text)));
    buffer_free(&command);
    buffer_free(&answer);
    return code;
}

int stats_main(int argc, char **argv)
{
    struct options options = { .wish = { .direction = -1, .top = TOP_DEFAULT },
                               .language = language_option_of_locale() };
    struct ledgerdb_reader *ledgerdb;
    struct sheet *sheets[STATISTICS_SHEETS];
    size_t count = 1;
    int code = wish_read(argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    ledgerdb = ledger_open_unless_closed(&options.target, "stats", &code);
    if (code == EX_NOPERM) return node_ask(&options);
    if (!ledgerdb) return code;
    struct arena *arena = arena_new(64 * 1024);
    enum ledgerdb_outcome outcome = options.incidents
                                        ? incidents_make(&options, ledgerdb, arena, &sheets[0])
                                        : statistics_make(ledgerdb, &options.wish, arena, sheets, &count);
    if (outcome == LEDGERDB_DONE) sheets_print(&options, sheets, count);
    code = ledger_outcome(outcome, "stats");
    ledgerdb_close(ledgerdb);
    arena_free(arena);
    return code;
}
