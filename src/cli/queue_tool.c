/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Asks the queue process and makes its JSON lines readable. */
#include "cli/queue_tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/date.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/confirm.h"
#include "cli/control.h"
#include "cli/locale_words.h"
#include "cli/options.h"
#include "ipc/message_id.h"

enum { ANSWER_MS = 60000, AGE_BUCKETS = 10, SHOWN_SIZE = 4096 };

static const char help[] =
    "usage: sekimori queue VERB [OPTIONS] [WHICH…]\n\n"
    "  list     the messages with their recipients (all when nothing is named)\n"
    "  show     everything about messages named by id\n"
    "  cat      their header and body as they are kept\n"
    "  summary  recipients by destination and age in minutes\n"
    "  retry    try now, whatever it waits for\n"
    "  hold     do not deliver until it is released\n"
    "  release  let go what is held, for whatever reason\n"
    "  remove   give up; nobody is told\n\n"
    "WHICH: message ids, destinations (example.jp), addresses (a@example.jp), or all\n"
    "  --from PATTERN    only where the sender matches (*, ?, [a-z]; <> is the empty one)\n"
    "  --to PATTERN      only recipients that match; both may be said again: one of them must match\n"
    "  --match PATTERN   either of the two; only to look: list and summary\n"
    "  --sender ADDRESS  only from this sender\n"
    "  --held            only recipients that are held\n"
    "  --dry-run         say how many it would be, and do nothing\n"
    "  --yes             do not ask\n"
    "  --json            one JSON object a line\n" CONTROL_OPTIONS_HELP
    "\nremove and release of what was held as harmful ask first on a terminal. Without a terminal they want\n"
    "--yes when it is more than one message, unless each is named by its id.\n"
    "Exit codes: 0 done, 1 the answer was no, 64 usage, or --yes is missing, 66 nothing of that name,\n"
    "69 no node, 75 some recipients are being delivered at this moment: try again,\n"
    "77 not allowed: see rights in sekimori.conf(5). Each act and each cat is recorded: sekimori audit.\n";

struct options {
    struct control_target target;
    struct buffer words; /* a line each, as queue wants them */
    bool json, held, dry_run, yes, has_match, is_choosy, is_bad;
};

struct output {
    struct buffer lines;
    bool is_raw, is_json, is_choosy; /* choosy: not everything was asked for */
    const char *verb;
    bool is_dry;
    size_t shown;
    int64_t total, held, ages[AGE_BUCKETS];
};

/* What a stranger wrote, without what would command a terminal. */
static const char *shown(const struct json *object, const char *name, char room[SHOWN_SIZE])
{
    return log_escape(text_of(json_get_string(object, name)), room, SHOWN_SIZE);
}

static void recipient_print(const struct json *recipient)
{
    char when[DATE_SIZE], room[SHOWN_SIZE];
    const char *hold = json_get_string(recipient, "hold");
    int64_t next = json_get_number(recipient, "next_ms");
    printf("    %-10s <%s>", json_get_string(recipient, "state"), shown(recipient, "address", room));
    if (*hold) printf("  %s", hold);
    if (json_get_number(recipient, "attempts")) {
        locale_words_count(json_get_number(recipient, "attempts"), N_("  tried %lld time"),
                           N_("  tried %lld times"));
    }
    if (next) printf(locale_words_say(N_("  next %s")), date_print_clock((uint64_t)next, when));
    putchar('\n');
    if (*shown(recipient, "reason", room)) printf("               (%s)\n", room);
}

static void message_print(const struct json *message, bool is_long)
{
    char when[DATE_SIZE], room[SHOWN_SIZE];
    printf("%s  %9lld  %s  <%s>\n", json_get_string(message, "id"),
           (long long)json_get_number(message, "size"),
           date_print_clock((uint64_t)json_get_number(message, "arrived_ms"), when),
           shown(message, "sender", room));
    if (is_long) {
        printf(locale_words_say(N_("    direction %s, segment %08lld at %lld, ")),
               json_get_string(message, "direction"), (long long)json_get_number(message, "segment"),
               (long long)json_get_number(message, "offset"));
        locale_words_count(json_get_number(message, "edits"), N_("%lld edit set"), N_("%lld edit sets"));
        putchar('\n');
        if (*shown(message, "envid", room)) printf(locale_words_say(N_("    envelope id %s\n")), room);
    }
    const struct json *recipients = json_get(message, "recipients");
    for (size_t i = 0; i < json_count(recipients); i++) recipient_print(json_at(recipients, i));
}

static void tally_head(void)
{
    printf("%-32s %9s", "", "total");
    for (int i = 0, edge = 5; i < AGE_BUCKETS - 1; i++, edge *= 2) printf(" %6d", edge);
    printf("  1280+ %7s\n", "held");
}

static void tally_row(const char *name, int64_t total, const int64_t *ages, int64_t held)
{
    char room[SHOWN_SIZE];
    printf("%-32.60s %9lld", log_escape(text_of(name), room, sizeof room), (long long)total);
    for (int i = 0; i < AGE_BUCKETS; i++) printf(" %6lld", (long long)ages[i]);
    printf(" %7lld\n", (long long)held);
}

