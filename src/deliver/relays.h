/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Relay-through: messages that receive hands over while their clients wait. Nothing of them is stored; the
   reply goes back as soon as it is there. */
#ifndef SEKIMORI_DELIVER_RELAYS_H
#define SEKIMORI_DELIVER_RELAYS_H

#include "deliver/callout.h"

struct relays;

/* Never NULL. Both are borrowed. */
struct relays *relays_new(struct pool *pool, struct callouts *callouts);
void relays_free(struct relays *relays); /* after pool_free: nothing is under way */

/* DELIVER_RELAY, DELIVER_RELAY_DOUBT or DELIVER_RELAY_CANCEL of receive. False: malformed. */
bool relays_frame(struct relays *relays, struct channel *asker, struct frame *frame);

void relays_forget(struct relays *relays,
                   const struct channel *asker); /* it is gone, and its clients with it */
void relays_stop(struct relays *relays);         /* those not started are answered: try again later */
void relays_status(const struct relays *relays, struct buffer *out); /* appends */

#endif
