/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "cli/proposal_list.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/json.h"
#include "base/plain.h"
#include "cli/language_option.h"
#include "cli/time_words.h"

enum { ANSWER_MS = 120000, COLUMNS = 60 };

struct listing {
    enum language language;
    bool is_json;
    size_t count;
};

static void part_print(const struct json *proposal, const char *name)
{
    struct buffer out = { 0 };
    plain_add(&out, text_of(json_get_string(proposal, name)), COLUMNS);
    printf("%.*s", TEXT_ARG(buffer_text(&out)));
    buffer_free(&out);
}

static void proposal_print(const struct json *proposal, enum language language)
{
    char when[WHEN_SIZE];
    long long reporters = json_get_number(proposal, "reporters");
    printf(language_option_say(language, "%6lld  %-4s  %s  told by ", "%6lld  %-4s  %s  届け出 "),
           (long long)json_get_number(proposal, "number"), json_get_string(proposal, "class"),
           when_print((uint64_t)json_get_number(proposal, "told_ms"), false, when));
    part_print(proposal, "reporter");
    if (reporters > 1)
        printf(language_option_say(language, " and %lld more", "、ほか %lld 人"), reporters - 1);
    putchar('\n');
    if (!*json_get_string(proposal, "message")) {
        puts(language_option_say(
            language, "        not found among messages of ours: what the copy says is not to be trusted",
            "        届いたメールの中に見つからない。写しの内容は信用できない"));
        return;
    }
    printf("        %s  From: ", json_get_string(proposal, "message"));
    part_print(proposal, "from");
    fputs("\n        \"", stdout);
    part_print(proposal, "subject");
    puts("\"");
}

static void line_print(void *context, struct text line)
{
    struct listing *listing = context;
    listing->count++;
    struct json *proposal = listing->is_json ? NULL : json_parse(line);
    if (listing->is_json)
        printf("%.*s\n", TEXT_ARG(line));
    else if (proposal)
        proposal_print(proposal, listing->language);
    json_free(proposal);
}

int proposal_list_print(const struct control_target *target, bool is_json, enum language language)
{
    struct listing listing = { .is_json = is_json, .language = language };
    struct buffer out = { 0 };
    int code = control_ask_lines(target, TEXT("learn proposals"), ANSWER_MS, line_print, &listing, &out);
    if (code != EX_OK && buffer_length(&out))
        fprintf(stderr, "sekimori learn: %.*s\n", TEXT_ARG(buffer_text(&out)));
    else if (code == EX_OK && !is_json && listing.count == 0)
        puts(language_option_say(language, "no report waits", "判断を待つ届け出はない"));
    buffer_free(&out);
    return code;
}

static void decided_print(struct text answer, bool is_yes, enum language language)
{
    struct json *decided = json_parse(answer);
    long long spam = json_get_number(decided, "spam"), ham = json_get_number(decided, "ham");
    long long known = json_get_number(decided, "known"), missing = json_get_number(decided, "missing");
    printf(language_option_say(language, "%lld spam and %lld ham %s",
                               "迷惑メール %lld 通、正当なメール %lld 通を%s"),
           spam, ham,
           is_yes ? language_option_say(language, "learned", "学習した")
                  : language_option_say(language, "declined", "学習しないことにした"));
    if (known) printf(language_option_say(language, "; %lld learned before", "。学習済み %lld 通"), known);
    if (missing)
        printf(language_option_say(language, "; %lld of these numbers do not wait",
                                   "。待っていない番号 %lld 件"),
               missing);
    putchar('\n');
    json_free(decided);
}

int proposal_list_decide(const struct control_target *target, char *const *numbers, bool is_all, bool is_yes,
                         enum language language)
{
    struct buffer command = { 0 }, out = { 0 };
    buffer_printf(&command, "learn %s", is_yes ? "accept" : "decline");
    if (is_all) buffer_add_text(&command, TEXT(" all"));
    for (; !is_all && *numbers; numbers++) buffer_printf(&command, " %s", *numbers);
    int code = control_ask(target, buffer_text(&command), ANSWER_MS, NULL, NULL, &out);
    if (code == EX_OK)
        decided_print(buffer_text(&out), is_yes, language);
    else if (buffer_length(&out))
        fprintf(stderr, "sekimori learn: %.*s\n", TEXT_ARG(buffer_text(&out)));
    buffer_free(&command);
    buffer_free(&out);
    return code;
}
