/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Connections that the life before this one left with a message under way: their replies are heard, then they
   are closed. */
#ifndef SEKIMORI_DELIVER_ADOPTED_H
#define SEKIMORI_DELIVER_ADOPTED_H

#include "deliver/jobs.h"

/* Takes all that `flights` has. Before queue is told what is under way. Returns how many there were. */
unsigned adopted_take(struct flights *flights, struct pool *pool, struct jobs *jobs);

#endif
