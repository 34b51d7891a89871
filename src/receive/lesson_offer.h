/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Tells ledger of each message that would teach by itself (learn automatic): that it would, scan says; from
   where it came, this process saw. */
#ifndef SEKIMORI_RECEIVE_LESSON_OFFER_H
#define SEKIMORI_RECEIVE_LESSON_OFFER_H

struct session;

/* Once a message. Nothing where it teaches nothing, or there is no room for it on the way: nobody misses it.
 */
void lesson_offer_tell(struct session *session);

#endif
