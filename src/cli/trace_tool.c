/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Options to a question; the answer is printed by trace_print.c. */
#include "cli/trace_tool.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "books/day.h"
#include "cli/ledger_files.h"
#include "cli/trace_print.h"
#include "cli/when.h"
#include "ipc/message_id.h"

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
    "  --status STATUS    queued, held, delivered, bounced, removed, deferred, quarantined,\n"
    "                     released, expired, relayed, discarded, rejected (5xx), refused (4xx),\n"
    "                     greylisted, aborted: it happened to a recipient\n"
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

static int usage(const char *what, const char *argument)
{
    fprintf(stderr, "sekimori trace: %s%s\n%s", what, argument, help);
    return EX_USAGE;
}

static bool class_take(const char *word, struct options *options)
{
    enum message_class class;
    if (!class_from_name(text_of(word), &class)) return false;
    options->question.class = (int)class;
    return true;
}

static bool day_take(const char *word, struct options *options)
{
    uint32_t day;
    return when_parse_day(text_of(word), when_now_ms(), &day) &&
           day_bounds(day, &options->question.from_ms, &options->question.until_ms);
}

static bool most_take(const char *word, struct options *options)
{
    uint64_t most;
    if (!text_to_number(text_of(word), MOST_LIMIT, &most) || most == 0) return false;
    options->question.most = most;
    return true;
}

/* An option with a value that can be wrong. */
static bool value_take(int option, const char *word, struct options *options)
{
    struct search_question *question = &options->question;
    switch (option) {
    case 'C':
        question->client = &options->client;
        return network_parse(text_of(word), &options->client);
    case 'S':
        return when_parse(text_of(word), when_now_ms(), &question->from_ms);
    case 'U':
        return when_parse(text_of(word), when_now_ms(), &question->until_ms);
    case 'D':
        return day_take(word, options);
    case 'V':
        return class_take(word, options);
    case 'T':
        return search_status_from_name(text_of(word), &question->status);
    case 'm':
        return most_take(word, options);
    default:
        return true;
    }
}

static void word_take(int option, const char *word, struct options *options)
{
    struct search_question *question = &options->question;
    if (option == 'a') question->address = text_of(word);
    if (option == 'd') question->domain = text_of(word);
    if (option == 'b') question->subject = text_of(word);
    if (option == 'N') question->virus = text_of(word);
    if (option == 'j') options->is_json = true;
    if (option == 'l') options->is_short = true;
    if (option == 'c') options->target.config = word;
    if (option == 's') options->target.state = word;
}

/* -1: go on; else the exit code. */
static int options_read(int argc, char **argv, struct options *options)
{
    static const struct option longs[] = { { "address", required_argument, NULL, 'a' },
                                           { "domain", required_argument, NULL, 'd' },
                                           { "subject", required_argument, NULL, 'b' },
                                           { "client", required_argument, NULL, 'C' },
                                           { "since", required_argument, NULL, 'S' },
                                           { "until", required_argument, NULL, 'U' },
                                           { "day", required_argument, NULL, 'D' },
                                           { "verdict", required_argument, NULL, 'V' },
                                           { "virus", required_argument, NULL, 'N' },
                                           { "status", required_argument, NULL, 'T' },
                                           { "most", required_argument, NULL, 'm' },
                                           { "short", no_argument, NULL, 'l' },
                                           { "json", no_argument, NULL, 'j' },
                                           { "config", required_argument, NULL, 'c' },
                                           { "state", required_argument, NULL, 's' },
                                           { "help", no_argument, NULL, 'h' },
                                           { 0 } };
    int place = 0;
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "c:h", longs, &place)) != -1;) {
        if (option == 'h') {
            fputs(help, stdout);
            return EX_OK;
        }
        if (option == '?') return usage("", "");
        word_take(option, optarg, options);
        if (!value_take(option, optarg, options)) {
            fprintf(stderr, "sekimori trace: --%s cannot be \"%s\"\n", longs[place].name, optarg);
            return usage("", "");
        }
    }
    return -1;
}

static const char *complaint_text(enum search_complaint complaint)
{
    return complaint == SEARCH_NO_WORDS ? "--subject has no word to look for"
                                        : "--client wants a network of at most a /8 (IPv6: /40)";
}

/* One question, or one for each id. Shown: how many. */
static int question_ask(struct reader_books *books, const struct options *options,
                        struct trace_output *output)
{
    struct search_result result;
    struct arena *arena = arena_new(64 * 1024);
    int code = ledger_outcome(search_run(books, &options->question, arena, &result), "trace");
    if (code == EX_OK && result.complaint != SEARCH_GOOD)
        code = usage(complaint_text(result.complaint), "");
    else if (code == EX_OK)
        trace_print(output, &result, options->question.most);
    arena_free(arena);
    return code;
}

static int ids_ask(struct reader_books *books, struct options *options, char **words, int count,
                   struct trace_output *output)
{
    int code = EX_OK;
    for (int i = 0; i < count && code == EX_OK; i++) {
        if (!message_id_parse(text_of(words[i]), &options->question.id))
            return usage("not a message id: ", words[i]);
        code = question_ask(books, options, output);
    }
    return code;
}

int trace_main(int argc, char **argv)
{
    struct options options = { .question = { .class = -1, .most = MOST_DEFAULT } };
    int code = options_read(argc, argv, &options);
    if (code >= 0) return code;
    struct reader_books *books = ledger_open(&options.target, "trace", &code);
    if (!books) return code;
    struct trace_output output = { .is_json = options.is_json, .is_short = options.is_short };
    trace_begin(&output);
    if (optind < argc)
        code = ids_ask(books, &options, argv + optind, argc - optind, &output);
    else
        code = question_ask(books, &options, &output);
    if (code == EX_OK) trace_end(&output);
    books_close(books);
    return code == EX_OK && output.shown == 0 ? EX_NOTHING : code;
}