static void tally_print(struct output *output, const struct json *tally)
{
    int64_t row[AGE_BUCKETS] = { 0 };
    const struct json *ages = json_get(tally, "ages");
    for (int i = 0, edge = 5; i < AGE_BUCKETS; i++, edge *= 2) {
        char key[12];
        snprintf(key, sizeof key, "%d", edge);
        row[i] = json_get_number(ages, i < AGE_BUCKETS - 1 ? key : "more");
        output->ages[i] += row[i];
    }
    if (!output->shown) tally_head();
    output->total += json_get_number(tally, "total");
    output->held += json_get_number(tally, "held");
    tally_row(json_get_string(tally, "destination"), json_get_number(tally, "total"), row,
              json_get_number(tally, "held"));
}

static void line_print(void *context, struct text line)
{
    struct output *output = context;
    if (output->is_json) {
        printf("%.*s\n", TEXT_ARG(line));
        return;
    }
    struct json *value = json_parse(line);
    if (!value) return;
    if (json_get(value, "destination")) {
        tally_print(output, value);
    } else if (json_get(value, "id")) {
        message_print(value, strcmp(output->verb, "show") == 0);
    } else {
        if (output->is_dry) printf(locale_words_say(N_("would %s ")), output->verb);
        locale_words_count(json_get_number(value, "recipients"), N_("%lld recipient"), N_("%lld recipients"));
        fputs(locale_words_say(N_(" of ")), stdout);
        locale_words_count(json_get_number(value, "messages"), N_("%lld message"), N_("%lld messages"));
        puts(json_get_number(value, "busy")
                 ? locale_words_say(N_("; others are being delivered at this moment"))
                 : "");
    }
    output->shown++;
    json_free(value);
}

static void part_take(void *context, struct text part)
{
    struct output *output = context;
    if (output->is_raw) {
        if (part.length) fwrite(part.at, 1, part.length, stdout);
        return;
    }
    control_lines_take(&output->lines, part, line_print, output);
}

static bool words_add(void *context, const char *option, const char *value)
{
    struct options *options = context;
    if (strpbrk(value, "\r\n") || (!option && value[0] == '-')) options->is_bad = true;
    if (option) buffer_printf(&options->words, "\n--%s", option);
    buffer_printf(&options->words, "\n%s", value);
    options->is_choosy = true;
    return true;
}

static bool match_take(void *options, const char *word)
{
    ((struct options *)options)->has_match = true;
    return words_add(options, "match", word);
}

static bool from_take(void *options, const char *word)
{
    return words_add(options, "from", *word ? word : "<>");
}

static bool to_take(void *options, const char *word)
{
    return words_add(options, "to", word);
}

static bool sender_take(void *options, const char *word)
{
    return words_add(options, "sender", word);
}

static const struct verb_option table[] = {
    { "match", OPTION_VALUE, 0, match_take, NULL },
    { "from", OPTION_VALUE, 0, from_take, NULL },
    { "to", OPTION_VALUE, 0, to_take, NULL },
    { "sender", OPTION_VALUE, 0, sender_take, NULL },
    { "held", OPTION_SWITCH, offsetof(struct options, held), NULL, NULL },
    { "dry-run", OPTION_SWITCH, offsetof(struct options, dry_run), NULL, NULL },
    { "yes", OPTION_SWITCH, offsetof(struct options, yes), NULL, NULL },
    { "json", OPTION_SWITCH, offsetof(struct options, json), NULL, NULL },
    OPTIONS_TARGET(struct options),
    { 0 }
};

static const char *const verbs[] = { "list", "show",    "cat",    "summary", "retry",
                                     "hold", "release", "remove", NULL };

static const char *verb_word(size_t position)
{
    return verbs[position];
}

const struct verb_usage queue_usage = { "queue", help, table, .word = verb_word };

/* "queue VERB", then each word on a line of its own. */
static void command_make(const struct options *options, const char *verb, bool is_dry, struct buffer *out)
{
    buffer_printf(out, "queue %s", verb);
    if (is_dry) buffer_add_text(out, TEXT("\n--dry-run"));
    if (options->held) buffer_add_text(out, TEXT("\n--held"));
    buffer_add_text(out, buffer_text(&options->words));
}

static void last_word(struct output *output, int code, struct text last)
{
    if (code == EX_USAGE) {
        fprintf(stderr, "sekimori queue: %.*s\n", TEXT_ARG(last));
        return;
    }
    if (code == EX_NOPERM) fprintf(stderr, "sekimori queue: %.*s\n", TEXT_ARG(last));
    if (code == EX_TEMPFAIL && output->is_raw)
        fputs(locale_words_say(
                  N_("sekimori queue: the look cannot be recorded now, so nothing is shown: try again\n")),
              stderr);
    if (code == EX_UNAVAILABLE && last.length) fprintf(stderr, "sekimori: %.*s\n", TEXT_ARG(last));
    if (code == EX_OK || (code == EX_TEMPFAIL && !output->is_raw)) part_take(output, last);
    if (code == EX_NOINPUT)
        fputs(locale_words_say(N_("sekimori queue: nothing in the queue has that name\n")), stderr);
    bool is_summary = strcmp(output->verb, "summary") == 0 && !output->is_json;
    if (is_summary && output->shown > 1) tally_row("all", output->total, output->ages, output->held);
    if (code == EX_OK && !output->shown && !output->is_json && !output->is_raw)
        puts(locale_words_say(output->is_choosy ? N_("nothing in the queue matches")
                                                : N_("the queue is empty")));
}

