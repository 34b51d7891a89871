/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What became of messages and clients, for the counters, ledger and the log. */
#ifndef SEKIMORI_RECEIVE_ACCOUNT_H
#define SEKIMORI_RECEIVE_ACCOUNT_H

#include "ipc/event.h"
#include "receive/session.h"

/* A recipient, a sender or a client was turned away before content: "NOQUEUE: reject: RCPT from …" and its
   event. `address` is of the recipient, or with STAGE_MAIL of the sender, and may be empty. Returns the id
   that trace finds it by. */
uint64_t account_refused(struct session *session, enum event_stage stage, struct text address,
                         const struct reply *reply);

/* The same for every recipient of a message whose content was refused. */
void account_content_refused(struct session *session, const struct reply *reply);

/* Recipients that were told 250 and that the verdict discards. */
void account_discarded(struct session *session);

/* The transaction ends before its message was decided on. */
void account_aborted(struct session *session);

/* scan has spoken, whatever becomes of it. */
void account_verdict(struct session *session);
void account_log_verdict(const struct session *session);

/* Why, for `sekimori explain`. `occasion`: about whom scan was asked. Where the ring has little room it is
   left out and counted. */
void account_explain(struct session *session, const struct occasion *occasion);

/* For ledger; where the ring is full the event is lost, counted, and the log says so. */
void account_event(struct server *server, struct text record);

/* "ID: client=…, helo=…, proto=…": who sent the message. */
void account_log_client(const struct session *session);

/* The next node took it: counted. Its event is the caller's. */
void account_relayed(struct session *session);

/* queue has it: counters and event; and its lines in the log. */
void account_accepted(struct session *session);
void account_log_accepted(const struct session *session);

#endif
