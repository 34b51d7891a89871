/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What foreman.c (requests) and crew.c (nurseries and workers) share. */
#ifndef SEKIMORI_SCAN_FOREMAN_PRIVATE_H
#define SEKIMORI_SCAN_FOREMAN_PRIVATE_H

#include "scan/foreman.h"
#include "scan/shares.h"
#include "scan/vigil.h"

struct receiver {
    enum { RECEIVER_MAGIC = 0x7f6d902d } magic;
    struct receiver *next;
    struct foreman *foreman;
    struct channel *channel;
};

/* One loaded set of configuration and signatures, as the foreman sees it. */
struct brood {
    enum { BROOD_MAGIC = 0x60b01fd6 } magic;
    struct foreman *foreman;
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
    enum embedded embedded; /* of the configuration that it was loaded by */
};

enum worker_state {
    WORKER_STARTING, /* asked for, or not in its jail yet */
    WORKER_IDLE,
    WORKER_BUSY,
};

struct crew_member {
    enum { CREW_MEMBER_MAGIC = 0x77121ab2 } magic;
    struct crew_member *next;
    struct foreman *foreman;
    struct brood *brood;
    uint64_t number;
    enum request_weight weight; /* of what it is given; for large ones it is nice */
    struct channel *channel;    /* NULL until the nursery has sent it */
    enum worker_state state;
    bool is_retiring;  /* ends after what it does now */
    bool is_timed_out; /* killed by the clock */
    bool is_given;     /* its request is on the way: when that fails, it never had it */
    struct request *request;
    struct timer *clock;
    struct vigil vigil;
    uint32_t served;
};

struct foreman {
    enum { FOREMAN_MAGIC = 0x5210346b } magic;
    struct child *child;
    struct channel *warden;
    struct receiver *receivers;
    struct brood *brood, *next_brood; /* the one that serves; the one that is being loaded, or takes over */
    struct crew_member *crew;
    uint32_t core_count;
    uint64_t last_number;
    struct timer *retry; /* a nursery failed: the next try */
    uint32_t failures;   /* in a row, of nurseries and starting workers */
    char trouble[200];   /* why there is no worker; empty: none is expected to fail */
    struct shares waiting;
    bool has_large; /* a large one came: workers for such are kept from then on */
    uint32_t busy_count[REQUEST_WEIGHTS];
    uint64_t worker_ms;  /* when there last was one, as far as was looked */
    uint32_t lost_count; /* requests in a row that no worker answered */
    bool keeps_old;      /* the newest signatures were worse than those that serve */
    struct poisons poisons;
    struct timer *stop_timer, *vigil_timer;
    struct vigil warden_vigil;
    int log_fds[2];  /* by enum master_log; -1: as at the start */
    uint64_t rounds; /* of the vigil */
    uint64_t answered, died, timed_out, refused;
};

/* crew.c */
void crew_start(struct foreman *foreman, bool is_reload); /* asks the warden for a nursery */
void crew_fill(struct foreman *foreman);                  /* asks for workers that are missing */
uint32_t crew_size(const struct foreman *foreman);        /* how many of a weight may be busy at once */
uint32_t crew_busy(const struct foreman *foreman);        /* how many are, of both */
/* NULL: all of that weight are busy. */
struct crew_member *crew_idle(struct foreman *foreman, enum request_weight weight);
/* Sends it copies of the request's descriptors; the request stays the foreman's. When this returns, `member`
   may be gone and the request may have failed. */
void crew_give(struct crew_member *member, struct request *request);
extern const struct channel_events crew_warden_events;

/* Sends on what has changed of the log since the start; all of it or one. */
void crew_tell_log(struct foreman *foreman, struct channel *channel, uint16_t type);

/* foreman.c */
/* Gives what waits to idle workers, of either weight. */
void foreman_dispatch(struct foreman *foreman);
/* Answers receive, if it is still there, and frees the request. `payload` and `why` are copied. */
void foreman_answer(struct foreman *foreman, struct request *request, uint16_t type, struct text payload);
void foreman_fail(struct foreman *foreman, struct request *request, enum scan_failure failure,
                  const char *why);
void foreman_refuse_waiting(struct foreman *foreman, const char *why);    /* with SCAN_NOT_READY */
void foreman_take_back(struct foreman *foreman, struct request *request); /* no worker has seen it */
void foreman_lost(struct foreman *foreman, struct request *request,
                  bool is_timed_out); /* its worker is dead */

#endif
