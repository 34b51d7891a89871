/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which recipients are taken: our domains, tables, call-outs, limits. */
#ifndef SEKIMORI_RECEIVE_RECIPIENTS_H
#define SEKIMORI_RECEIVE_RECIPIENTS_H

#include "judge/sender_history.h"
#include "receive/session.h"

/* RCPT: replies at once, or waits for a call-out and replies then. */
void recipient_offer(struct session *session, const struct smtp_command *command);

/* deliver was restarted: a call-out that the old one was asked for, or nobody could be, goes to the new one.
 */
void recipient_deliver_is_back(struct session *session);

/* deliver's answer to the call-out of this session. */
void recipient_called_out(struct session *session, enum recipient_ending ending, struct text enhanced,
                          struct text reply);

/* lookup's answer about the sender to this recipient; NULL: it is gone, or slow. */
void recipient_sender_known(struct session *session, const struct sender_rcpt_answer *answer);

/* deliver's answer did not come in time. */
void recipient_timed_out(struct session *session);

#endif
