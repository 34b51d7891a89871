/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Options to a question; the answer is printed by trace_print.c. */
#include "cli/trace_tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "cli/ledger_files.h"
#include "cli/options.h"
#include "cli/time_words.h"
#include "cli/trace_print.h"
#include "ipc/message_id.h"
#include "ledgerdb/day.h"

enum { MOST_DEFAULT = 20, MOST_LIMIT = 100000 };

static const char help[] =
    "usage: sekimori trace [ID…] [OPTIONS]\n\n"
    "What became of messages: each step of each recipient, the newest message first.\n"
    "Everything that is said must hold.\n\n"
    "  ID                 a message id, as in replies and logs\n"
    "  --address ADDRESS  sender or recipient\n"
    "  --domain DOMAIN    of sender or recipient\n"
    "  --subject WORDS    all of them; in Japanese at least two characters in a row\n"
    "  --client ADDRESS   or a network of at most a /8 (IPv6: /40)\n"
    "  --since TIME       2026-10-04, \"2026-10-04 13:05\", today, yesterday, or ago: 90m, 2h, 3d\n"
    "  --until TIME       before that time\n"
    "  --day DAY          a whole day\n"
    "  --verdict CLASS    none, virus, phishing, spam, policy, encrypted, poison, unscanned,\n"
    "                     limits, ambiguous, greylisted, newsletter\n"
    "  --virus NAME       its whole name\n"
    "  --status STATUS    queued, held, delivered, returned, removed, deferred, quarantined,\n"
    "                     released, expired, relayed, discarded, rejected (5xx), refused (4xx),\n"
    "                     greylisted, aborted, deleted or aged (in the quarantine): it happened\n"
    "                     to a recipient\n"
    "  --most NUMBER      at most so many (default 20)\n"
    "  --short            a line a message\n"
    "  --json             a JSON object\n" CONTROL_OPTIONS_HELP
    "\nReads the ledger itself: as root or the user the node runs as. The node need not run.\n"
    "Exit codes: 0 found, 1 nothing found, 64 usage, 65 damaged, 66 no ledger, 69 not now,\n"
    "76 made by a newer version.\n";

enum { EX_NOTHING = 1 };

struct options {
    struct control_target target;
    struct search_question question;
    struct network client;
    bool is_json, is_short;
};

static bool client_take(void *context, const char *word)
{
    struct options *options = context;
    options->question.client = &options->client;
    return network_parse(text_of(word), &options->client);
}

static bool day_take(void *context, const char *word)
{
    struct search_question *question = &((struct options *)context)->question;
    uint32_t day;
    return when_parse_day(text_of(word), when_now_ms(), &day) &&
           day_bounds(day, &question->from_ms, &question->until_ms);
}

static bool class_take(void *context, const char *word)
{
    enum message_class class;
    if (!class_from_name(text_of(word), &class)) return false;
    ((struct options *)context)->question.class = (int)class;
    return true;
}

static bool status_take(void *context, const char *word)
{
    return search_status_from_name(text_of(word), &((struct options *)context)->question.status);
}

static bool most_take(void *context, const char *word)
{
    uint64_t most;
    if (!text_to_number(text_of(word), MOST_LIMIT, &most) || most == 0) return false;
    ((struct options *)context)->question.most = most;
    return true;
}

static const struct verb_option table[] = {
    { "address", OPTION_TEXT, offsetof(struct options, question.address), NULL, NULL },
    { "domain", OPTION_TEXT, offsetof(struct options, question.domain), NULL, NULL },
    { "subject", OPTION_TEXT, offsetof(struct options, question.subject), NULL, NULL },
    { "client", OPTION_VALUE, 0, client_take,
      "--client wants an address or a network such as 192.0.2.0/24, not " },
    { "since", OPTION_TIME, offsetof(struct options, question.from_ms), NULL, WHEN_WANTED("since") },
    { "until", OPTION_TIME, offsetof(struct options, question.until_ms), NULL, WHEN_WANTED("until") },
    { "day", OPTION_VALUE, 0, day_take, "--day" WHEN_DAY_WANTED },
    { "verdict", OPTION_VALUE, 0, class_take,
      "--verdict is none, virus, spam or another class of --help, not " },
    { "virus", OPTION_TEXT, offsetof(struct options, question.virus), NULL, NULL },
    { "status", OPTION_VALUE, 0, status_take,
      "--status is delivered, returned or another one of --help, not " },
    { "most", OPTION_VALUE, 0, most_take, "--most wants a number from 1 to 100000, not " },
    { "short", OPTION_SWITCH, offsetof(struct options, is_short), NULL, NULL },
    { "json", OPTION_SWITCH, offsetof(struct options, is_json), NULL, NULL },
    OPTIONS_TARGET(struct options),
    { 0 }
};
static const struct verb_usage usage = { "trace", help, table };

static const char *complaint_text(enum search_complaint complaint)
{
    return complaint == SEARCH_NO_WORDS ? "--subject has no word to look for"
                                        : "--client wants a network of at most a /8 (IPv6: /40)";
}

/* One question, or one for each id. Shown: how many. */
static int question_ask(struct ledgerdb_reader *ledgerdb, const struct options *options,
                        struct trace_output *output)
{
    struct search_result result;
    struct arena *arena = arena_new(64 * 1024);
    int code = ledger_outcome(search_run(ledgerdb, &options->question, arena, &result), "trace");
    if (code == EX_OK && result.complaint != SEARCH_GOOD)
        code = options_complain(&usage, complaint_text(result.complaint), "");
    else if (code == EX_OK)
        trace_print(output, &result, options->question.most);
    arena_free(arena);
    return code;
}

static int ids_ask(struct ledgerdb_reader *ledgerdb, struct options *options, char **words, int count,
                   struct trace_output *output)
{
    int code = EX_OK;
    for (int i = 0; i < count && code == EX_OK; i++) {
        if (!message_id_parse(text_of(words[i]), &options->question.id))
            return options_complain(&usage, "not a message id: ", words[i]);
        code = question_ask(ledgerdb, options, output);
    }
    return code;
}

int trace_main(int argc, char **argv)
{
    struct options options = { .question = { .class = -1, .most = MOST_DEFAULT } };
    int code = options_read(&usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    struct ledgerdb_reader *ledgerdb = ledger_open(&options.target, "trace", &code);
    if (!ledgerdb) return code;
    struct trace_output output = { .is_json = options.is_json, .is_short = options.is_short };
    trace_begin(&output);
    if (optind < argc)
        code = ids_ask(ledgerdb, &options, argv + optind, argc - optind, &output);
    else
        code = question_ask(ledgerdb, &options, &output);
    if (code == EX_OK) trace_end(&output);
    ledgerdb_close(ledgerdb);
    return code == EX_OK && output.shown == 0 ? EX_NOTHING : code;
}
