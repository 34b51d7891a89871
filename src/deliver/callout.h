/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Would the server take this recipient? Asked by receive, answered from a cache or by MAIL FROM:<>, RCPT,
   RSET on a connection of the pool. Does it take SMTPUTF8? is answered by what it says to EHLO. Several
   askers of one recipient share one call-out. While no server accepts a connection, what was known last is
   the answer. */
#ifndef SEKIMORI_DELIVER_CALLOUT_H
#define SEKIMORI_DELIVER_CALLOUT_H

#include "deliver/pool.h"

struct callouts;

/* Never NULL. Loop and pool are borrowed. */
struct callouts *callout_new(struct loop *loop, struct pool *pool);
void callout_free(struct callouts *callouts); /* after callout_stop and pool_free */

/* How many recipients are known or being asked for at once, and how long an answer is good (`deliver
   callout`). Before it is called the defaults hold. */
void callout_configure(struct callouts *callouts, const struct config *config);

/* A frame of receive. False: malformed. */
bool callout_frame(struct callouts *callouts, struct channel *asker, struct frame *frame);

void callout_forget(struct callouts *callouts, const struct channel *asker); /* it is gone */
/* Routes have changed: all are asked again. What is known is kept for when nobody can be asked. */
void callout_forget_answers(struct callouts *callouts);
/* Answers about this recipient, or about a domain and everybody in it; empty: all. ASCII case is ignored.
   They are dropped for good, and asked for again. Returns how many there were. */
uint64_t callout_drop_answers(struct callouts *callouts, struct text what);
uint64_t callout_count_answers(
    const struct callouts *callouts); /* how many are kept, good ones and old ones */
/* A server said no to the recipient in a transaction: who asks next is told at once. */
void callout_learn_refused(struct callouts *callouts, struct text address,
                           const struct recipient_result *result);
void callout_stop(struct callouts *callouts); /* those not started are answered as deferred */
void callout_status(const struct callouts *callouts, struct buffer *out); /* appends */

#endif
