/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The life of a message while its sender is on the line: it is opened here, its content comes
   (receive/mail_data.h), it is judged (receive/judging.h), kept, and its data is replied to (receive/settle.h).
 */
#ifndef SEKIMORI_RECEIVE_TRANSACTION_H
#define SEKIMORI_RECEIVE_TRANSACTION_H

#include "receive/session.h"

/* MAIL was taken. The command's texts are copied. */
void transaction_open(struct session *session, const struct smtp_command *command);

/* --- answers of the peers; whatever is not awaited any more is let go --- */

/* queue has it on disk: 250. */
void transaction_kept(struct session *session);
/* A node sent it before and did not see our reply: it was kept as message `as` then. */
void transaction_kept_before(struct session *session, uint64_t as);
void transaction_not_kept(struct session *session, enum keep_refusal why, struct text reason);

/* deliver's word on a message that goes through. */
void transaction_relayed(struct session *session, struct frame *frame);

/* It was restarted: what was asked of the old one is asked again. */
void transaction_queue_is_back(struct session *session);
void transaction_resolved(struct session *session, bool kept);

/* The time limit of what was waited for has passed. */
void transaction_timed_out(struct session *session);

#endif
