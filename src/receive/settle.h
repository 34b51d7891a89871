/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The reply to the end of a message's data, which ends its transaction. */
#ifndef SEKIMORI_RECEIVE_SETTLE_H
#define SEKIMORI_RECEIVE_SETTLE_H

#include "receive/session.h"

/* The only place that says it. The transaction is over, and the session goes on, or ends where half a reply
   was said. Code 0: it is not known yet, and nothing happens. The reply's texts are borrowed for the call. */
void settle_reply(struct session *session, struct reply reply);

/* The same of these parts; and 552 for what is too large. */
void settle_with(struct session *session, uint16_t code, const char *enhanced, const char *text);
void settle_too_large(struct session *session, const char *text);

/* Adds the time since `since_us` (measures_now_us), unless that is 0. */
void settle_measure(struct histogram *histogram, uint64_t since_us);

#endif
