/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Asks the queue process and makes its JSON lines readable. */
#include "cli/queue_tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "base/log.h"
#include "cli/control.h"
#include "cli/json.h"
#include "cli/options.h"

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
    "  --match PATTERN   only where sender or recipient matches (*, ?, [a-z])\n"
    "  --sender ADDRESS  only from this sender\n"
    "  --held            only recipients that are held\n"
    "  --json            one JSON object a line\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0 done, 64 usage, 66 nothing of that name, 69 no node,\n"
    "75 some recipients are being delivered at this moment: try again,\n"
    "77 not allowed: see rights in sekimori.conf(5). Each cat is recorded: sekimori audit.\n";

struct options {
    struct control_target target;
    bool json, held;
    const char *match, *sender;
};

struct output {
    struct buffer lines;
    bool is_raw, is_json, is_choosy; /* choosy: not everything was asked for */
    const char *verb;
    size_t shown;
    int64_t total, held, ages[AGE_BUCKETS];
};

static const char *time_print(int64_t ms, char room[32])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    localtime_r(&seconds, &tm);
    strftime(room, 32, "%Y-%m-%d %H:%M:%S", &tm);
    return room;
}

/* What a stranger wrote, without what would command a terminal. */
static const char *shown(const struct json *object, const char *name, char room[SHOWN_SIZE])
{
    return log_escape(text_of(json_get_string(object, name)), room, SHOWN_SIZE);
}

/* "1 recipient", "2 recipients". */
static void count_print(int64_t count, const char *one)
{
    printf("%lld %s%s", (long long)count, one, count == 1 ? "" : "s");
}

static void recipient_print(const struct json *recipient)
{
    char when[32], room[SHOWN_SIZE];
    const char *hold = json_get_string(recipient, "hold");
    int64_t next = json_get_number(recipient, "next_ms");
    printf("    %-10s <%s>", json_get_string(recipient, "state"), shown(recipient, "address", room));
    if (*hold) printf("  %s", hold);
    if (json_get_number(recipient, "attempts")) {
        printf("  tried ");
        count_print(json_get_number(recipient, "attempts"), "time");
    }
    if (next) printf("  next %s", time_print(next, when));
    putchar('\n');
    if (*shown(recipient, "reason", room)) printf("               (%s)\n", room);
}

static void message_print(const struct json *message, bool is_long)
{
    char when[32], room[SHOWN_SIZE];
    printf("%s  %9lld  %s  <%s>\n", json_get_string(message, "id"),
           (long long)json_get_number(message, "size"),
           time_print(json_get_number(message, "arrived_ms"), when), shown(message, "sender", room));
    if (is_long) {
        printf("    direction %s, segment %08lld at %lld, ", json_get_string(message, "direction"),
               (long long)json_get_number(message, "segment"), (long long)json_get_number(message, "offset"));
        count_print(json_get_number(message, "edits"), "edit set");
        putchar('\n');
        if (*shown(message, "envid", room)) printf("    envelope id %s\n", room);
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
        count_print(json_get_number(value, "recipients"), "recipient");
        puts(json_get_number(value, "busy") ? "; others are being delivered at this moment" : "");
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

static const struct verb_option table[] = {
    { "match", OPTION_WORD, offsetof(struct options, match), NULL, NULL },
    { "sender", OPTION_WORD, offsetof(struct options, sender), NULL, NULL },
    { "held", OPTION_SWITCH, offsetof(struct options, held), NULL, NULL },
    { "json", OPTION_SWITCH, offsetof(struct options, json), NULL, NULL },
    OPTIONS_TARGET(struct options),
    { 0 }
};
static const struct verb_usage usage = { "queue", help, table };

/* "queue VERB", then each word on a line of its own. False: a word that cannot be sent. */
static bool command_make(const struct options *options, char **words, int count, struct buffer *out)
{
    buffer_printf(out, "queue %s", words[0]);
    for (int i = 1; i < count; i++) {
        if (strpbrk(words[i], "\r\n") || words[i][0] == '-') return false;
        buffer_printf(out, "\n%s", words[i]);
    }
    if ((options->match && strpbrk(options->match, "\r\n")) ||
        (options->sender && strpbrk(options->sender, "\r\n")))
        return false;
    if (options->match) buffer_printf(out, "\n--match\n%s", options->match);
    if (options->sender) buffer_printf(out, "\n--sender\n%s", options->sender);
    if (options->held) buffer_add_text(out, TEXT("\n--held"));
    return true;
}

static void last_word(struct output *output, int code, struct text last)
{
    if (code == EX_USAGE) {
        fprintf(stderr, "sekimori queue: %.*s\n", TEXT_ARG(last));
        return;
    }
    if (code == EX_NOPERM) fprintf(stderr, "sekimori queue: %.*s\n", TEXT_ARG(last));
    if (code == EX_TEMPFAIL && output->is_raw)
        fputs("sekimori queue: the look cannot be recorded now, so nothing is shown: try again\n", stderr);
    if (code == EX_UNAVAILABLE && last.length) fprintf(stderr, "sekimori: %.*s\n", TEXT_ARG(last));
    if (code == EX_OK || (code == EX_TEMPFAIL && !output->is_raw)) part_take(output, last);
    if (code == EX_NOINPUT) fputs("sekimori queue: nothing in the queue has that name\n", stderr);
    bool is_summary = strcmp(output->verb, "summary") == 0 && !output->is_json;
    if (is_summary && output->shown > 1) tally_row("all", output->total, output->ages, output->held);
    if (code == EX_OK && !output->shown && !output->is_json && !output->is_raw)
        puts(output->is_choosy ? "nothing in the queue matches" : "the queue is empty");
}

int queue_main(int argc, char **argv)
{
    struct options options = { 0 };
    int code = options_read(&usage, argc, argv, &options);
    if (code == OPTIONS_GO_ON && optind == argc)
        return options_complain(&usage, "list, show, cat, summary, retry, hold, release or remove?", "");
    if (code != OPTIONS_GO_ON) return code;
    struct buffer command = { 0 }, last = { 0 };
    if (!command_make(&options, argv + optind, argc - optind, &command)) {
        buffer_free(&command);
        return options_complain(&usage, "a word that cannot be meant: line breaks or a leading dash", "");
    }
    struct output output = { .is_json = options.json, .verb = argv[optind] };
    output.is_raw = strcmp(output.verb, "cat") == 0;
    output.is_choosy = argc - optind > 1 || options.match || options.sender || options.held;
    code = control_ask(&options.target, buffer_text(&command), ANSWER_MS, part_take, &output, &last);
    last_word(&output, code, buffer_text(&last));
    buffer_free(&command);
    buffer_free(&last);
    buffer_free(&output.lines);
    return code;
}
