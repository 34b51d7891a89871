/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What completes the command in a shell, made of the table of verbs and the tables of their options, so that
   it names each of them. */
#ifndef SEKIMORI_CLI_COMPLETIONS_H
#define SEKIMORI_CLI_COMPLETIONS_H

#include "cli/verb_table.h"

/* The shells there are, by position; NULL behind the last. */
const char *completions_shell(size_t position);

/* Prints the file of a shell, which is one of these, on standard output. */
void completions_print(const char *shell, const struct verb *verbs, size_t count);

#endif
