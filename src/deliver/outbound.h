/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One connection to a server: the stream under a dialogue, its time limits, and the content it carries.
   Owned by a destination, which gives it errands while it is idle. */
#ifndef SEKIMORI_DELIVER_OUTBOUND_H
#define SEKIMORI_DELIVER_OUTBOUND_H

#include "base/loop.h"
#include "base/tls.h"
#include "config/settings.h"
#include "deliver/dialogue.h"
#include "deliver/errand.h"
#include "deliver/flights.h"
#include "deliver/host_state.h"
#include "deliver/mx_route.h"

/* What all connections share. */
struct outbound_ground {
    struct loop *loop;
    const struct config *config;
    struct tls_context *tls_any, *tls_verified, *tls_node; /* NULL: not to be had */
    struct flights *flights;                               /* NULL: none are kept */
    uint64_t connects, connects_failed, reused, handshakes, handshakes_failed, converted;
};

struct outbound;

/* Exactly one of on_failed (before the first on_ready) and on_closed (after it) is called, once; the
   connection is then gone. None is called from inside outbound_open. */
struct outbound_events {
    void (*on_ready)(void *owner, struct outbound *outbound);
    /* No session came about. `try_clear`: only TLS failed, and the route does not insist on it. */
    void (*on_failed)(void *owner, struct outbound *outbound, const struct dialogue_failure *failure,
                      bool try_clear);
    void (*on_closed)(void *owner, struct outbound *outbound);
    /* The connection broke before the server said anything about the errand: try another one. */
    void (*on_returned)(void *owner, struct errand *errand);
};

struct outbound_start {
    struct outbound_ground *ground;
    const struct hop *hop; /* copied */
    struct host *host;     /* borrowed; that of the hop, longer there than the connection */
    enum tls_level tls;
    struct text tls_name; /* copied; empty: the hop's host */
    bool smtputf8;
    uint32_t connect_most_ms; /* a shorter limit than the configuration's; 0: none */
    const struct outbound_events *events;
    void *owner;
};

/* Never NULL; its end comes as an event. Names are copied; ground, host, events and owner are borrowed. */
struct outbound *outbound_open(const struct outbound_start *start);

/* A connection that another process had, with the errand it was carrying: waits for the replies. `fd` is
   taken over. Then as one that was ready. */
struct outbound *outbound_adopt(const struct outbound_start *start, int fd, const struct flight_load *load,
                                struct errand *errand);

/* Only when idle (after on_ready, and again after each errand). False: the errand was done at once, without a
   word to the server, and the connection is idle still. */
bool outbound_give(struct outbound *outbound, struct errand *errand);

/* Takes leave (QUIT) and closes; no event comes. An errand under way is deferred first. */
void outbound_leave(struct outbound *outbound);

/* An errand may be given to it at once. */
bool outbound_is_idle(const struct outbound *outbound);
const struct endpoint *outbound_endpoint(const struct outbound *outbound); /* borrowed */

#endif
