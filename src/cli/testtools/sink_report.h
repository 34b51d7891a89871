/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What the sink does with a message that arrived: the fields it puts on top, the file, the line it prints. */
#ifndef SEKIMORI_CLI_TESTTOOLS_SINK_REPORT_H
#define SEKIMORI_CLI_TESTTOOLS_SINK_REPORT_H

#include "cli/testtools/sink_session.h"
#include "mail/envelope.h"

struct sink_message {
    struct envelope envelope;
    struct text helo, xclient;
    const char *tls; /* version, "" in the clear */
    uint64_t size;
    bool is_esmtp, has_bare, has_nul, has_8bit, has_long_line;
};

/* Keeps and counts a message and prints its line. `name`: of its file, "" without a Maildir. False: it could
   not be written, said on stderr. */
bool sink_report_keep(struct sink *sink, const struct sink_message *message, struct text content,
                      char name[SINK_NAME_SIZE]);

/* Prints the line of a message that was not kept. */
void sink_report_refused(const struct sink *sink, const struct sink_message *message);

/* The sums, as text or JSON on stdout. */
void sink_report_sums(const struct sink *sink);

#endif
