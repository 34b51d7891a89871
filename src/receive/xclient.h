/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* XCLIENT: a listed peer, or a node of ours, says for whom it speaks. The attributes are those of Postfix;
 * TLS and TRANSACTION are between nodes. */
#ifndef SEKIMORI_RECEIVE_XCLIENT_H
#define SEKIMORI_RECEIVE_XCLIENT_H

#include "receive/session.h"

#define XCLIENT_ATTRIBUTES "NAME ADDR PORT PROTO HELO DESTADDR DESTPORT TLS TRANSACTION"

/* The verb. After a refusal MAIL is refused too until XCLIENT or EHLO is said well: the peer may have sent
   both at once, and a message judged as the peer's own would be judged wrong. */
void xclient_do(struct session *session, const struct smtp_command *command);

/* MAIL: replies and says true when the client that was named may not send. */
bool xclient_hinders(struct session *session);

#endif
