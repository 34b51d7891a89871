/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Asks lookup, which remembers them, and makes its JSON readable. */
#include "cli/sender_tool.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/json.h"
#include "cli/locale_words.h"
#include "cli/plain_options.h"
#include "cli/time_words.h"

enum { ASK_LIMIT_MS = 10000, WITH_MOST = 2, LABEL_COLUMNS = 16 };

static const char help[] =
    "usage: sekimori sender show WHICH [WITH] [--json]\n"
    "       sekimori sender forget WHICH [WITH]\n\n"
    "What this node remembers of senders: for greylisting, reputation and first contact.\n\n"
    "  show    what is known of it\n"
    "  forget  it is as if it had never been here\n"
    "  --json  one JSON object\n\n"
    "WHICH: an outside address, a domain in From that was proven, or a network of clients (192.0.2.0/24; an\n"
    "address of a client stands for its /24 or /64). WITH an address: one of our addresses, for whether the "
    "two had\n"
    "mail of each other; with a network: the sender's domain, for whether its mail from there is known and "
    "not\n"
    "greylisted. What is kept are hashes: nothing can be listed.\n\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0, 64 usage, 66 nothing is known to be forgotten, 69 no node or no store, 75 lookup is "
    "being\n"
    "restarted, 77 you may not. Each forget is recorded: sekimori audit --act sender.\n";

static const char *const acts[] = { "show", "forget", NULL };

static const char *act_word(size_t position)
{
    return acts[position];
}

const struct verb_usage sender_usage = { "sender", help, plain_options_table, .word = act_word };

/* --- in words --- */

static void time_print(const struct json *sender, const char *name, const char *what)
{
    char when[WHEN_SIZE];
    if (!json_get(sender, name)) return;
    uint64_t ms = (uint64_t)json_get_number(sender, name);
    locale_words_label(what, LABEL_COLUMNS);
    puts(ms ? when_print(ms, false, when) : locale_words_say(N_("never")));
}

static void sender_print(const struct json *sender)
{
    bool is_network = strcmp(json_get_string(sender, "kind"), "network") == 0;
    locale_words_label(json_get_string(sender, "kind"), LABEL_COLUMNS);
    puts(json_get_string(sender, "name"));
    time_print(sender, "known_since_ms", N_("known since"));
    time_print(sender, "written_to_ms", N_("written to"));
    if (json_get(sender, "messages")) {
        locale_words_label(N_("its messages"), LABEL_COLUMNS);
        printf(locale_words_say(N_("%lld in %lld days, %lld of them spam\n")),
               (long long)json_get_number(sender, "messages"), (long long)json_get_number(sender, "days"),
               (long long)json_get_number(sender, "spam"));
    }
    time_print(sender, "together_ms", is_network ? N_("known there") : N_("last contact"));
}

static void answer_print(struct text says, bool is_json)
{
    struct json *sender = is_json ? NULL : json_parse(says);
    if (is_json)
        printf("%.*s", TEXT_ARG(says));
    else if (sender && json_get(sender, "forgotten"))
        printf(locale_words_say(N_("forgotten: %lld\n")), (long long)json_get_number(sender, "forgotten"));
    else if (sender)
        sender_print(sender);
    json_free(sender);
}

static int ask(const struct plain_options *options, char **words, int count)
{
    struct buffer command = { 0 }, answer = { 0 };
    buffer_add_text(&command, TEXT("sender"));
    for (int i = 0; i < count; i++) buffer_printf(&command, " %s", words[i]);
    int code = control_ask(&options->target, buffer_text(&command), ASK_LIMIT_MS, NULL, NULL, &answer);
    if (code == EX_OK)
        answer_print(buffer_text(&answer), options->is_json);
    else if (buffer_length(&answer))
        fprintf(stderr, "sekimori sender: %.*s\n", TEXT_ARG(buffer_text(&answer)));
    buffer_free(&command);
    buffer_free(&answer);
    return code;
}

int sender_main(int argc, char **argv)
{
    struct plain_options options = { 0 };
    int code = options_read(&sender_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    if (optind == argc) return options_complain(&sender_usage, "show or forget?", "");
    const char *act = argv[optind];
    if (!options_word_is(act, acts))
        return options_complain_word(&sender_usage, "show or forget, not ", act, acts);
    if (argc - optind < 2 || argc - optind > 1 + WITH_MOST)
        return options_complain(&sender_usage, "one address, domain or network is needed", "");
    for (int i = optind + 1; i < argc; i++)
        if (strpbrk(argv[i], " \t\r\n") || argv[i][0] == '\0')
            return options_complain(&sender_usage, "no address, domain or network: ", argv[i]);
    return ask(&options, argv + optind, argc - optind);
}
