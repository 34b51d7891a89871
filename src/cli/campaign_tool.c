/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Asks lookup, which keeps the table, and makes its JSON lines readable. */
#include "cli/campaign_tool.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/json.h"
#include "cli/time_words.h"

enum { ASK_LIMIT_MS = 10000 };

static const char help[] =
    "usage: sekimori campaign list [--all] [--json]\n"
    "       sekimori campaign show ID [--json]\n"
    "       sekimori campaign stop ID\n"
    "       sekimori campaign forget ID\n\n"
    "Mails of the last days that are nearly the same, however many senders and networks they come from.\n\n"
    "  list    those that came from two networks or more, were reported or stopped; at most 200\n"
    "  show    one of them, and the newest of its messages that were delivered\n"
    "  stop    what comes of it from now on is held as spam, for 7 days; it alone refuses none\n"
    "  forget  it is no spam: its stop, its reports and its counts end now\n"
    "  --all   with list: also those of one network\n"
    "  --json  one JSON object a line\n\n"
    "ID: of a campaign, as list has it, or of a message that it names (SMTP reply, log, X-Sekimori-Id).\n"
    "The log and explain name the campaign behind the points: also of mail that was held or refused.\n"
    "A stop and a report count neither for mail that is proven to be ours nor for what is protected "
    "otherwise.\n\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0, 64 usage, 66 there is none of that ID, 69 no node, 75 lookup is being "
    "restarted,\n77 you may not. Each stop and forget is recorded: sekimori audit --act campaign.\n";

struct options {
    struct control_target target;
    bool is_json, wants_all;
};

static const struct verb_option table[] = {
    { "all", OPTION_SWITCH, offsetof(struct options, wants_all), NULL, NULL },
    { "json", OPTION_SWITCH, offsetof(struct options, is_json), NULL, NULL },
    OPTIONS_TARGET(struct options),
    { 0 },
};

static const char *const acts[] = { "list", "show", "stop", "forget", NULL };

static const char *act_word(size_t position)
{
    return acts[position];
}

const struct verb_usage campaign_usage = { "campaign", help, table, .word = act_word };

/* --- in words --- */

/* "stopped", "2 reports", or nothing. */
static void state_print(const struct json *campaign, char *out, size_t size)
{
    long long reporters = json_get_number(campaign, "reporters");
    *out = '\0';
    if (json_get_number(campaign, "stopped_ms"))
        snprintf(out, size, "stopped");
    else if (reporters)
        snprintf(out, size, "%lld %s", reporters,
                 text_word_for((uint64_t)reporters, "reporter", "reporters"));
}

static void row_print(const struct json *campaign)
{
    char last[WHEN_SIZE] = "", state[32];
    if (json_get_number(campaign, "last_ms"))
        when_print((uint64_t)json_get_number(campaign, "last_ms"), false, last);
    state_print(campaign, state, sizeof state);
    printf("%s  %-4s %7lld %8lld %7lld %10lld  %-19s  %s\n", json_get_string(campaign, "id"),
           json_get_string(campaign, "kind"), (long long)json_get_number(campaign, "count"),
           (long long)json_get_number(campaign, "networks"), (long long)json_get_number(campaign, "senders"),
           (long long)json_get_number(campaign, "recipients"), last, state);
}

static void time_print(const struct json *campaign, const char *name, const char *what)
{
    char when[WHEN_SIZE];
    uint64_t ms = (uint64_t)json_get_number(campaign, name);
    if (ms) printf("%-15s %s\n", what, when_print(ms, false, when));
}

static void number_print(const struct json *campaign, const char *name, const char *what)
{
    printf("%-15s %lld\n", what, (long long)json_get_number(campaign, name));
}

static void campaign_print(const struct json *campaign)
{
    const struct json *messages = json_get(campaign, "messages");
    printf("%-15s %s\n%-15s %s\n", "campaign", json_get_string(campaign, "id"), "the same",
           json_get_string(campaign, "kind"));
    number_print(campaign, "count", "messages");
    number_print(campaign, "networks", "networks");
    number_print(campaign, "senders", "sender domains");
    number_print(campaign, "recipients", "recipients");
    time_print(campaign, "since_ms", "since");
    time_print(campaign, "last_ms", "last");
    number_print(campaign, "reporters", "reporters");
    time_print(campaign, "stopped_ms", "stopped");
    if (json_get(campaign, "stopped_by"))
        printf("%-15s %s\n", "stopped by",
               strcmp(json_get_string(campaign, "stopped_by"), "user") == 0 ? "a trusted user"
                                                                            : "an administrator");
    for (size_t i = 0; i < json_count(messages); i++)
        printf("%-15s %.*s\n", i ? "" : "delivered", TEXT_ARG(json_as_text(json_at(messages, i))));
}

static void lines_print(struct text says, bool is_list)
{
    struct text line;
    if (is_list && says.length == 0) puts("no campaigns");
    if (is_list && says.length > 0)
        puts("campaign    what   times networks senders recipients  last                 state");
    while (text_next_line(&says, &line)) {
        struct json *campaign = json_parse(line);
        if (campaign && is_list)
            row_print(campaign);
        else if (campaign)
            campaign_print(campaign);
        json_free(campaign);
    }
}

static int ask(const struct options *options, const char *act, const char *which)
{
    struct buffer command = { 0 }, answer = { 0 };
    bool is_list = strcmp(act, "list") == 0;
    buffer_printf(&command, "campaign %s %s", act, is_list && options->wants_all ? "all" : which);
    int code = control_ask(&options->target, buffer_text(&command), ASK_LIMIT_MS, NULL, NULL, &answer);
    if (code != EX_OK && buffer_length(&answer))
        fprintf(stderr, "sekimori campaign: %.*s\n", TEXT_ARG(buffer_text(&answer)));
    else if (code == EX_OK && options->is_json)
        printf("%.*s", TEXT_ARG(buffer_text(&answer)));
    else if (code == EX_OK)
        lines_print(buffer_text(&answer), is_list);
    buffer_free(&command);
    buffer_free(&answer);
    return code;
}

int campaign_main(int argc, char **argv)
{
    struct options options = { 0 };
    int code = options_read(&campaign_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    if (optind == argc) return options_complain(&campaign_usage, "list, show, stop or forget?", "");
    const char *act = argv[optind];
    if (!options_word_is(act, acts))
        return options_complain_word(&campaign_usage, "list, show, stop or forget, not ", act, acts);
    bool is_list = strcmp(act, "list") == 0;
    if (argc - optind != (is_list ? 1 : 2))
        return options_complain(&campaign_usage, is_list ? "list needs no more words" : "one ID is needed",
                                "");
    if (options.wants_all && !is_list) return options_complain(&campaign_usage, "--all goes with list", "");
    return ask(&options, act, is_list ? "" : argv[optind + 1]);
}
