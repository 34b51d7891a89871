/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The processes that receive talks to. */
#ifndef SEKIMORI_RECEIVE_PEERS_H
#define SEKIMORI_RECEIVE_PEERS_H

#include "receive/server.h"

/* A peer was started (again); `fd` is the channel to it, taken over. What the one before was asked is asked
   of this one. With queue connections are taken. */
void peers_take(struct server *server, enum process_kind kind, int fd);

#endif
