/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The word of scan on a message, which queue can check and receive cannot make up. scan's dispatcher signs
   what a worker found or decided, receive carries it, and queue compares it with what it is asked to keep.
   Only the dispatcher and queue have the key, which master makes at its start. HMAC-SHA-256 (RFC 2104). */
#ifndef SEKIMORI_IPC_VOUCHER_H
#define SEKIMORI_IPC_VOUCHER_H

#include "ipc/ask_queue.h"
#include "ipc/child.h"
#include "judge/evidence.h"
#include "mail/digest.h"

/* A voucher is good for as many times the time that a verdict may take (`limits time verdict`): after it
   comes one wait for a client's acknowledgement and one for queue. */
enum { VOUCHER_VERDICTS = 2 };

/* The map "vouchers" that master gave; ends the process where there is none. Call it before the jail: OpenSSL
   opens files; in scan behind the fork of the warden, whose children are not to have the key. */
struct digest_key *voucher_key_read(struct child *child);

/* Some recipient wants some check, in force or observed, of what comes by this listener, or it may have to be
   signed, or from where it comes is to be found out (config_is_undecided), and this node does it: what it
   keeps of that without a hold has a voucher. */
bool voucher_is_wanted(const struct config *config, const struct listener *listener,
                       const struct address *client, const struct envelope *envelope);

/* What queue is to be asked by a verdict that keeps the message: of the envelope's recipients those that are
   not discarded, the hold and the recipe of each, all recipes; and the content's flags that facts have. The
   other members of *out stay. Lists live in the arena, texts are borrowed. */
void keep_by_verdict(struct arena *arena, const struct envelope *envelope, const struct facts *facts,
                     const struct verdict *verdict, struct keep_request *out);

/* Signs a request for a body with this digest: its id, listener, direction, client and content flags, sender,
   recipients in their order with hold and edits, all edits, the prefix; and the time, CLOCK_MONOTONIC. */
void voucher_sign(struct digest_key *key, const struct keep_request *request,
                  const uint8_t body[DIGEST_BYTES], uint64_t now_ms, struct voucher *out);

/* The request has the voucher that the dispatcher gave for it, at most `life_ms` ago. A voucher may be from a
   moment ahead: each process reads the clock once a turn of its loop. */
bool voucher_is_good(struct digest_key *key, const struct keep_request *request,
                     const uint8_t body[DIGEST_BYTES], uint64_t now_ms, uint64_t life_ms);

/* Signs what was found in a message, so that it comes back to be decided about as it was: the occasion and
   the facts in their byte forms. */
void voucher_sign_facts(struct digest_key *key, struct text occasion, struct text facts,
                        const uint8_t body[DIGEST_BYTES], uint8_t out[DIGEST_BYTES]);

#endif
