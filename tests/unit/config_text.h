/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A configuration out of a text, for tests; the test fails with what is wrong in it. */
#ifndef SEKIMORI_TESTS_CONFIG_TEXT_H
#define SEKIMORI_TESTS_CONFIG_TEXT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "config/load.h"

/* `read_files` as config_load_text has it. The caller frees it; never NULL. */
static inline struct config *config_of_text(struct text text, bool read_files)
{
    struct buffer wrong = { 0 };
    struct problem_list problems;
    problem_list_start(&problems);
    struct config *config = config_load_text(text, "test.conf", read_files, &problems);
    for (size_t i = 0; !config && i < problems.count; i++) problem_print(&problems.items[i], &wrong);
    if (!config) fail_msg("%.*s", TEXT_ARG(buffer_text(&wrong)));
    problem_list_free(&problems);
    buffer_free(&wrong);
    return config;
}

#endif
