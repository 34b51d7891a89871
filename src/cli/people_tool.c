/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "cli/people_tool.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/json.h"
#include "base/plain.h"
#include "cli/control.h"
#include "cli/locale_words.h"
#include "cli/plain_options.h"
#include "cli/time_words.h"

enum { ANSWER_MS = 30000, NAME_COLUMNS = 40, DATE_BYTES = 10, STATE_COLUMNS = 11 };

static const char help[] =
    "usage: sekimori people list [--json]\n"
    "       sekimori people forget NAME|ADDRESS [--json]\n\n"
    "Names of our own senders, learned from mail that they sent (outside { learn people on }). Mail from\n"
    "outside under a name that is known, from an address of nobody who bears it, has the signal\n"
    "IMPOSTOR_COLLEAGUE. Names of the file `people` go by the file.\n\n"
    "  list     name, address, mails, days, the last day; known: it counts, seen: not yet\n"
    "           (five mails on three days), forgotten: it never does\n"
    "  forget   this name, or all names of this address, do not count any longer\n"
    "  --json   with list: one JSON object a line\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0, 64 usage, 65 nobody is known by that name or address, 69 no node answers,\n"
    "74 it cannot be written, 75 the ledger cannot be read now, 77 not allowed.\n";

static const char *const words[] = { "list", "forget", NULL };

static const char *people_word(size_t position)
{
    return words[position];
}

const struct verb_usage people_usage = { "people", help, plain_options_table, .word = people_word };

static void line_print(void *context, struct text line)
{
    const struct plain_options *options = context;
    struct json *item = options->is_json ? NULL : json_parse(line);
    char when[WHEN_SIZE];
    if (!item) {
        printf("%.*s\n", TEXT_ARG(line));
        return;
    }
    struct buffer out = { 0 };
    plain_add(&out, text_of(json_get_string(item, "name")), NAME_COLUMNS);
    buffer_add_text(&out, TEXT(" <"));
    plain_add(&out, text_of(json_get_string(item, "address")), NAME_COLUMNS * 2);
    locale_words_label(json_get_string(item, "state"), STATE_COLUMNS);
    printf(locale_words_say(N_("%5lld mails on %3lld days until %.*s  %.*s>\n")),
           (long long)json_get_number(item, "mails"), (long long)json_get_number(item, "days"), DATE_BYTES,
           when_print((uint64_t)json_get_number(item, "last_ms"), true, when), TEXT_ARG(buffer_text(&out)));
    buffer_free(&out);
    json_free(item);
}

static int ask(struct plain_options *options, struct text command)
{
    struct buffer out = { 0 };
    int code = control_ask_lines(&options->target, command, ANSWER_MS, line_print, options, &out);
    if (buffer_length(&out))
        fprintf(code == EX_OK ? stdout : stderr, "sekimori people: %.*s\n", TEXT_ARG(buffer_text(&out)));
    buffer_free(&out);
    return code;
}

int people_main(int argc, char **argv)
{
    struct plain_options options = { 0 };
    struct buffer command = { 0 };
    int code = options_read(&people_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    if (optind == argc) return options_complain(&people_usage, "list or forget?", "");
    const char *verb = argv[optind], *what = argv[optind + 1];
    if (!options_word_is(verb, words))
        return options_complain_word(&people_usage, "list or forget, not ", verb, words);
    bool is_list = strcmp(verb, "list") == 0;
    if (is_list ? argc > optind + 1 : argc != optind + 2)
        return options_complain(&people_usage,
                                is_list ? "list needs no more words" : "one NAME or ADDRESS is needed", "");
    if (is_list) return ask(&options, TEXT("people list"));
    if (strpbrk(what, "\t\r\n"))
        return options_complain(&people_usage, "NAME or ADDRESS is wanted, not ", what);
    buffer_printf(&command, "people forget %s", what);
    code = ask(&options, buffer_text(&command));
    buffer_free(&command);
    return code;
}
