/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Relay-through: the whole message is handed to the next node while its client waits, and that node's reply
   is ours. Nothing is stored, unless no next node can be connected to: then the journal keeps it. */
#ifndef SEKIMORI_RECEIVE_RELAY_H
#define SEKIMORI_RECEIVE_RELAY_H

#include "receive/session.h"

/* The message is whole and keep_prepare was called. */
void relay_begin(struct session *session);

/* DELIVER_RELAYED: the next node's reply. Code 0: the journal keeps the message and its answer is awaited, or
   the frame came too late. */
struct reply relay_done(struct session *session, struct frame *frame);

/* deliver was restarted: what it knew is lost. The next node knows the transaction if it has the message. */
void relay_deliver_is_back(struct session *session);

/* The client has closed its side: it waits for the reply, or is gone and will send the message again. Until
   that is known the next node is not to take its reply for heard. */
void relay_doubt(struct session *session);

#endif