static int command_do(const struct options *options, struct output *output)
{
    struct buffer command = { 0 }, last = { 0 };
    command_make(options, output->verb, options->dry_run, &command);
    int code = control_ask(&options->target, buffer_text(&command), ANSWER_MS, part_take, output, &last);
    last_word(output, code, buffer_text(&last));
    buffer_free(&command);
    buffer_free(&last);
    return code;
}

/* --- what cannot be undone --- */

struct extent {
    int64_t recipients, messages, doubtful; /* doubtful: recipients of what was held as harmful */
};

/* What it would be now; false: nothing, or it cannot be asked: then the command itself says why. */
static bool extent_ask(const struct options *options, const char *verb, struct extent *out)
{
    struct buffer command = { 0 }, last = { 0 };
    command_make(options, verb, true, &command);
    int code = control_ask(&options->target, buffer_text(&command), ANSWER_MS, NULL, NULL, &last);
    struct json *counts = code == EX_OK || code == EX_TEMPFAIL ? json_parse(buffer_text(&last)) : NULL;
    *out = (struct extent){ json_get_number(counts, "recipients"), json_get_number(counts, "messages"),
                            json_get_number(counts, "doubtful") };
    bool is_known = counts != NULL;
    json_free(counts);
    buffer_free(&command);
    buffer_free(&last);
    return is_known && out->recipients > 0;
}

/* EX_OK: go on. `is_named`: each message by its id. */
static int consent_get(const struct options *options, const char *verb, bool is_named)
{
    struct extent extent;
    char question[200];
    bool is_remove = strcmp(verb, "remove") == 0;
    if (options->yes || options->dry_run || (!is_remove && strcmp(verb, "release") != 0)) return EX_OK;
    if (is_named && !consent_can_ask()) return EX_OK;
    if (!extent_ask(options, verb, &extent)) return EX_OK;
    if (!is_remove && extent.doubtful == 0) return EX_OK;
    if (!consent_can_ask()) {
        if (extent.messages <= 1) return EX_OK;
        fprintf(stderr, "sekimori queue: %s would take %lld messages: say --yes to do it, --dry-run to see\n",
                verb, (long long)extent.messages);
        return EX_USAGE;
    }
    snprintf(question, sizeof question, "%s %lld recipient%s of %lld message%s%s?",
             is_remove ? "Remove" : "Release", (long long)extent.recipients,
             extent.recipients == 1 ? "" : "s", (long long)extent.messages, extent.messages == 1 ? "" : "s",
             is_remove ? "; nobody is told" : ", held as harmful");
    if (consent_ask(question)) return EX_OK;
    fputs(locale_words_say(N_("nothing was done\n")), stderr);
    return 1;
}

static bool is_look(const char *verb)
{
    static const char *const looks[] = { "list", "show", "cat", "summary" };
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        if (strcmp(verb, looks[i]) == 0) return true;
    return false;
}

static bool is_id(const char *word)
{
    uint64_t id;
    return message_id_parse(text_of(word), &id);
}

int queue_main(int argc, char **argv)
{
    struct options options = { 0 };
    bool is_named = true;
    int code = options_read(&queue_usage, argc, argv, &options);
    if (code == OPTIONS_GO_ON && optind == argc)
        code =
            options_complain(&queue_usage, "list, show, cat, summary, retry, hold, release or remove?", "");
    if (code == OPTIONS_GO_ON && !options_word_is(argv[optind], verbs))
        code = options_complain_word(&queue_usage,
                                     "list, show, cat, summary, retry, hold, release or remove, not ",
                                     argv[optind], verbs);
    for (int i = optind + 1; code == OPTIONS_GO_ON && i < argc; i++) {
        words_add(&options, NULL, argv[i]);
        is_named = is_named && is_id(argv[i]);
    }
    if (code == OPTIONS_GO_ON && options.has_match && !is_look(argv[optind]))
        code = options_complain(&queue_usage,
                                "--match means mail from there as well as to there: say --from or --to", "");
    if (code == OPTIONS_GO_ON && options.is_bad)
        code =
            options_complain(&queue_usage, "a word that cannot be meant: line breaks or a leading dash", "");
    if (code == OPTIONS_GO_ON) {
        struct output output = { .is_json = options.json, .verb = argv[optind], .is_dry = options.dry_run };
        output.is_raw = strcmp(output.verb, "cat") == 0;
        output.is_choosy = options.is_choosy || options.held;
        code = consent_get(&options, output.verb, is_named && argc - optind > 1);
        if (code == EX_OK) code = command_do(&options, &output);
        buffer_free(&output.lines);
    }
    buffer_free(&options.words);
    return code;
}
