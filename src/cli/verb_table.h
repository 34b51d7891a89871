/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The verbs of `sekimori`: one row each, in the order of --help. Called by main. */
#ifndef SEKIMORI_CLI_VERB_TABLE_H
#define SEKIMORI_CLI_VERB_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include "cli/options.h"

/* Whom a verb asks. All but the first three go over STATE/run/control: master answers, or hands the socket on
   to the process that does. */
enum verb_asks {
    VERB_ASKS_NOBODY,  /* files and arguments only */
    VERB_ASKS_FILES,   /* the ledger database or the state folder: works while the node is down */
    VERB_ASKS_NETWORK, /* speaks SMTP, to any server */
    VERB_ASKS_MASTER,
    VERB_ASKS_QUEUE,
    VERB_ASKS_LEDGER,
    VERB_ASKS_REPORT,
};

struct verb {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the verb; returns a sysexits code, or 1 for "no" */
    const char *help;                  /* a line of --help, lower case, no full stop */
    enum verb_asks asks;
    const struct verb_usage *usage; /* its options, as run() reads them */
};

/* All of them, in static storage. */
const struct verb *verb_table_list(size_t *out_count);

/* NULL: there is none of that name. Names are not cut short. */
const struct verb *verb_table_find(const char *name);

/* What `sekimori --help` says. */
void verb_table_usage(FILE *to);

/* `sekimori VERB …`, --help and --version; argv as main has it. Returns the exit code; 64 (EX_USAGE), with
   the usage on standard error, when no such verb is named. */
int verb_table_run(int argc, char **argv);

#endif
