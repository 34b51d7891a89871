/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Who may send at all, and whether a message may begin now: lists of the port, connections and rates of a
 * client and of everybody. */
#ifndef SEKIMORI_RECEIVE_ADMISSION_H
#define SEKIMORI_RECEIVE_ADMISSION_H

#include "receive/session.h"

/* May one more connection have lines of its own in the log? Over all clients so many a second; messages have
   theirs either way. */
bool admission_is_noted(struct server *server);

/* Counts the session's client in (and the one that it stood for before out), and says why it may not send
   now; code 0: it may. Where there is no place a slower client may lose its own. */
struct reply admission_ask(struct session *session);

/* The same for who connects: the port may be for listed hosts. Whom a peer stands for is another matter. */
struct reply admission_of_peer(struct session *session);

/* A message needs queue, which is being restarted. What goes through the node needs none: should it have to
   be kept after all, its client hears then. */
bool admission_waits_for_queue(const struct session *session);

/* Counts a message of the client, and says what hinders it now; code 0: nothing. */
struct reply admission_of_message(struct session *session);

#endif
