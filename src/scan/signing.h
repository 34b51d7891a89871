/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a worker answered becomes the dispatcher's word, which receive carries and cannot alter: facts that
   come back to be decided about, and verdicts, which queue is shown. */
#ifndef SEKIMORI_SCAN_SIGNING_H
#define SEKIMORI_SCAN_SIGNING_H

#include "ipc/voucher.h"
#include "scan/request.h"

/* A SCAN_DECIDE has the facts that the dispatcher signed for the same occasion; another question has nothing
   to show. The arena is for the caller to reset. */
bool signing_admits(struct digest_key *key, struct arena *arena, const struct request *request);

/* Appends the payload for receive: the worker's, signed for this very request. False: what the worker said
   makes no sense. */
bool signing_write(struct digest_key *key, struct arena *arena, const struct request *request, uint16_t type,
                   struct text payload, uint64_t now_ms, struct buffer *out);

#endif
