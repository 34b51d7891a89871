/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Options to a question; the answer is printed by trace_print.c. */
#include "cli/trace_tool.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/entry_making.h"
#include "cli/ledger_files.h"
#include "cli/options.h"
#include "cli/time_words.h"
#include "cli/trace_print.h"
#include "ipc/message_id.h"
#include "ledgerdb/day.h"
#include "ledgerdb/search_wire.h"
#include "mail/digest.h"

enum { MOST_DEFAULT = 20, PART_MOST = 1000, MOST_LIMIT = SEARCH_WIRE_MOST, ANSWER_MS = 120000 };

static const char help[] =
    "usage: sekimori trace [ID…] [OPTIONS]\n\n"
    "What became of messages: each step of each recipient, the newest message first.\n"
    "Everything that is said must hold.\n\n"
    "  ID                 a message id, as in replies and logs; of a held message also its releases, and "
    "back\n"
    "  --from WHO         stands in the sender or in the From field: an address, or a part of it or of the "
    "name\n"
    "  --to WHO           the same of a recipient\n"
    "  --message-id ID    the Message-ID field, or a part of it\n"
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
    "  --part SHA256|FILE messages that had this attached file, at most 1000: its SHA-256, or the file "
    "itself\n"
    "  --status STATUS    queued, held, delivered, returned, removed, deferred, quarantined,\n"
    "                     released, expired, relayed, discarded, rejected (5xx), refused (4xx),\n"
    "                     greylisted, aborted, deleted or aged (in the quarantine): it happened\n"
    "                     to a recipient\n"
    "  --most NUMBER      at most so many (default 20)\n"
    "  --short            a line a message\n"
    "  --json             a JSON object\n"
    "  --block[=WHAT], --allow[=WHAT]  of one ID: an entry for its sender, for everybody; WHAT is address\n"
    "                     (of From, or of the envelope where that has none), domain or "
    "network\n" CONTROL_OPTIONS_HELP
    "\nReads the ledger itself: as root or the user the node runs as; the node need not run. Others ask the\n"
    "node, which wants `rights trace`, and gives at most 1000.\n"
    "Exit codes: 0 found, 1 nothing found, 64 usage, 65 damaged, 66 no ledger, 69 not now,\n"
    "76 made by a newer version, 77 not allowed.\n";

enum { EX_NOTHING = 1 };

struct options {
    struct control_target target;
    struct search_question question;
    struct network client;
    uint8_t part[PART_DIGEST_BYTES];
    bool is_json, is_short, makes_entry;
    enum entry_verb entry_verb;
    enum entry_extent extent;
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

static bool file_digest(const char *path, uint8_t out[PART_DIGEST_BYTES])
{
    struct stat about;
    uint8_t digest[DIGEST_BYTES];
    void *map = MAP_FAILED;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0)
        map = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (fd >= 0) close(fd);
    if (map == MAP_FAILED) return false;
    digest_sha256(text_from(map, (size_t)about.st_size), digest);
    munmap(map, (size_t)about.st_size);
    memcpy(out, digest, PART_DIGEST_BYTES);
    return true;
}

/* Digits first: a file of such a name can be asked for as ./NAME. */
static bool part_take(void *context, const char *word)
{
    struct options *options = context;
    options->question.part = options->part;
    return part_digest_parse(text_of(word), options->part) || file_digest(word, options->part);
}

static bool class_take(void *context, const char *word)
{
    enum message_class class;
    if (!class_from_name(text_of(word), &class)) return false;
    ((struct options *)context)->question.class = (int)class;
    return true;
}

static bool entry_take(struct options *options, enum entry_verb verb, const char *word)
{
    bool is_second = options->makes_entry && options->entry_verb != verb;
    options->makes_entry = true;
    options->entry_verb = verb;
    return !is_second && (!word || entry_making_extent(word, &options->extent));
}

static bool block_take(void *context, const char *word)
{
    return entry_take(context, ENTRY_BLOCK, word);
}

static bool allow_take(void *context, const char *word)
{
    return entry_take(context, ENTRY_ALLOW, word);
}

static const char *class_choice(size_t position)
{
    return position < CLASS_COUNT ? class_name((enum message_class)position) : NULL;
}

