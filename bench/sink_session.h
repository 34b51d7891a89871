/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One connection of the sink: the least SMTP a well-behaved client can notice. Content is counted, not kept.
 */
#ifndef SEKIMORI_BENCH_SINK_SESSION_H
#define SEKIMORI_BENCH_SINK_SESSION_H

#include "ids.h"

struct secure_context;
struct sink_session;

enum sink_extension {
    SINK_PIPELINING = 1,
    SINK_8BITMIME = 2,
    SINK_SIZE = 4,
    SINK_CHUNKING = 8,
    SINK_SMTPUTF8 = 16
};

struct sink_counts {
    uint64_t messages, without_id, bytes, connections;
    struct ids ids;
    double first, last; /* CLOCK_MONOTONIC, of whole messages */
};

/* The same for all sessions; borrowed by each. */
struct sink_plan {
    unsigned without; /* extensions that are not offered */
    struct secure_context *tls;
    struct sink_counts counts;
};

/* Takes over a connected, non-blocking descriptor and greets. NULL when the client has gone already. */
struct sink_session *sink_session_open(struct sink_plan *plan, int fd);
void sink_session_close(struct sink_session *session);
int sink_session_descriptor(const struct sink_session *session);

/* Reads or writes what is possible; false when the session is over. */
bool sink_session_ready(struct sink_session *session, bool can_write);
bool sink_session_wants_write(const struct sink_session *session);

#endif
