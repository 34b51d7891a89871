/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What dispatcher.c (requests) and worker_pool.c (fork servers and workers) share. */
#ifndef SEKIMORI_SCAN_DISPATCHER_PRIVATE_H
#define SEKIMORI_SCAN_DISPATCHER_PRIVATE_H

#include <sys/queue.h>

#include "scan/dispatcher.h"
#include "scan/fair_shares.h"
#include "scan/reader_pool.h"
#include "scan/seal_round.h"
#include "scan/worker_watch.h"
#include "virus/engine.h"

struct receiver {
    enum { RECEIVER_MAGIC = 0x7f6d902d } magic;
    LIST_ENTRY(receiver) others;
    struct dispatcher *dispatcher;
    struct channel *channel;
    bool is_keeper; /* ledger or queue: it asks about what it keeps; report: about what users reported */
};

/* One loaded set of configuration and signatures, as the dispatcher sees it. */
struct generation {
    enum { GENERATION_MAGIC = 0x60b01fd6 } magic;
    struct dispatcher *dispatcher;
    struct channel *channel;
    uint64_t number;
    bool is_ready; /* workers can be had of it */
    uint32_t workers;
    struct vigil vigil;
    uint64_t looked_at; /* the round of the vigil */
    char engine[80];    /* "clamav 1.4.6" */
    uint32_t signatures;
    int64_t newest_s;  /* when the newest that was fetched was written, seconds since 1970; 0: none was */
    char missing[200]; /* why there is no engine, or what it lacks */
    char refused[200]; /* why its second set is not loaded; empty: it is, or none is wanted */
    struct engine_set sets[ENGINE_SETS_MOST];
    uint32_t set_count;
    bool is_stale;          /* it has said that signatures have changed, and nothing was begun for it */
    uint64_t folders;       /* where its signatures are, as one number */
    bool is_told;           /* keepers know that these signatures serve */
    enum embedded embedded; /* of the configuration that it was loaded by */
};

enum worker_state {
    WORKER_STARTING, /* asked for, or not in its jail yet */
    WORKER_IDLE,
    WORKER_BUSY,
};

struct pool_worker {
    enum { POOL_WORKER_MAGIC = 0x77121ab2 } magic;
    LIST_ENTRY(pool_worker) others;
    struct dispatcher *dispatcher;
    struct generation *generation;
    uint64_t number;
    enum request_weight weight; /* of what it is given; for large ones it is nice */
    struct channel *channel;    /* NULL until the fork server has sent it */
    enum worker_state state;
    bool is_retiring;  /* ends after what it does now */
    bool is_timed_out; /* killed by the clock */
    bool is_given;     /* its request is on the way: when that fails, it never had it */
    struct request *request;
    uint64_t begun_ms, begun_spent_ms; /* when it got its request, and its own time then */
    struct timer *clock, *overtime;
    struct vigil vigil;
    uint32_t served;
    bool wants_reader; /* its message waits for a reader of containers */
    uint64_t reader;   /* the number of the one that it has; 0: none */
};

struct dispatcher {
    enum { DISPATCHER_MAGIC = 0x5210346b } magic;
    struct child *child;
    struct channel *warden;
    struct digest_key *key; /* signs what workers answer */
    struct arena *arena;    /* of the answer or question at hand */
    LIST_HEAD(receiver_list, receiver) receivers;
    struct generation *generation,
        *next_generation; /* the one that serves; the one that is being loaded, or takes over */
    uint32_t generations; /* those that end, too */
    LIST_HEAD(pool_worker_list, pool_worker) workers;
    uint32_t core_count;
    uint64_t last_number;
    struct timer *retry; /* a fork server failed: the next try */
    uint32_t failures;   /* in a row, of fork servers and starting workers */
    char trouble[200];   /* why there is no worker; empty: none is expected to fail */
    struct shares waiting;
    struct sealer *sealer;
    struct reader_pool *readers;
    bool has_large; /* a large one came: workers for such are kept from then on */
    uint32_t busy_count[REQUEST_WEIGHTS];
    uint64_t worker_ms;    /* when there last was one, as far as was looked */
    uint32_t lost_count;   /* requests in a row that no worker answered */
    bool keeps_old;        /* the newest signatures were worse than those that serve */
    char kept_why[200];    /* what was wrong with them */
    struct deferred again; /* worker_pool_again */
    bool is_dropping;      /* `reload frugal`: the next fork server is loaded when the old one has ended */
    struct poisons poisons;
    struct timer *stop_timer, *vigil_timer;
    struct vigil warden_vigil;
    int log_fds[2];  /* by enum master_log; -1: as at the start */
    uint64_t rounds; /* of the vigil */
    uint64_t answered, died, timed_out, refused;
};

/* worker_pool.c */
void worker_pool_start(struct dispatcher *dispatcher, bool is_reload); /* asks the warden for a fork server */
void worker_pool_again(void *context);                                 /* of dispatcher.again */
void worker_pool_fill(struct dispatcher *dispatcher);                  /* asks for workers that are missing */
uint32_t worker_pool_size(const struct dispatcher *dispatcher); /* how many of a weight may be busy at once */
uint32_t worker_pool_busy(const struct dispatcher *dispatcher); /* how many are, of both */
/* NULL: all of that weight are busy. */
struct pool_worker *worker_pool_idle(struct dispatcher *dispatcher, enum request_weight weight);
/* Sends it copies of the request's descriptors; the request stays the dispatcher's. When this returns,
   `member` may be gone and the request may have failed. */
void worker_pool_give(struct pool_worker *member, struct request *request);
extern const struct channel_events worker_pool_warden_events;

/* Sends on what has changed of the log since the start; all of it or one. */
void worker_pool_tell_log(struct dispatcher *dispatcher, struct channel *channel, uint16_t type);

/* dispatcher.c */
/* All workers have the signatures of `generation` now: keepers are told, once. */
void dispatcher_tell_signatures(struct dispatcher *dispatcher, struct generation *generation);
/* Gives what waits to idle workers, of either weight. */
void dispatcher_give(struct dispatcher *dispatcher);
/* Answers receive, if it is still there, and frees the request. `payload` and `why` are copied. */
void dispatcher_answer(struct dispatcher *dispatcher, struct request *request, uint16_t type,
                       struct text payload);
/* The same with a worker's answer, which is known to have cost what the request says. */
void dispatcher_judged(struct dispatcher *dispatcher, struct request *request, uint16_t type,
                       struct text payload);
void dispatcher_fail(struct dispatcher *dispatcher, struct request *request, enum scan_failure failure,
                     const char *why);
void dispatcher_refuse_waiting(struct dispatcher *dispatcher, const char *why);    /* with SCAN_NOT_READY */
void dispatcher_take_back(struct dispatcher *dispatcher, struct request *request); /* no worker has seen it */
void dispatcher_lost(struct dispatcher *dispatcher, struct request *request,
                     bool is_timed_out); /* its worker is dead */

#endif