static const char *status_choice(size_t position)
{
    return position + STATUS_QUEUED < STATUS_COUNT
               ? search_status_name((enum search_status)(position + STATUS_QUEUED))
               : NULL;
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
    { "from", OPTION_TEXT, offsetof(struct options, question.from), NULL, NULL },
    { "to", OPTION_TEXT, offsetof(struct options, question.to), NULL, NULL },
    { "message-id", OPTION_TEXT, offsetof(struct options, question.message_id), NULL, NULL },
    { "address", OPTION_TEXT, offsetof(struct options, question.address), NULL, NULL },
    { "domain", OPTION_TEXT, offsetof(struct options, question.domain), NULL, NULL },
    { "subject", OPTION_TEXT, offsetof(struct options, question.subject), NULL, NULL },
    { "client", OPTION_VALUE, 0, client_take,
      "--client wants an address or a network such as 192.0.2.0/24, not " },
    { "since", OPTION_TIME, offsetof(struct options, question.from_ms), NULL, WHEN_WANTED("since") },
    { "until", OPTION_TIME, offsetof(struct options, question.until_ms), NULL, WHEN_WANTED("until") },
    { "day", OPTION_VALUE, 0, day_take, "--day" WHEN_DAY_WANTED },
    { "verdict", OPTION_VALUE, 0, class_take,
      "--verdict is none, virus, spam or another class of --help, not ", .choice = class_choice },
    { "virus", OPTION_TEXT, offsetof(struct options, question.virus), NULL, NULL },
    { "part", OPTION_VALUE, 0, part_take,
      "--part wants a SHA-256 (64 digits, or the first 32) or a file that can be read, not " },
    { "status", OPTION_VALUE, 0, status_take,
      "--status is delivered, returned or another one of --help, not ", .choice = status_choice },
    { "most", OPTION_VALUE, 0, most_take, "--most wants a number from 1 to 100000, not " },
    { "short", OPTION_SWITCH, offsetof(struct options, is_short), NULL, NULL },
    { "json", OPTION_SWITCH, offsetof(struct options, is_json), NULL, NULL },
    { "block", OPTION_MAYBE, 0, block_take,
      "--block (without --allow) has address, domain or network behind, not ",
      .choice = entry_making_choice },
    { "allow", OPTION_MAYBE, 0, allow_take,
      "--allow (without --block) has address, domain or network behind, not ",
      .choice = entry_making_choice },
    OPTIONS_TARGET(struct options),
    { 0 }
};
const struct verb_usage trace_usage = { "trace", help, table };

static const char *complaint_text(enum search_complaint complaint)
{
    return complaint == SEARCH_NO_WORDS ? "--subject has no word to look for"
                                        : "--client wants a network of at most a /8 (IPv6: /40)";
}

/* Who may not read the ledger's files asks the node, which looks at `rights trace`. */
static int node_ask(const struct options *options, struct arena *arena, struct search_result *out)
{
    struct buffer command = { 0 }, answer = { 0 };
    buffer_add_text(&command, TEXT("trace "));
    search_question_put(&options->question, &command);
    int code = control_ask(&options->target, buffer_text(&command), ANSWER_MS, NULL, NULL, &answer);
    struct text bytes = arena_text(arena, buffer_text(&answer));
    if (code != EX_OK && bytes.length) fprintf(stderr, "sekimori trace: %.*s\n", TEXT_ARG(text_trim(bytes)));
    if (code == EX_OK && !search_result_get(bytes, arena, out)) {
        fputs("sekimori trace: the node answers in a form of another version\n", stderr);
        code = EX_PROTOCOL;
    }
    buffer_free(&command);
    buffer_free(&answer);
    return code;
}

/* Of the message that was asked for; not of its releases, which are ours. */
static int entry_of_result(const struct options *options, const struct search_result *result)
{
    const struct search_hit *hit = NULL;
    for (size_t i = 0; i < result->count; i++)
        if (result->hits[i].id == options->question.id) hit = &result->hits[i];
    if (!hit) return EX_OK; /* nothing was found */
    fflush(stdout);
    const struct entry_occasion occasion = { hit->id, hit->sender, hit->author, hit->client, &hit->proof };
    return entry_make(&options->target, "trace", options->entry_verb, options->extent, &occasion, TEXT_NONE);
}

/* One question, or one for each id. Shown: how many. `ledgerdb` NULL: the node is asked. */
static int question_ask(struct ledgerdb_reader *ledgerdb, const struct options *options,
                        struct trace_output *output)
{
    struct search_result result = { 0 };
    struct arena *arena = arena_new(64 * 1024);
    int code = ledgerdb ? ledger_outcome(search_run(ledgerdb, &options->question, arena, &result), "trace")
                        : node_ask(options, arena, &result);
    if (code == EX_OK && result.complaint != SEARCH_GOOD)
        code = options_complain(&trace_usage, complaint_text(result.complaint), "");
    else if (code == EX_OK)
        trace_print(output, &result, options->question.most);
    if (code == EX_OK && options->makes_entry) code = entry_of_result(options, &result);
    arena_free(arena);
    return code;
}

/* A message id, or a Message-ID as it stands in a header: it has an @. */
static bool word_take(struct search_question *question, struct text word)
{
    question->id = 0;
    question->message_id = TEXT_NONE;
    if (text_find_char(word, '@') == word.length) return message_id_parse(word, &question->id);
    question->message_id = word;
    return true;
}

static int ids_ask(struct ledgerdb_reader *ledgerdb, struct options *options, char **words, int count,
                   struct trace_output *output)
{
    int code = EX_OK;
    for (int i = 0; i < count && code == EX_OK; i++) {
        if (!word_take(&options->question, text_of(words[i])))
            return options_complain(&trace_usage, "not a message id: ", words[i]);
        code = question_ask(ledgerdb, options, output);
    }
    return code;
}

int trace_main(int argc, char **argv)
{
    struct options options = { .question = { .class = -1 } };
    int code = options_read(&trace_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    uint64_t id;
    if (options.makes_entry && (argc != optind + 1 || !message_id_parse(text_of(argv[optind]), &id)))
        return options_complain(&trace_usage, "--block and --allow want one message by its id", "");
    if (!options.question.most) options.question.most = options.question.part ? PART_MOST : MOST_DEFAULT;
    struct ledgerdb_reader *ledgerdb = ledger_open_unless_closed(&options.target, "trace", &code);
    if (!ledgerdb && code != EX_NOPERM) return code;
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
