/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One client of the sink: the server side of the dialogue. */
#ifndef SEKIMORI_CLI_TESTTOOLS_SINK_SESSION_H
#define SEKIMORI_CLI_TESTTOOLS_SINK_SESSION_H

#include <sys/queue.h>

#include "base/loop.h"
#include "base/tls.h"
#include "cli/testtools/sink_behaviour.h"
#include "cli/testtools/sink_store.h"

struct sink_session;

/* What all sessions share. Owned by cli/sink.c. */
struct sink {
    struct loop *loop;
    struct sink_behaviour base, behaviour;
    struct sink_control control;
    struct sink_store store;
    struct tls_context *tls; /* NULL: no STARTTLS */
    const char *name;
    uint64_t size_limit;
    bool keep_lf, as_json, is_quiet, counts_only, takes_xclient;
    uint64_t stop_after; /* messages; 0: never */
    unsigned defer_sum;  /* spreads a percentage evenly */
    LIST_HEAD(sink_session_list, sink_session) sessions;
    struct {
        uint64_t connections, messages, recipients, bytes, deferred, refused, dropped, bare;
    } counts;
};

/* Reads the control file again if it has changed; says on stderr what is wrong with it. */
void sink_session_behave(struct sink *sink);

/* Takes over an accepted, non-blocking descriptor. The session frees itself when it ends. */
void sink_session_open(struct sink *sink, int fd);

/* Ends all sessions and the loop. */
void sink_session_stop_all(struct sink *sink);

#endif
