/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Who is next: requests wait in two lines, small and large, and in each the clients take turns by the bytes
   that they cause to be read, not by how many they send. Pure; called by the dispatcher. */
#ifndef SEKIMORI_SCAN_FAIR_SHARES_H
#define SEKIMORI_SCAN_FAIR_SHARES_H

#include "scan/request.h"

enum { WAITING_MOST = 4096, WAITING_BYTES_MOST = 64 << 20 };

/* Zero-initialised is empty. */
struct shares {
    struct request *first[REQUEST_WEIGHTS]; /* sorted by what they have coming: the first is the next */
    struct request *given;                  /* a worker has it; its client's share counts on */
    uint64_t now[REQUEST_WEIGHTS];          /* the bytes that a client without a share has had, in fairness */
    uint32_t count;                         /* of those that wait */
    size_t bytes;                           /* of their frames */
};

/* Takes the request over. False, and nothing happens: too many wait. */
bool shares_add(struct shares *waiting, struct request *request);

/* The next of that weight, for a worker; NULL when none waits. It stays the list's until shares_end. */
struct request *shares_give(struct shares *waiting, enum request_weight weight);

/* What was given waits again, before all others: no worker has seen it. */
void shares_take_back(struct shares *waiting, struct request *request);

/* What was given, or still waits, is no longer the list's. */
void shares_end(struct shares *waiting, struct request *request);

/* Any that waits, NULL when none does. */
struct request *shares_any(const struct shares *waiting);

#endif
