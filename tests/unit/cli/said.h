/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a piece of the command says on standard output and standard error, in tests. */
#ifndef SEKIMORI_TEST_SAID_H
#define SEKIMORI_TEST_SAID_H

#include "base/buffer.h"

struct said {
    int code;
    char out[65536], err[65536]; /* NUL-ended; more than that fails the test */
};

/* Runs `words`, one blank between them, by the table of verbs ("send --count x"); standard input is empty.
   A word of "''" is the empty one. */
void said_by_verb(const char *words, struct said *out);

/* Runs a function with both outputs caught; `code` is what it returns. */
void said_by(int (*run)(void *context), void *context, struct said *out);

#endif
