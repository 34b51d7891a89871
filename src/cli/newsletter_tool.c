/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "cli/newsletter_tool.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/json.h"
#include "cli/control.h"
#include "cli/language_option.h"
#include "cli/time_words.h"

enum { ANSWER_MS = 30000 };

static const char help[] =
    "usage: sekimori newsletter approve NAME/DOMAIN [--for ADDRESS]\n"
    "       sekimori newsletter forget NAME/DOMAIN [--for ADDRESS]\n"
    "       sekimori newsletter list [--json] [--language LANG]\n\n"
    "Newsletters that are wanted: one that is approved is never tagged, held or refused for its points.\n"
    "NAME/DOMAIN is what the log and the field X-Sekimori-Class of one of them say: its List-Id, or the "
    "host\n"
    "at which one unsubscribes, and the domain that is proven to have sent it.\n\n"
    "  approve         from now on\n"
    "  forget          as before it was approved\n"
    "  list            what is approved, for whom, since when and by whom\n"
    "  --for ADDRESS   for this recipient; without it for everybody\n"
    "  --json          with list: one JSON object a line\n"
    "  --language LANG ja or en (default: as the locale says)\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0, 64 usage, 65 no such name, domain or recipient, or what is to\n"
    "be forgotten is not approved, 69 no node answers, 73 there are too "
    "many,\n"
    "74 it cannot be written, 77 not allowed.\n";

struct options {
    struct control_target target;
    const char *whom;
    enum language language;
    bool is_json;
    size_t lines; /* of the list, so far */
};

static bool language_take(void *context, const char *word)
{
    return language_option_read(word, &((struct options *)context)->language);
}

static const struct verb_option table[] = {
    { "language", OPTION_VALUE, 0, language_take, LANGUAGE_OPTION_WANTED, .choice = language_option_choice },
    { "for", OPTION_WORD, offsetof(struct options, whom), NULL, NULL },
    { "json", OPTION_SWITCH, offsetof(struct options, is_json), NULL, NULL },
    OPTIONS_TARGET(struct options),
    { 0 }
};

static const char *const words[] = { "approve", "forget", "list", NULL };

static const char *newsletter_word(size_t position)
{
    return words[position];
}

const struct verb_usage newsletter_usage = { "newsletter", help, table, .word = newsletter_word };

static void line_print(void *context, struct text line)
{
    struct options *options = context;
    struct json *item = options->is_json ? NULL : json_parse(line);
    char when[WHEN_SIZE];
    options->lines++;
    if (!item) {
        printf("%.*s\n", TEXT_ARG(line));
        return;
    }
    bool is_japanese = options->language == LANGUAGE_JA;
    const char *whom = json_get_string(item, "for");
    if (is_japanese && strcmp(whom, "everybody") == 0) whom = "全員";
    printf(is_japanese ? "%s  %s/%s  宛先 %s  承認 %s\n" : "%s  %s/%s  for %s  by %s\n",
           when_print((uint64_t)json_get_number(item, "time_ms"), true, when), json_get_string(item, "name"),
           json_get_string(item, "domain"), whom, json_get_string(item, "by"));
    json_free(item);
}

/* `done`: what is said where the node has nothing to say to it; empty: nothing. */
static int ask(struct options *options, struct text command, struct text done)
{
    struct buffer out = { 0 };
    int code = control_ask_lines(&options->target, command, ANSWER_MS, line_print, options, &out);
    if (code == EX_OK && options->lines == 0 && buffer_length(&out) == 0) buffer_add_text(&out, done);
    if (buffer_length(&out) && code == EX_OK)
        printf("%.*s\n", TEXT_ARG(buffer_text(&out)));
    else if (buffer_length(&out))
        fprintf(stderr, "sekimori newsletter: %.*s\n", TEXT_ARG(buffer_text(&out)));
    buffer_free(&out);
    return code;
}

static int list_do(struct options *options)
{
    const char *none = language_option_say(options->language, "no newsletters are approved",
                                           "承認されたニュースレターはない");
    return ask(options, TEXT("newsletter list"), options->is_json ? TEXT_NONE : text_of(none));
}

/* "b/a.example is approved for everybody". */
static void change_word(const struct options *options, bool is_forget, const char *which, struct buffer *out)
{
    const char *all = language_option_say(options->language, "everybody", "全員");
    const char *said = is_forget ? language_option_say(options->language, "%s is no longer approved for %s",
                                                       "%s の承認を取り消した (宛先 %s)")
                                 : language_option_say(options->language, "%s is approved for %s",
                                                       "%s を承認した (宛先 %s)");
    buffer_printf(out, said, which, options->whom ? options->whom : all);
}

static int change_do(struct options *options, const char *verb, const char *which)
{
    struct buffer command = { 0 }, done = { 0 };
    buffer_printf(&command, "newsletter %s %s %s", verb, which, options->whom ? options->whom : "*");
    change_word(options, strcmp(verb, "forget") == 0, which, &done);
    int code = ask(options, buffer_text(&command), buffer_text(&done));
    buffer_free(&command);
    buffer_free(&done);
    return code;
}

int newsletter_main(int argc, char **argv)
{
    struct options options = { .language = language_option_of_locale() };
    int code = options_read(&newsletter_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    if (optind == argc) return options_complain(&newsletter_usage, "approve, forget or list?", "");
    const char *verb = argv[optind], *which = argv[optind + 1];
    if (!options_word_is(verb, words))
        return options_complain_word(&newsletter_usage, "approve, forget or list, not ", verb, words);
    bool is_list = strcmp(verb, "list") == 0;
    if (is_list ? argc > optind + 1 : argc != optind + 2)
        return options_complain(&newsletter_usage,
                                is_list ? "list needs no more words" : "one NAME/DOMAIN is needed", "");
    if (is_list) return list_do(&options);
    if (!strchr(which, '/') || strpbrk(which, " \t\r\n") ||
        (options.whom && strpbrk(options.whom, " \t\r\n")))
        return options_complain(&newsletter_usage, "NAME/DOMAIN is wanted, not ", which);
    return change_do(&options, verb, which);
}
