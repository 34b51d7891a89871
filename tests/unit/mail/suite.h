/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Foreign suites: cases counted, differences compared with the list of those that are meant. */
#ifndef SEKIMORI_TESTS_SUITE_H
#define SEKIMORI_TESTS_SUITE_H

#include "base/buffer.h"

struct suite_difference {
    const char *id, *reason;
};

struct suite {
    const char *name;
    const struct suite_difference *expected;
    size_t expected_count;
    size_t cases, as_expected, differ, unexpected;
};

/* Records one case; a difference that is not listed, or a listed one that is none, is printed and counted.
   `got` and `due` are shown then. */
void suite_case(struct suite *suite, const char *id, bool equal, struct text got, struct text due);

/* Prints the counts; false when something was unexpected. */
bool suite_end(const struct suite *suite);

/* The file's bytes, appended; false when it cannot be read. */
bool suite_read(const char *path, struct buffer *out);

/* Calls `each` with the path of every regular file below `folder`, in the order of names. */
void suite_walk(const char *folder, void (*each)(void *context, const char *path), void *context);

#endif
