/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* From verdict to journal: what queue is given, what is counted, what ledger and log are told. */
#ifndef SEKIMORI_RECEIVE_KEEPING_H
#define SEKIMORI_RECEIVE_KEEPING_H

#include "ipc/event.h"
#include "receive/session.h"
#include "receive/trace.h"

/* TRANSACTION_BYTES in the message's arena, by the pieces: a name that nobody can give to others on purpose.
 */
struct text keep_name(struct session *session, const struct text *pieces, size_t count);

/* Trace fields and content flags, before judging. */
void keep_prepare(struct session *session, const struct header_glance *glance);

/* Builds the request and sends it: no check was on; as the verdict says; held as poison; held for report. */
void keep_unjudged(struct session *session);
void keep_judged(struct session *session);
void keep_poison(struct session *session);
void keep_for_us(struct session *session);

/* Sends the prepared request (again). */
void keep_send(struct session *session);

/* queue has it: counters, event, log. */
void keep_count_accepted(struct session *session);
/* queue refused it: the offer is taken back. */
void keep_withdraw(struct session *session);

/* For ledger: a recipient or a client turned away before content; one of the recipients after it. */
void keep_tell_refused(struct session *session, enum event_stage stage, struct text recipient, uint16_t code,
                       struct text reply);
void keep_tell_content_refused(struct session *session, uint32_t number, uint16_t code, struct text reply);
/* Recipients that were told 250 and that the verdict discards. */
void keep_count_discarded(struct session *session);
/* The transaction ends before its message was decided on. */
void keep_count_aborted(struct session *session);

void keep_count_verdict(struct session *session);
void keep_log_verdict(struct session *session);
/* A virus that somebody inside sent was stopped: the administrator is told. */
void keep_alert(struct session *session);

/* At start and when queue is back: offers of a predecessor that queue is to resolve. */
void keep_resolve_old(struct server *server);
void keep_old_resolved(struct server *server, uint64_t id, bool kept);

#endif
