/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* How a message or a connection ends early or at last: what is under way at peers is cancelled, all is freed.
 */
#ifndef SEKIMORI_RECEIVE_DROP_H
#define SEKIMORI_RECEIVE_DROP_H

#include "receive/session.h"

/* The transaction is over and forgotten. Answers that still come find nobody. */
void drop_message(struct session *session);

/* The same by the client: RSET, EHLO, the end. What was not decided on counts as aborted. */
void drop_unfinished(struct session *session);

/* The connection is closed and the session freed, as after each of the following but drop_slow. */
void drop_session(struct session *session);

/* 421 with the node's name in front of `text`, and the end. */
void drop_goodbye(struct session *session, const char *enhanced, const char *text);

/* The end, after its reply: what follows on the wire could be taken for what it is not. */
void drop_out_of_step(struct session *session, const char *why);

/* There is no room, and this client is the slowest: 421, its transaction and its place are free when this
   returns, its connection is closed soon, by its own timer: who goes through the sessions loses none. */
void drop_slow(struct session *session);

#endif
