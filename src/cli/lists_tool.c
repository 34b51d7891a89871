/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Asks lookup, which has the lists, and makes its JSON lines readable. */
#include "cli/lists_tool.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/json.h"
#include "cli/language_option.h"
#include "cli/locale_words.h"
#include "cli/plain_options.h"
#include "cli/time_words.h"
#include "statistics/list_words.h"

enum { ASK_LIMIT_MS = 130000, STATE_COLUMNS = 14 };

static const char help[] =
    "usage: sekimori lists [--json]\n"
    "       sekimori lists test ADDRESS|NAME|HASH|URL|MAILBOX [--json]\n\n"
    "Says of each list of the configuration whether it is in force, what it is asked about, how many\n"
    "entries its file has or when its zone was tried last, and why one is aside.\n\n"
    "  test    which lists have an address, a domain name, a file's SHA-256, a link or a mail address, and\n"
    "          why: all that can have such a thing are asked, as the running node asks them\n"
    "  --json  one JSON object a line\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0, with test 0 some list has it, 1 none has; 64 usage, 69 no node, 75 no list that\n"
    "answered has it and some did not answer, or lookup is being restarted, 77 you may not.\n";

static const char *const acts[] = { "test", NULL };

static const char *act_word(size_t position)
{
    return position == 0 ? acts[0] : NULL;
}

const struct verb_usage lists_usage = { "lists", help, plain_options_table, .word = act_word };

/* --- in words --- */

static void when_or_never(const struct json *list, const char *name, char room[WHEN_SIZE])
{
    uint64_t ms = (uint64_t)json_get_number(list, name);
    snprintf(room, WHEN_SIZE, "%s", locale_words_say(N_("never")));
    if (ms) when_print(ms, false, room);
}

/* `what`, marked by N_(), before a reason; nothing where there is none. */
static void why_print(const char *what, const char *why)
{
    struct buffer words = { 0 };
    if (!why || !*why) return;
    list_words_add(&words, language_option_of_locale(), text_of(why));
    printf(locale_words_say(what), TEXT_ARG(buffer_text(&words)));
    buffer_free(&words);
}

/* Of a file by HTTPS. */
static void fetching_print(const struct json *list)
{
    char when[WHEN_SIZE];
    when_or_never(list, "fetched_ms", when);
    printf(locale_words_say(N_("    known to be the newest: %s%s\n")), when,
           json_get_number(list, "is_stale") ? locale_words_say(N_(", which is too old")) : "");
    why_print(N_("    not fetched: %.*s\n"), json_get_string(list, "trouble"));
}

static void list_print(const struct json *list)
{
    char when[WHEN_SIZE];
    const char *file = json_get_string(list, "file");
    long long entries = json_get_number(list, "entries");
    bool is_file = file && *file;
    when_or_never(list, is_file ? "loaded_ms" : "probed_ms", when);
    printf("%-20s ", json_get_string(list, "list"));
    locale_words_label(json_get_string(list, "state"), STATE_COLUMNS);
    fputs(locale_words_say(N_("about ")), stdout);
    puts(json_get_string(list, "about"));
    if (is_file)
        printf(locale_words_say(text_word_for((uint64_t)entries, N_("    %s: %lld entry, read %s\n"),
                                              N_("    %s: %lld entries, read %s\n"))),
               file, entries, when);
    else
        printf(locale_words_say(N_("    %s: tried %s, asked %lld, listed %lld\n")),
               json_get_string(list, "zone"), when, (long long)json_get_number(list, "asked"),
               (long long)json_get_number(list, "listed"));
    if (json_get(list, "fetched_ms")) fetching_print(list);
    why_print(is_file ? N_("    refused: %.*s\n") : N_("    it %.*s\n"), json_get_string(list, "problem"));
}

static void hit_print(const struct json *hit)
{
    const char *file = json_get_string(hit, "file");
    printf("%s", json_get_string(hit, "says"));
    if (file && *file) printf(" [%s:%lld]", file, (long long)json_get_number(hit, "line"));
    puts("");
}

static void lines_print(struct text says, bool is_test)
{
    struct text line;
    if (says.length == 0) puts(locale_words_say(is_test ? N_("no list has it") : N_("no lists")));
    while (text_next_line(&says, &line)) {
        struct json *object = json_parse(line);
        if (object && is_test)
            hit_print(object);
        else if (object)
            list_print(object);
        json_free(object);
    }
}

/* --- asking --- */

/* Which lists "lists test" could not ask, on standard error: those that are aside, or have no file yet. */
static void unasked_say(const struct control_target *target)
{
    struct buffer answer = { 0 };
    struct text rest, line;
    int code = control_ask(target, TEXT("lists"), ASK_LIMIT_MS, NULL, NULL, &answer);
    rest = buffer_text(&answer);
    while (code == EX_OK && text_next_line(&rest, &line)) {
        struct json *list = json_parse(line);
        const char *state = list ? json_get_string(list, "state") : NULL;
        if (state && strcmp(state, "in force") != 0)
            fprintf(stderr, locale_words_say(N_("sekimori lists: %s was not asked: it is %s\n")),
                    json_get_string(list, "list"), locale_words_say(state));
        json_free(list);
    }
    buffer_free(&answer);
}

static int ask(const struct plain_options *options, const char *command, bool is_test)
{
    struct buffer answer = { 0 };
    int code = control_ask(&options->target, text_of(command), ASK_LIMIT_MS, NULL, NULL, &answer);
    bool is_answer = code == EX_OK || (is_test && code == 1);
    if (is_test && code == EX_TEMPFAIL && buffer_length(&answer) == 0)
        fputs(locale_words_say(N_("sekimori lists: some list did not answer; none that did has it\n")),
              stderr);
    else if (!is_answer && buffer_length(&answer) > 0)
        fprintf(stderr, "%.*s\n", TEXT_ARG(buffer_text(&answer)));
    else if (is_answer && options->is_json)
        printf("%.*s", TEXT_ARG(buffer_text(&answer)));
    else if (is_answer)
        lines_print(buffer_text(&answer), is_test);
    if (is_test && code == 1) unasked_say(&options->target);
    buffer_free(&answer);
    return code;
}

int lists_tool_settle(const struct control_target *target)
{
    struct buffer answer = { 0 };
    int code = control_ask(target, TEXT("lists settle"), ASK_LIMIT_MS, NULL, NULL, &answer);
    if (code == EX_DATAERR) fprintf(stderr, "%.*s", TEXT_ARG(buffer_text(&answer)));
    buffer_free(&answer);
    return code;
}

int lists_main(int argc, char **argv)
{
    struct plain_options options = { 0 };
    char command[512];
    int code = options_read(&lists_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    if (optind == argc) return ask(&options, "lists", false);
    if (!options_word_is(argv[optind], acts))
        return options_complain_word(&lists_usage, "test, not ", argv[optind], acts);
    if (argc - optind != 2)
        return options_complain(&lists_usage, "one ADDRESS, NAME, HASH, URL or MAILBOX is needed", "");
    if (strlen(argv[optind + 1]) > 300 || strpbrk(argv[optind + 1], " \t\n"))
        return options_complain(&lists_usage,
                                "no address, name, SHA-256, link or mail address: ", argv[optind + 1]);
    snprintf(command, sizeof command, "lists test %s", argv[optind + 1]);
    return ask(&options, command, true);
}
