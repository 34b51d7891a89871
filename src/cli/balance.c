/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Asks for the counts until they agree or patience ends: on a node at work they are a moment apart. */
#include "cli/balance.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "base/date.h"
#include "base/json.h"
#include "cli/balance_begin.h"
#include "cli/balance_day.h"
#include "cli/balance_nodes.h"
#include "cli/balance_state.h"
#include "cli/control.h"
#include "cli/count_comparison.h"
#include "cli/options.h"
#include "cli/time_words.h"

enum { ASK_LIMIT_MS = 30000, STEP_MS = 100, WAIT_DEFAULT_S = 5, WAIT_MOST_S = 86400 };

static const char help[] =
    "usage: sekimori balance [--wait SECONDS | --day DAY | --begin] [--nodes] [--json] [--config FILE |\n"
    "       --state FOLDER]\n\n"
    "Every recipient ever accepted has exactly one ending. Three processes count independently;\n"
    "this compares them since the counts began.\n\n"
    "  --wait SECONDS  how long counts may take to agree (default 5; 0: one look)\n"
    "  --day DAY       one day out of the ledger, 2026-10-04, today or yesterday: what became of\n"
    "                  those accepted then, and what happened on that day\n"
    "  --nodes         a line for each node whose events this ledger has, of today or of --day;\n"
    "                  and what was handed from one node to another must be there\n"
    "  --begin         the counts begin anew at the next start: for a stopped node whose ledger was\n"
    "                  lost, and which would differ for good\n"
    "  --json          the table as JSON\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0 all equal, 1 a difference, 2 nothing differs but events were lost (incomplete),\n"
    "69 a part cannot be asked; with --day or --nodes also 65 damaged, 66 no ledger, 76 made by a newer "
    "version; with --begin also 75 the node is running.\n";

struct options {
    struct control_target target;
    uint64_t wait_s;
    uint32_t day; /* 0: all since the counts began */
    bool json, nodes, begin;
};

static const struct verb_option table[] = {
    { "wait", OPTION_NUMBER, offsetof(struct options, wait_s), NULL, "--wait wants seconds, 0 to 86400, not ",
      .most = WAIT_MOST_S },
    { "day", OPTION_DAY, offsetof(struct options, day), NULL,
      "--day wants a day such as 2026-10-04, today or yesterday, not " },
    { "json", OPTION_SWITCH, offsetof(struct options, json), NULL, NULL },
    { "begin", OPTION_SWITCH, offsetof(struct options, begin), NULL, NULL },
    { "nodes", OPTION_SWITCH, offsetof(struct options, nodes), NULL, NULL },
    OPTIONS_TARGET(struct options),
    { 0 }
};
const struct verb_usage balance_usage = { "balance", help, table };

static enum balance_state state_of(const struct count_comparison *sums)
{
    return balance_state_of(sums->differences > 0, sums->lost);
}

/* One look: the exit code, with the sums when all could be asked, else with no line. A process that is just
   being restarted gives EX_TEMPFAIL, which is said only when `is_last`. */
static int look(const struct control_target *target, bool is_last, struct count_comparison *out)
{
    struct buffer counters = { 0 }, ledger = { 0 };
    *out = (struct count_comparison){ 0 };
    int code = control_ask(target, TEXT("balance"), ASK_LIMIT_MS, NULL, NULL, &ledger);
    if (code == EX_OK) code = control_ask(target, TEXT("counters"), ASK_LIMIT_MS, NULL, NULL, &counters);
    if (code == EX_OK && !comparison_make(buffer_text(&counters), buffer_text(&ledger), out)) {
        fputs("sekimori balance: an answer of the node makes no sense\n", stderr);
        code = EX_UNAVAILABLE;
    } else if (code == EX_OK) {
        code = (int)state_of(out);
    } else if (buffer_length(&ledger) > 0 && (is_last || code != EX_TEMPFAIL)) {
        fprintf(stderr, "sekimori balance: %.*s\n", TEXT_ARG(buffer_text(&ledger)));
    }
    buffer_free(&counters);
    buffer_free(&ledger);
    return code;
}

static int look_until_equal(const struct options *options, struct count_comparison *out)
{
    time_t until = time(NULL) + (time_t)options->wait_s;
    int code = look(&options->target, options->wait_s == 0, out);
    while ((code == BALANCE_DIFFERS || code == EX_TEMPFAIL) && time(NULL) < until) {
        nanosleep(&(struct timespec){ 0, STEP_MS * 1000000l }, NULL);
        code = look(&options->target, time(NULL) >= until, out);
    }
    return code == EX_TEMPFAIL ? EX_UNAVAILABLE : code;
}

