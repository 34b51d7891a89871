/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Asks lookup, which keeps the table, and makes its JSON lines readable. */
#include "cli/campaign_tool.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/json.h"
#include "cli/language_option.h"
#include "cli/time_words.h"

enum { ASK_LIMIT_MS = 10000 };

static const char help[] =
    "usage: sekimori campaign list [--all] [--json] [--language LANG]\n"
    "       sekimori campaign show ID [--json] [--language LANG]\n"
    "       sekimori campaign stop ID\n"
    "       sekimori campaign forget ID\n\n"
    "Mails of the last days that are nearly the same, however many senders and networks they come from.\n\n"
    "  list    those that came from two networks or more, were reported or stopped; at most 200\n"
    "  show    one of them, and the newest of its messages that were delivered\n"
    "  stop    what comes of it from now on is held as spam, for 7 days; it alone refuses none\n"
    "  forget  it is no spam: its stop, its reports and its counts end now\n"
    "  --all   with list: also those of one network\n"
    "  --json  one JSON object a line; with forget as it was before\n"
    "  --language LANG  ja or en (default: as the locale says)\n\n"
    "ID: of a campaign, as list has it, or of a message that it names (SMTP reply, log, X-Sekimori-Id).\n"
    "The log and explain name the campaign behind the points: also of mail that was held or refused.\n"
    "A stop and a report count neither for mail that is proven to be ours nor for what is protected "
    "otherwise.\n\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0, 64 usage, 66 there is none of that ID, 69 no node, 75 lookup is being "
    "restarted,\n77 you may not. Each stop and forget is recorded: sekimori audit --act campaign.\n";

struct options {
    struct control_target target;
    enum language language;
    bool is_json, wants_all;
};

static bool language_take(void *context, const char *word)
{
    return language_option_read(word, &((struct options *)context)->language);
}

static const struct verb_option table[] = {
    { "language", OPTION_VALUE, 0, language_take, LANGUAGE_OPTION_WANTED, .choice = language_option_choice },
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
static void state_print(const struct json *campaign, enum language language, char *out, size_t size)
{
    long long reporters = json_get_number(campaign, "reporters");
    *out = '\0';
    if (json_get_number(campaign, "stopped_ms"))
        snprintf(out, size, "%s", language_option_say(language, "stopped", "停止中"));
    else if (reporters)
        snprintf(out, size,
                 language_option_say(language,
                                     text_word_for((uint64_t)reporters, "%lld reporter", "%lld reporters"),
                                     "届け出 %lld 件"),
                 reporters);
}

static const char *kind_word(const struct json *campaign, enum language language)
{
    const char *kind = json_get_string(campaign, "kind");
    if (language != LANGUAGE_JA) return kind;
    if (strcmp(kind, "text") == 0) return "本文";
    return strcmp(kind, "line") == 0 ? "短文" : strcmp(kind, "file") == 0 ? "添付" : kind;
}

static void row_print(const struct json *campaign, enum language language)
{
    char last[WHEN_SIZE] = "", state[48];
    if (json_get_number(campaign, "last_ms"))
        when_print((uint64_t)json_get_number(campaign, "last_ms"), false, last);
    state_print(campaign, language, state, sizeof state);
    printf("%s  %s%s %7lld %8lld %7lld %10lld  %-19s  %s\n", json_get_string(campaign, "id"),
           kind_word(campaign, language), "", (long long)json_get_number(campaign, "count"),
           (long long)json_get_number(campaign, "networks"), (long long)json_get_number(campaign, "senders"),
           (long long)json_get_number(campaign, "recipients"), last, state);
}

/* `columns`: how many those letters take, so that what stands behind is in line. */
static void label_print(enum language language, const char *en, const char *ja, int columns)
{
    enum { WIDTH = 15 };
    if (language == LANGUAGE_JA)
        printf("%s%*s ", ja, WIDTH - columns, "");
    else
        printf("%-*s ", WIDTH, en);
}

static void time_print(const struct json *campaign, const char *name)
{
    char when[WHEN_SIZE];
    uint64_t ms = (uint64_t)json_get_number(campaign, name);
    puts(ms ? when_print(ms, false, when) : "-");
}

static void number_print(const struct json *campaign, const char *name)
{
    printf("%lld\n", (long long)json_get_number(campaign, name));
}

static void stop_print(const struct json *campaign, enum language language)
{
    if (!json_get_number(campaign, "stopped_ms")) return;
    label_print(language, "stopped", "停止", 4);
    time_print(campaign, "stopped_ms");
    if (!json_get(campaign, "stopped_by")) return;
    bool is_user = strcmp(json_get_string(campaign, "stopped_by"), "user") == 0;
    label_print(language, "stopped by", "停止した人", 10);
    puts(is_user ? language_option_say(language, "a trusted user", "信頼された利用者")
                 : language_option_say(language, "an administrator", "管理者"));
}

static void campaign_print(const struct json *campaign, enum language language)
{
    static const struct {
        const char *name, *en, *ja;
        int columns;
        bool is_time;
    } rows[] = { { "count", "messages", "通数", 4, false },
                 { "networks", "networks", "ネットワーク", 12, false },
                 { "senders", "sender domains", "送信ドメイン", 12, false },
                 { "recipients", "recipients", "宛先", 4, false },
                 { "since_ms", "since", "最初", 4, true },
                 { "last_ms", "last", "最後", 4, true },
                 { "reporters", "reporters", "届け出た人", 10, false } };
    const struct json *messages = json_get(campaign, "messages");
    label_print(language, "campaign", "キャンペーン", 12);
    puts(json_get_string(campaign, "id"));
    label_print(language, "the same", "同じもの", 8);
    puts(kind_word(campaign, language));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].is_time && !json_get_number(campaign, rows[i].name)) continue;
        label_print(language, rows[i].en, rows[i].ja, rows[i].columns);
        (rows[i].is_time ? time_print : number_print)(campaign, rows[i].name);
    }
    stop_print(campaign, language);
    for (size_t i = 0; i < json_count(messages); i++) {
        label_print(language, i ? "" : "delivered", i ? "" : "配送済み", i ? 0 : 8);
        printf("%.*s\n", TEXT_ARG(json_as_text(json_at(messages, i))));
    }
}

/* `says`: as it was before. */
static void forgotten_print(struct text says, enum language language)
{
    struct json *campaign = json_parse(says);
    if (campaign)
        printf(language_option_say(language,
                                   "campaign %s is forgotten: its stop, reports and counts have ended\n",
                                   "キャンペーン %s を忘れた: 停止、届け出、通数は無効になった\n"),
               json_get_string(campaign, "id"));
    json_free(campaign);
}

static void lines_print(struct text says, bool is_list, enum language language)
{
    struct text line;
    if (is_list && says.length == 0)
        puts(language_option_say(language, "no campaigns", "キャンペーンはない"));
    if (is_list && says.length > 0)
        puts(language_option_say(
            language, "campaign    what   times networks senders recipients  last                 state",
            "ID          種類    通数   ネット  送信元       宛先  最後                 状態"));
    while (text_next_line(&says, &line)) {
        struct json *campaign = json_parse(line);
        if (campaign && is_list)
            row_print(campaign, language);
        else if (campaign)
            campaign_print(campaign, language);
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
    else if (code == EX_OK && strcmp(act, "forget") == 0)
        forgotten_print(buffer_text(&answer), options->language);
    else if (code == EX_OK)
        lines_print(buffer_text(&answer), is_list, options->language);
    buffer_free(&command);
    buffer_free(&answer);
    return code;
}

int campaign_main(int argc, char **argv)
{
    struct options options = { .language = language_option_of_locale() };
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
