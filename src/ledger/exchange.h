/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Tells other nodes the declarations that this one knows, and hears theirs, over courier's connections. A
   connection begins with all there are; then what changes follows, also what has been heard of another node.
   What is taken:

     from the node that this one tells of events   everything
     from a node that `node trust` names           what was said there, and what this node itself once said
     from others                                   nothing */
#ifndef SEKIMORI_LEDGER_EXCHANGE_H
#define SEKIMORI_LEDGER_EXCHANGE_H

#include "base/loop.h"
#include "config/settings.h"
#include "ipc/channel.h"
#include "ledger/declarations.h"

struct exchange;

/* Never NULL; all is borrowed. Becomes the listener of `declarations`. */
struct exchange *exchange_new(struct loop *loop, const struct config *config,
                              struct declarations *declarations);
void exchange_free(struct exchange *exchange);
void exchange_set_config(struct exchange *exchange, const struct config *config); /* borrowed */

/* courier is there, or (NULL) gone, and its connections with it. Borrowed. */
void exchange_set_courier(struct exchange *exchange, struct channel *courier);
/* COURIER_PEER and what follows it, and COURIER_NODE_GONE; false: malformed. */
bool exchange_frame(struct exchange *exchange, const struct frame *frame);

void exchange_look(struct exchange *exchange); /* now and then: what is over, what could not be written */

struct exchange_facts {
    uint64_t heard;    /* declarations of others that changed something */
    uint64_t left_out; /* of nodes that may not say them, of too many, or none at all */
};
struct exchange_facts exchange_facts(const struct exchange *exchange); /* since the start */

#endif