static void number_print(int64_t number)
{
    if (number == COMPARISON_NOT_COUNTED)
        printf(" %12s", "-");
    else
        printf(" %12lld", (long long)number);
}

static void table_print(const struct count_comparison *sums)
{
    char since[DATE_SIZE];
    printf("recipients since %s\n%-14s %12s %12s %12s\n", date_print_clock(sums->since_ms, since), "",
           "receive", "journal", "ledger");
    for (unsigned i = 0; i < sums->line_count; i++) {
        const struct comparison_line *line = &sums->lines[i];
        printf("%-14s", line->name);
        number_print(line->receive);
        number_print(line->journal);
        number_print(line->ledger);
        puts(line->differs ? "  DIFFERS" : "");
    }
    printf("%-14s %12s %12lld %12s\n", "queued", "-", (long long)(sums->live - sums->held), "-");
    printf("%-14s %12s %12lld %12s\n", "held", "-", (long long)sums->held, "-");
    puts("of those quarantined:");
    printf("%-14s %12s %12s %12lld\n", "kept", "-", "-", (long long)sums->kept);
    printf("%-14s %12s %12s %12lld\n", "released", "-", "-", (long long)sums->released);
    printf("%-14s %12s %12s %12lld\n", "deleted", "-", "-", (long long)sums->deleted);
    printf("%-14s %12s %12s %12lld\n", "aged", "-", "-", (long long)sums->aged);
    puts("never in the queue:");
    printf("%-14s %12lld %12s %12s\n", "refused after", (long long)sums->refused_content, "-", "-");
    printf("%-14s %12lld %12s %12s\n", "discarded", (long long)sums->discarded, "-", "-");
    printf("%-14s %12lld %12s %12s\n", "aborted", (long long)sums->aborted, "-", "-");
    if (!sums->is_journal_whole) puts("the journal's own sums DIFFER: accepted is not ended and live");
    if (sums->in_doubt) printf("%lld offered to the queue and not answered yet\n", (long long)sums->in_doubt);
    balance_state_print(state_of(sums), sums->lost);
}

static void column_set(struct json *object, const char *name, int64_t number)
{
    if (number != COMPARISON_NOT_COUNTED) json_set_number(object, name, number);
}

static void json_table_print(const struct count_comparison *sums)
{
    struct json *all = json_new_object(), *lines = json_new_array();
    for (unsigned i = 0; i < sums->line_count; i++) {
        struct json *line = json_new_object();
        json_set_string(line, "name", sums->lines[i].name);
        column_set(line, "receive", sums->lines[i].receive);
        column_set(line, "journal", sums->lines[i].journal);
        column_set(line, "ledger", sums->lines[i].ledger);
        json_set_bool(line, "differs", sums->lines[i].differs);
        json_add(lines, line);
    }
    balance_state_set(all, state_of(sums), sums->lost);
    json_set_number(all, "since_ms", sums->since_ms);
    json_set(all, "lines", lines);
    json_set_number(all, "live", sums->live);
    json_set_number(all, "held", sums->held);
    json_set_number(all, "queued", sums->live - sums->held);
    json_set_number(all, "kept", sums->kept);
    json_set_number(all, "released", sums->released);
    json_set_number(all, "deleted", sums->deleted);
    json_set_number(all, "aged", sums->aged);
    json_set_number(all, "refused_after_data", sums->refused_content);
    json_set_number(all, "discarded", sums->discarded);
    json_set_number(all, "aborted", sums->aborted);
    json_set_number(all, "in_doubt", sums->in_doubt);
    json_set_bool(all, "journal_whole", sums->is_journal_whole);
    json_print(all, stdout, true);
}

int balance_main(int argc, char **argv)
{
    struct options options = { .wait_s = WAIT_DEFAULT_S };
    struct count_comparison sums;
    int code = options_read_all(&balance_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    if (options.begin) return balance_begin(&options.target);
    if (options.nodes && !options.day) when_parse_day(TEXT("today"), when_now_ms(), &options.day);
    if (options.nodes) return balance_nodes(&options.target, options.day, options.json);
    if (options.day) return balance_day(&options.target, options.day, options.json);
    code = look_until_equal(&options, &sums);
    if (sums.line_count == 0) return code;
    if (options.json)
        json_table_print(&sums);
    else
        table_print(&sums);
    return code;
}
