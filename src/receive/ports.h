/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The listeners of the configuration in force as ports, and the accepting of connections. */
#ifndef SEKIMORI_RECEIVE_PORTS_H
#define SEKIMORI_RECEIVE_PORTS_H

#include "receive/server.h"

/* Before the jail closes: how many connections the descriptors allow. */
void ports_start(struct server *server);

/* Opens a port for each listener (master has sent its socket); ports of before go when their last session
 * ends. */
void ports_replace(struct server *server);

/* Starts to accept on every port, or stops. */
void ports_accept(struct server *server, bool accept);

/* Connections are taken from the moment there is a queue; what else is missing is waited for. Called when
   something of this has changed. */
void ports_begin(struct server *server);

#endif
