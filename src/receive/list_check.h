/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What lists say of a client, its HELO and the sender: asked as early as it is known, and waited for at RCPT
   only where a list refuses clients. What weighs points is scan's. */
#ifndef SEKIMORI_RECEIVE_LIST_CHECK_H
#define SEKIMORI_RECEIVE_LIST_CHECK_H

#include "receive/rcpt.h"
#include "receive/session.h"

/* Puts the question about the client, once it is known. Nothing where no list is asked about clients, or what
   comes in is not judged here. */
void list_check_client(struct session *session);

/* The same about HELO and the domain of the sender, at MAIL. */
void list_check_sender(struct session *session);

/* At RCPT: the answer about the client may refuse it, and is not there yet. The session waits then, and the
   command is to be shown again when it goes on. */
bool list_check_wait(struct session *session);
/* The answer may have come: whoever waits for it goes on, and may be gone after this. */
void list_check_answered(struct session *session);
/* The answer has not come in time: it goes on as one whom no list has. */
void list_check_missed(struct session *session);

/* Why this recipient is refused; code 0: he is not, by lists. The text lives in the message's arena. */
struct reply list_check_refusal(struct session *session, const struct rcpt_decision *decision);

#endif
