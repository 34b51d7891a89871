/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What all sessions of a receive process share: its peers, ports, limits, counters. */
#ifndef SEKIMORI_RECEIVE_SERVER_H
#define SEKIMORI_RECEIVE_SERVER_H

#include "base/allowance.h"
#include "base/tls.h"
#include "config/settings.h"
#include "ipc/ask_deliver.h"
#include "ipc/ask_lookup.h"
#include "ipc/ask_queue.h"
#include "ipc/ask_scan.h"
#include "ipc/child.h"
#include "ipc/counters.h"
#include "ipc/message_id.h"
#include "ipc/ring.h"
#include "receive/client_limits.h"

struct session;
struct callouts;
struct refusals;
struct digest_key;

/* A cloud that strangers use too, as a port meets it: its clients are asked for their certificate. */
struct port_hosted {
    struct text name; /* of the statement */
    struct network_list networks;
    struct tls_context *tls;
};

/* A listener as sessions see it: a copy that lives until its last session has ended, over reloads. */
struct port {
    struct listener listener; /* lists and texts in `arena` */
    uint16_t number;          /* index in config.listeners */
    struct arena *arena;
    struct tls_context *tls;    /* NULL: no certificate */
    struct port_hosted *hosted; /* those whose certificate proves something */
    size_t hosted_count;
    uint32_t users; /* sessions, and one for being in force */
    struct watch *watch;
    struct server *server;
    int fd;
};

enum { SERVER_BUCKETS = 4096 };

struct server {
    struct child *child;
    struct loop *loop;
    const struct config *config;
    struct channel *queue, *scan, *lookup, *deliver;
    struct channel *consult; /* NULL where no engine outside is configured */
    struct port **ports;
    size_t port_count;
    struct client_limits *clients;
    struct receive_counters *counters;
    struct receive_measures *measures; /* for monitors */
    struct ring *ring;
    struct refusals *refusals;
    struct message_id_source ids;
    struct session *sessions; /* all, newest first */
    struct session *by_number[SERVER_BUCKETS], *by_id[SERVER_BUCKETS];
    uint32_t session_count;
    uint32_t processes;    /* how many receive processes share the limits */
    uint64_t bodies_bytes; /* of all bodies in flight here */
    int descriptors_most;  /* a connection whose descriptor has this number or a higher one is too many */
    bool queue_is_full, is_stopping;
    struct timer *stop_timer, *accept_timer, *drain_timer, *eviction_timer;
    uint64_t drain_until_ms;
    uint64_t crowded_ms;      /* when it was last said that descriptors are short; 0: never */
    struct allowance noted;   /* connections with lines of their own in the log */
    struct allowance trouble; /* lines that say that an event was lost */
    struct tables *tables;
    uint8_t secret[CHILD_SECRET_BYTES]; /* the node's own */
    struct digest_key *names;           /* signs the names of transactions */
    struct buffer scratch;
    struct buffer replies; /* what a dialogue says, until session_speak */
    struct arena *line;    /* of the command line being done; what is to last is copied from it */
};

/* One user of the port less; the last one frees it. */
void server_port_release(struct port *port);

/* A session is gone: when the process is stopping, the last one lets it end. */
void server_session_ended(struct server *server);

/* Share of a limit that is meant for all receive processes together. */
uint64_t server_share(const struct server *server, uint64_t limit);

#endif
