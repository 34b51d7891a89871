/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Between a worker's verdict and the dispatcher's word on it: signer is asked for all signatures of a message
   together. Mail never waits longer for it than SEAL_WAIT_MS, and is never lost by it. */
#ifndef SEKIMORI_SCAN_SEAL_ROUND_H
#define SEKIMORI_SCAN_SEAL_ROUND_H

#include "ipc/channel.h"
#include "scan/request.h"

struct sealer;

enum { SEAL_WAIT_MS = 2000, SEAL_ROUNDS_MOST = 1024 /* messages at once: one more is as if not answered */ };

/* The round is over: the request, and the payload of SCAN_VERDICT as the worker's was, with the fields put
   on, or with what follows where they cannot be made; borrowed for the call. */
typedef void sealer_done(void *context, struct request *request, struct text payload);

struct child;
/* `child` says what is done where nothing can be signed (`auth sign failing`); borrowed for good. */
struct sealer *sealer_new(struct child *child, sealer_done *done, void *context);

/* A channel to signer, which may have been restarted: what it has not answered is asked again. */
void sealer_connect(struct sealer *sealer, int fd);

/* Signs what request->seals says, beside the verdict in `payload`, which is copied. The request stays the
   caller's and must not be freed before it is done; that may be before this returns. */
void sealer_begin(struct sealer *sealer, struct request *request, struct text payload);

uint32_t sealer_count(const struct sealer *sealer); /* rounds that are not over */

/* Appends "signatures", "sealing failed". */
void sealer_status(const struct sealer *sealer, struct buffer *out);

#endif
