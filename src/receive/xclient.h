/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* XCLIENT: a listed peer, or a node of ours, says for whom it speaks. The attributes are those of Postfix;
 * TLS and TRANSACTION are between nodes. */
#ifndef SEKIMORI_RECEIVE_XCLIENT_H
#define SEKIMORI_RECEIVE_XCLIENT_H

#include "receive/session.h"

/* The verb, by a peer that may say it and between two messages: the session stands for who is named, and the
   peer has its reply. After a refusal MAIL is refused too until XCLIENT is said well: the peer may have sent
   both at once, and a message judged as the peer's own would be judged wrong. */
void xclient_do(struct session *session, const struct smtp_command *command);

#endif
