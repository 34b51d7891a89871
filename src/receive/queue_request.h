/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* From verdict to journal: what queue is given, and its answer. */
#ifndef SEKIMORI_RECEIVE_QUEUE_REQUEST_H
#define SEKIMORI_RECEIVE_QUEUE_REQUEST_H

#include "mail/alert.h"
#include "receive/session.h"
#include "receive/trace.h"

/* TRANSACTION_BYTES in the message's arena, by the pieces: a name that nobody can give to others on purpose.
 */
struct text keep_name(struct session *session, const struct text *pieces, size_t count);

/* What the content tells of itself, before judging. */
void keep_prepare(struct session *session);

/* Some check is asked for of the message: keep_judged follows, else keep_unjudged. */
bool keep_is_judged(const struct session *session);

/* Builds the request and sends it: no check was on; as the verdict says; held as poison; held for report.
   Code 0: queue's answer is awaited in STEP_KEEPING. Else nothing is kept, since the verdict discards it for
   every recipient (250) or there is no room. */
struct reply keep_unjudged(struct session *session);
struct reply keep_judged(struct session *session);
struct reply keep_poison(struct session *session);
struct reply keep_for_us(struct session *session);

/* Sends the prepared request (again). */
void keep_send(struct session *session);

/* queue's answer, as the reply to the client. A node may have sent it before and not seen our reply: it was
   kept as message `as` then. */
struct reply keep_accepted(struct session *session);
struct reply keep_accepted_before(struct session *session, uint64_t as);
struct reply keep_refused(struct session *session, enum keep_refusal why, struct text reason);

/* The administrator is told of what this client and sender do, by queue. `id`: the message; 0: of none.
   Nobody is told while queue is gone. */
void keep_alert_send(struct session *session, uint64_t id, enum alert_kind kind, struct text recipient,
                     struct text reason);
/* A virus that somebody inside sent was stopped: the administrator is told. */
void keep_alert(struct session *session);

/* At start and when queue is back: offers of a predecessor that queue is to resolve. */
void keep_resolve_old(struct server *server);
void keep_old_resolved(struct server *server, uint64_t id, bool kept);

#endif
