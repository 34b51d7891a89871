/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What lookup knows of senders: asked at RCPT where that may delay a recipient, and told when a verdict
   stands. Who is not there, or slow, delays nobody. Called by recipients.c and judging.c. */
#ifndef SEKIMORI_RECEIVE_SENDER_CHECK_H
#define SEKIMORI_RECEIVE_SENDER_CHECK_H

#include "judge/sender_history.h"
#include "receive/rcpt.h"
#include "receive/session.h"

/* This recipient is to be asked about before it is taken: mail from outside that is judged here, to one who
   may be delayed. Never to <postmaster> (RFC 5321 section 4.5.1) or the node itself. */
bool sender_check_is_due(const struct session *session, const struct rcpt_decision *decision);

/* Asks about it, and waits: session->sender_ask is set. False: lookup is not there. */
bool sender_check_ask(struct session *session, struct text recipient);

/* Why it is delayed; code 0: it is not. The text lives in the message's arena. Notes in the transaction that
   no further recipient need be asked about, where the answer says so. */
struct reply sender_check_reply(struct session *session, const struct sender_rcpt_answer *answer);

/* Puts the question about the whole message, as scan raises it where `from` is the one address in From. */
void sender_check_question(struct session *session, struct text from);

/* Once a message, when its verdict stands; of mail from inside that is not judged, when its content is there.
 */
void sender_check_tell(struct session *session);

#endif
