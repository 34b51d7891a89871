/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The side that collects: takes connections of other nodes, whose certificates say who they are, hands their
   parcels to ledger, and says STORED when ledger does. */
#ifndef SEKIMORI_COURIER_RECEPTION_H
#define SEKIMORI_COURIER_RECEPTION_H

#include "base/loop.h"
#include "config/settings.h"
#include "ipc/channel.h"

struct reception;

enum { RECEPTION_GUESTS = 300 }; /* connections at once: more than nodes can be */

struct reception *reception_new(struct loop *loop); /* never NULL */
/* Connections end at once; the listening socket is kept by the caller. */
void reception_free(struct reception *reception);

/* A listening socket (kept by the caller; -1: none) and who we are. Connections that stand go on, unless the
   certificates are other ones. */
void reception_configure(struct reception *reception, const struct config *config, int fd);

/* ledger is there, or (NULL) gone: then all connections end, and nodes come again. Borrowed. */
void reception_set_ledger(struct reception *reception, struct channel *ledger);
/* COURIER_NODE_WELCOME and COURIER_NODE_STORED; false: malformed. */
bool reception_frame(struct reception *reception, struct frame *frame);
/* COURIER_SAY and COURIER_SAY_HEARD; likewise. */
bool reception_declarations(struct reception *reception, struct frame *frame);

void reception_status(const struct reception *reception, struct buffer *out); /* appends */

#endif
