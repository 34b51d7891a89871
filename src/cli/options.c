/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Hands the table to getopt_long. */
#include "cli/options.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/die.h"
#include "cli/time_words.h"
#include "config/nearest.h"

enum { CHOICES_MOST = 40 };
enum { FIRST_ROW = 256 }; /* what getopt_long gives back for a row, behind all letters */

static int has_argument(enum option_kind kind)
{
    if (kind == OPTION_MAYBE) return optional_argument;
    return kind == OPTION_SWITCH ? no_argument : required_argument;
}

static void longs_fill(const struct verb_option *table, struct option longs[OPTIONS_MOST + 2])
{
    int count = 0;
    for (const struct verb_option *row = table; row->name; row++, count++) {
        if (count == OPTIONS_MOST) bug("more options than a verb may have");
        longs[count] = (struct option){ row->name, has_argument(row->kind), NULL, FIRST_ROW + count };
    }
    longs[count] = (struct option){ "help", no_argument, NULL, 'h' };
}

/* "h" and the letters of the table, each with a colon where a word follows. */
static void shorts_fill(const struct verb_option *table, char shorts[2 * OPTIONS_MOST + 2])
{
    *shorts++ = 'h';
    for (const struct verb_option *row = table; row->name; row++) {
        if (!row->letter) continue;
        *shorts++ = row->letter;
        if (row->kind != OPTION_SWITCH) *shorts++ = ':';
    }
    *shorts = '\0';
}

static const struct verb_option *row_of(const struct verb_option *table, int option)
{
    if (option >= FIRST_ROW) return &table[option - FIRST_ROW];
    while (table->letter != option) table++;
    return table;
}

static bool number_take(const struct verb_option *row, const char *word, uint64_t *out)
{
    uint64_t number;
    if (!text_to_number(text_of(word), row->most, &number) || number < row->least) return false;
    *out = number;
    return true;
}

/* NULL: taken; else what to say before the word. */
static const char *row_take(const struct verb_option *row, const char *word, void *options)
{
    void *place = (char *)options + row->offset;
    switch (row->kind) {
    case OPTION_SWITCH:
        *(bool *)place = true;
        return NULL;
    case OPTION_WORD:
        *(const char **)place = word;
        return NULL;
    case OPTION_TEXT:
        *(struct text *)place = text_of(word);
        return NULL;
    case OPTION_TIME:
        return when_parse(text_of(word), when_now_ms(), place) ? NULL : row->complaint;
    case OPTION_DAY:
        return when_parse_day(text_of(word), when_now_ms(), place) ? NULL : row->complaint;
    case OPTION_NUMBER:
        return number_take(row, word, place) ? NULL : row->complaint;
    default:
        return row->take(options, word) ? NULL : row->complaint;
    }
}

/* The first paragraph of the help: all of it would drive the complaint off the screen. */
static int usage_say(const struct verb_usage *usage)
{
    const char *end = strstr(usage->help, "\n\n");
    fprintf(stderr, "%.*s\n`sekimori %s --help` explains it.\n",
            end ? (int)(end - usage->help) : (int)strlen(usage->help), usage->help, usage->verb);
    return EX_USAGE;
}

/* What is wrong with it stands behind the word, which may be anything. */
static int named_take(const struct verb_usage *usage, const struct verb_option *row, const char *word,
                      void *options)
{
    const char *why = row->say(options, row->name, word);
    if (!why) return OPTIONS_GO_ON;
    fprintf(stderr, "sekimori %s: --%s %s: %s\n", usage->verb, row->name, word, why);
    return usage_say(usage);
}

static int value_complain(const struct verb_usage *usage, const struct verb_option *row,
                          const char *complaint, const char *word)
{
    const char *names[CHOICES_MOST + 1] = { 0 };
    if (!row->choice) return options_complain(usage, complaint, word);
    for (size_t i = 0; i < CHOICES_MOST && (names[i] = row->choice(i)); i++) {
    }
    return options_complain_word(usage, complaint, word, names);
}

static int words_read(const struct verb_usage *usage, int argc, char **argv, const struct option *longs,
                      void *options)
{
    char shorts[2 * OPTIONS_MOST + 2];
    shorts_fill(usage->table, shorts);
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        if (option == 'h') {
            fputs(usage->help, stdout);
            return EX_OK;
        }
        if (option == '?') {
            options_suggest(usage->verb, longs, argv);
            return usage_say(usage);
        }
        const struct verb_option *row = row_of(usage->table, option);
        if (row->kind == OPTION_NAMED) {
            int code = named_take(usage, row, optarg, options);
            if (code != OPTIONS_GO_ON) return code;
            continue;
        }
        const char *complaint = row_take(row, optarg, options);
        if (complaint) return value_complain(usage, row, complaint, optarg);
    }
    return OPTIONS_GO_ON;
}

int options_read(const struct verb_usage *usage, int argc, char **argv, void *options)
{
    struct option longs[OPTIONS_MOST + 2] = { 0 };
    char name[64], *first = argv[0];
    longs_fill(usage->table, longs);
    snprintf(name, sizeof name, "sekimori %s", usage->verb);
    argv[0] = name; /* getopt begins its complaints with it */
    int code = words_read(usage, argc, argv, longs, options);
    argv[0] = first;
    return code;
}

int options_read_all(const struct verb_usage *usage, int argc, char **argv, void *options)
{
    int code = options_read(usage, argc, argv, options);
    if (code != OPTIONS_GO_ON || optind == argc) return code;
    return options_complain(usage, "unexpected argument: ", argv[optind]);
}

int options_complain(const struct verb_usage *usage, const char *what, const char *argument)
{
    fprintf(stderr, "sekimori %s: %s%s\n", usage->verb, what, argument);
    return usage_say(usage);
}

int options_complain_word(const struct verb_usage *usage, const char *what, const char *argument,
                          const char *const *names)
{
    const char *meant = nearest_of(text_of(argument), names);
    fprintf(stderr, "sekimori %s: %s%s", usage->verb, what, argument);
    if (meant) fprintf(stderr, "; did you mean %s?", meant);
    fputc('\n', stderr);
    return usage_say(usage);
}

bool options_word_is(const char *word, const char *const *names)
{
    while (*names && strcmp(word, *names) != 0) names++;
    return *names != NULL;
}

void options_suggest(const char *verb, const struct option *longs, char **argv)
{
    const char *names[OPTIONS_MOST + 2] = { 0 };
    const char *word = optind > 0 ? argv[optind - 1] : NULL;
    size_t count = 0;
    if (!word || strncmp(word, "--", 2) != 0) return;
    struct text name = text_of(word + 2);
    name = text_slice(name, 0, text_find_char(name, '='));
    for (; count <= OPTIONS_MOST && longs[count].name; count++) {
        if (text_equal(name, text_of(longs[count].name))) return; /* it is one, wrongly used */
        names[count] = longs[count].name;
    }
    const char *meant = nearest_of(name, names);
    if (meant) fprintf(stderr, "sekimori %s: did you mean --%s?\n", verb, meant);
}
