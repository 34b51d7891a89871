/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Asks lookup, which keeps who is held, and makes its JSON lines readable. */
#include "cli/inside_tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/json.h"
#include "cli/locale_words.h"
#include "cli/plain_options.h"
#include "cli/time_words.h"

enum { ASK_LIMIT_MS = 10000 };

static const char help[] =
    "usage: sekimori inside held [--json]\n"
    "       sekimori inside release ADDRESS\n\n"
    "Senders inside that passed a line of `inside` in the configuration, as somebody does with a stolen\n"
    "password. Their mail is held in the quarantine until the hold ends by itself or here.\n\n"
    "  held     who they are, why, until when, and how many messages came since\n"
    "  release  what comes of this sender from now on is judged as before; its counts begin anew\n"
    "  --json   one JSON object a line\n\n"
    "What was held stays in the quarantine: sekimori quarantine list, release and "
    "delete.\n\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0, 64 usage, 66 that sender is not held, 69 no node, 75 lookup is being restarted,\n"
    "77 you may not. Each release is recorded: sekimori audit --act inside.\n";

static const char *const acts[] = { "held", "release", NULL };

static const char *act_word(size_t position)
{
    return acts[position];
}

const struct verb_usage inside_usage = { "inside", help, plain_options_table, .word = act_word };

/* With the numbers that the node's English has, in their order; NULL: another cause. */
static const char *cause_words(const char *cause)
{
    static const struct {
        const char *cause, *words;
    } rows[] = { { "recipients", N_("%llu recipients in an hour") },
                 { "refused", N_("%llu of %llu recipients refused in an hour") },
                 { "spam", N_("%llu messages like spam in an hour") },
                 { "networks", N_("sent from %llu networks in an hour") } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(cause, rows[i].cause) == 0) return locale_words_say(rows[i].words);
    return NULL;
}

static void why_print(const char *cause, const char *says)
{
    unsigned long long numbers[2] = { 0 };
    const char *words = cause_words(cause), *at = says;
    for (size_t i = 0; i < 2; i++) {
        char *end;
        at += strcspn(at, "0123456789");
        numbers[i] = strtoull(at, &end, 10);
        at = end;
    }
    if (words)
        printf(words, numbers[0], numbers[1]);
    else
        fputs(says, stdout);
}

static void row_print(const struct json *held)
{
    char since[WHEN_SIZE], until[WHEN_SIZE];
    when_print((uint64_t)json_get_number(held, "since_ms"), false, since);
    when_print((uint64_t)json_get_number(held, "until_ms"), false, until);
    printf("%s\n  ", json_get_string(held, "sender"));
    printf(locale_words_say(N_("since %s, until %s, %lld held: ")), since, until,
           (long long)json_get_number(held, "messages"));
    why_print(json_get_string(held, "cause"), json_get_string(held, "says"));
    putchar('\n');
}

static void lines_print(struct text says)
{
    struct text line;
    if (says.length == 0) puts(locale_words_say(N_("no sender is held")));
    while (text_next_line(&says, &line)) {
        struct json *held = json_parse(line);
        if (held) row_print(held);
        json_free(held);
    }
}

static int ask(const struct plain_options *options, const char *act, const char *sender)
{
    struct buffer command = { 0 }, answer = { 0 };
    bool is_list = strcmp(act, "held") == 0;
    buffer_printf(&command, "inside %s %s", act, sender);
    int code = control_ask(&options->target, buffer_text(&command), ASK_LIMIT_MS, NULL, NULL, &answer);
    if (code != EX_OK && buffer_length(&answer))
        fprintf(stderr, "sekimori inside: %.*s\n", TEXT_ARG(buffer_text(&answer)));
    else if (code == EX_OK && is_list && options->is_json)
        printf("%.*s", TEXT_ARG(buffer_text(&answer)));
    else if (code == EX_OK && is_list)
        lines_print(buffer_text(&answer));
    buffer_free(&command);
    buffer_free(&answer);
    return code;
}

int inside_main(int argc, char **argv)
{
    struct plain_options options = { 0 };
    int code = options_read(&inside_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    if (optind == argc) return options_complain(&inside_usage, "held or release?", "");
    const char *act = argv[optind];
    if (!options_word_is(act, acts))
        return options_complain_word(&inside_usage, "held or release, not ", act, acts);
    bool is_list = strcmp(act, "held") == 0;
    if (argc - optind != (is_list ? 1 : 2))
        return options_complain(&inside_usage, is_list ? "held needs no more words" : "one ADDRESS is needed",
                                "");
    return ask(&options, act, is_list ? "" : argv[optind + 1]);
}
