/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Who is next: requests wait in two lines, small and large, and in each the clients take turns by the bytes
   that they cause to be read, not by how many they send. A small message may be dear all the same, which is
   known when it is judged: its client's next ones go with the large. Pure; called by the dispatcher. */
#ifndef SEKIMORI_SCAN_FAIR_SHARES_H
#define SEKIMORI_SCAN_FAIR_SHARES_H

#include "scan/request.h"

enum { WAITING_MOST = 4096, WAITING_BYTES_MOST = 64 << 20 };

/* A small message is dear that took so many milliseconds of a worker. One cheap one makes up for each DEAR_MS
   of it, at most DEAR_TURNS_MOST. The oldest of the clients that are remembered makes room for a new one. */
enum { DEAR_MS = 50, DEAR_TURNS_MOST = 8, DEAR_CLIENTS = 256 };

struct dear_client {
    struct address client;
    uint32_t turns; /* 0: nobody */
    uint64_t bytes; /* that would have cost as much as its last dear message */
};

/* Zero-initialised is empty. */
struct shares {
    struct request *first[REQUEST_WEIGHTS]; /* sorted by what they have coming: the first is the next */
    struct request *given;                  /* a worker has it; its client's share counts on */
    uint64_t now[REQUEST_WEIGHTS];          /* the bytes that a client without a share has had, in fairness */
    uint32_t count;                         /* of those that wait */
    size_t bytes;                           /* of their frames */
    struct dear_client dear[DEAR_CLIENTS];
    uint32_t dear_next; /* the place of the next one */
};

/* Takes the request over. False, and nothing happens: too many wait. */
bool shares_add(struct shares *waiting, struct request *request);

/* The next of that weight, for a worker; NULL when none waits. It stays the list's until shares_end. */
struct request *shares_give(struct shares *waiting, enum request_weight weight);

/* A worker takes long over a request that was given: until it has ended, what else its client sends goes with
   the large. */
void shares_late(struct shares *waiting, struct request *request);

/* A worker spent so much of its own time on the message of a request that was given; before shares_end. What
   waits of a client that is dear from now on moves to the line of the large. */
void shares_spent(struct shares *waiting, const struct request *request, uint64_t spent_ms);

/* What was given waits again, before all others: no worker has seen it. */
void shares_take_back(struct shares *waiting, struct request *request);

/* What was given, or still waits, is no longer the list's. */
void shares_end(struct shares *waiting, struct request *request);

/* Any that waits, NULL when none does. */
struct request *shares_any(const struct shares *waiting);

#endif
