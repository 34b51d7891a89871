/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The options of a verb as a table: where each value goes. --help, and what every mistake is answered with,
   are the same for all. */
#ifndef SEKIMORI_CLI_OPTIONS_H
#define SEKIMORI_CLI_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/control.h"

enum option_kind {
    OPTION_SWITCH, /* a bool, set to true */
    OPTION_WORD,   /* a const char * */
    OPTION_TEXT,   /* a struct text */
    OPTION_NUMBER, /* a uint64_t from `least` to `most`, in digits */
    OPTION_TIME,   /* a uint64_t: milliseconds since 1970, as when_parse reads it now */
    OPTION_DAY,    /* a uint32_t: yyyymmdd, as when_parse_day reads it now */
    OPTION_VALUE,  /* take() reads it */
    OPTION_MAYBE,  /* as VALUE, of --name=WORD; for --name alone take() gets NULL, which it accepts */
    OPTION_NAMED   /* say() reads it, and knows by which name it was given */
};

struct verb_option {
    const char *name; /* without dashes; NULL ends the table */
    enum option_kind kind;
    size_t offset; /* in the verb's own struct, of all but VALUE, MAYBE and NAMED */
    /* Of VALUE and MAYBE: false when the word, which is borrowed from argv, makes no sense. Then `complaint`
       is said, and the word; so of NUMBER, TIME and DAY. */
    bool (*take)(void *options, const char *word);
    const char *complaint;
    char letter; /* the option's short form, as 'c' of -c; 0: it has none, as each MAYBE */
    uint64_t least, most;
    /* May be NULL: the words that it may be, by position from 0, each asked for in turn; NULL behind the
       last. For "did you mean" and for completion. */
    const char *(*choice)(size_t position);
    /* The same for completion alone, where a guess at what was meant would mislead. May be NULL. */
    const char *(*completion)(size_t position);
    /* Of NAMED: NULL, or what is wrong with the word, a text that lives on; it is said behind the word. */
    const char *(*say)(void *options, const char *name, const char *word);
};

/* Which node: the verb's struct has a struct control_target `target`. -c is --config. */
#define OPTIONS_TARGET(options_type)                                                             \
    { "config", OPTION_WORD, offsetof(options_type, target.config), NULL, NULL, .letter = 'c' }, \
    {                                                                                            \
        "state", OPTION_WORD, offsetof(options_type, target.state), NULL, NULL                   \
    }

struct verb_usage {
    const char *verb, *help;
    const struct verb_option *table; /* at most OPTIONS_MOST */
    /* What its first argument may be, as verb_option.choice; NULL: no word that is known. */
    const char *(*word)(size_t position);
    bool takes_files; /* as arguments */
};

enum { OPTIONS_MOST = 24, OPTIONS_GO_ON = -1 };

/* OPTIONS_GO_ON, with the first argument that is no option at getopt's `optind`; else the exit code: --help
   was asked for, or a mistake was said on standard error. */
int options_read(const struct verb_usage *usage, int argc, char **argv, void *options);

/* For verbs that have nothing but options: as above, anything else is a mistake. */
int options_read_all(const struct verb_usage *usage, int argc, char **argv, void *options);

/* "sekimori VERB: WHATARGUMENT", the usage and where more stands, on standard error; EX_USAGE. */
int options_complain(const struct verb_usage *usage, const char *what, const char *argument);

/* The same, and which of `names`, whose end is NULL, was perhaps meant. */
int options_complain_word(const struct verb_usage *usage, const char *what, const char *argument,
                          const char *const *names);

/* The word is one of `names`, whose end is NULL. */
bool options_word_is(const char *word, const char *const *names);

/* After getopt_long has complained of the word before optind: which long option was perhaps meant, on
   standard error. Silent where none is near. */
void options_suggest(const char *verb, const struct option *longs, char **argv);

#endif
