/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What we say of our client to the next node, which reads it in xclient.c. */
#ifndef SEKIMORI_RECEIVE_ORIGIN_H
#define SEKIMORI_RECEIVE_ORIGIN_H

#include "receive/session.h"

/* What the next node is to know of our client: attributes with their values in xtext, in the transaction's
   arena. `transaction`: TRANSACTION_BYTES. */
struct text origin_of(struct session *session, struct text transaction);

#endif
