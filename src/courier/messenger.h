/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The side that tells: one connection to the first collector that answers, and the parcels of ledger's outbox
   over it. Nothing is kept here: what a collector has not stored is asked of ledger again. */
#ifndef SEKIMORI_COURIER_MESSENGER_H
#define SEKIMORI_COURIER_MESSENGER_H

#include "base/loop.h"
#include "config/settings.h"
#include "ipc/channel.h"

struct messenger;

/* Never NULL. Does nothing before messenger_configure. */
struct messenger *messenger_new(struct loop *loop);
void messenger_free(struct messenger *messenger);

/* Another configuration, or other certificates: begins anew. Borrowed. */
void messenger_configure(struct messenger *messenger, const struct config *config);

/* ledger is there, or (NULL) gone. Borrowed. */
void messenger_set_ledger(struct messenger *messenger, struct channel *ledger);
/* COURIER_SERIES and COURIER_PARCEL; false: malformed. */
bool messenger_frame(struct messenger *messenger, struct frame *frame);
/* COURIER_SAY and COURIER_SAY_HEARD, of connections that this node made; likewise. */
bool messenger_declarations(struct messenger *messenger, struct frame *frame);

void messenger_status(const struct messenger *messenger, struct buffer *out); /* appends */

#endif
