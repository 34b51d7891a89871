/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A node for tests of the command: it answers on STATE/run/control what a test has written down. */
#ifndef SEKIMORI_TEST_NODE_DOUBLE_H
#define SEKIMORI_TEST_NODE_DOUBLE_H

#include "said.h"

enum { NODE_ANSWERS_MOST = 3, NODE_COMMAND_SIZE = 512 };

/* The answer to one command. */
struct node_answer {
    const char *parts[3]; /* sent as they are, in this order; NULL ends them */
    int code;             /* below 0: the node hangs up instead */
    const char *last;
};

/* Runs "VERB --state STATE REST" against a node that gives NODE_ANSWERS_MOST `answers`, one a connection.
   `out_commands` has what it was asked, line breaks as "|", with ";" behind each. */
void node_double_run(const char *verb, const char *rest, const struct node_answer *answers, struct said *out,
                     char out_commands[NODE_COMMAND_SIZE]);

#endif
