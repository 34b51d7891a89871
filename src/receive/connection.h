/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A client's connection from accept to the end: its bytes, its time limits, what it is told. */
#ifndef SEKIMORI_RECEIVE_CONNECTION_H
#define SEKIMORI_RECEIVE_CONNECTION_H

#include "receive/session.h"

/* Takes over an accepted descriptor. The session lives until its client goes, or drop.h ends it. */
void connection_begin(struct server *server, struct port *port, int fd, const struct endpoint *peer);

/* queue was restarted: what was asked of the old one is asked again, and a MAIL that waited is done. The
   session may be gone after it. */
void connection_queue_is_back(struct session *session);

#endif
