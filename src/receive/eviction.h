/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Who goes when there is no room: of the sessions whose clients have been slower than `limits least rate` for
   a second or longer, the slowest. Never one that waits for us. It hears 421. */
#ifndef SEKIMORI_RECEIVE_EVICTION_H
#define SEKIMORI_RECEIVE_EVICTION_H

#include "receive/session.h"

/* `limits connections` is reached: is there a place for `newcomer` all the same? A process that has no more
   than its share takes it, since others have more than theirs, and make room when they look. */
bool eviction_makes_place(struct server *server, const struct session *newcomer);

/* Of bodies in flight, for `octets` more of `session`. False: there is none, and nobody slow to take it from.
 */
bool eviction_makes_room(struct server *server, const struct session *session, uint64_t octets);

/* Looks from time to time while this process has more than its share: over the limit, its slowest go. Called
   for each new session; no look is due twice. */
void eviction_watch(struct server *server);

#endif
