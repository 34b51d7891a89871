/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Who was turned away, for log and ledger. Of one client's refusals that are alike the first in a minute are
   told one by one, the others together, with their number; and of all clients' so many a second, the others
   together, whoever sent them: what strangers say costs no more lines and events than are worth reading. */
#ifndef SEKIMORI_RECEIVE_REFUSALS_H
#define SEKIMORI_RECEIVE_REFUSALS_H

#include "ipc/event.h"
#include "receive/server.h"

struct refusals;

/* All borrowed for the call. The event's serial and count are made here; no line is logged of codes below
 * 400. */
struct refusal {
    struct event_refused event;
    struct text client_name;
    const char *protocol;
};

/* With a timer of the server's loop; the server is borrowed. Never NULL. */
struct refusals *refusals_new(struct server *server);
void refusals_free(struct refusals *refusals); /* what waits is not told */

/* Tells of it now or, with others, within two seconds. What was judged waits for others only where very many
   messages are refused; then its class, virus and engine are told, and not its points. Returns the id by
   which the ledger has it, of those that are told together that of the first. */
uint64_t refusals_add(struct refusals *refusals, const struct refusal *refusal);

/* Tells what waits: before the process ends. */
void refusals_flush(struct refusals *refusals);

#endif
