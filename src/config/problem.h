/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is wrong with a configuration: where, what was found, what is allowed, what was perhaps meant. */
#ifndef SEKIMORI_CONFIG_PROBLEM_H
#define SEKIMORI_CONFIG_PROBLEM_H

#include "base/arena.h"
#include "base/buffer.h"

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

/* Line and column start at 1; 0 when the problem has no place (a file that cannot be read). The column
   counts characters. Texts may be empty except `file` and `message`. */
struct problem {
    bool is_warning;
    struct text file;
    uint32_t line, column;
    struct text message; /* what is wrong, with what was found */
    struct text allowed; /* what may stand there */
    struct text hint;    /* the nearest known word */
    struct text source;  /* the line of the file, without its end; empty where there is no place */
};

enum { PROBLEMS_MOST = 1000 };

/* Kept up to PROBLEMS_MOST; all are counted. */
struct problem_list {
    const char *(*say)(
        const char *english); /* the words of messages in another language; NULL: English stays */
    struct arena *arena;
    struct problem *items;
    size_t count, capacity;
    size_t errors, warnings;
};

/* An empty list with an arena of its own. problem_list_free frees its texts too; start it anew before another
   use. */
void problem_list_start(struct problem_list *list);
void problem_list_free(struct problem_list *list);

/* An English text or format, marked by N_(), in the language of the list; English where that lacks it. */
const char *problem_say(const struct problem_list *list, const char *english) __attribute__((format_arg(2)));

/* Appends a copy. */
void problem_add(struct problem_list *list, const struct problem *problem);

/* "FILE:LINE:COLUMN: error: MESSAGE; allowed: …; did you mean …?" without a line end. */
void problem_print(const struct problem *problem, struct buffer *out);

/* The same with a line end; below it the line of the file and a caret under the column, in columns of a
   terminal. Of a long line what is around the column. */
void problem_show(const struct problem *problem, struct buffer *out);

#endif
