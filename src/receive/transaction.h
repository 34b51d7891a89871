/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The life of a message while its sender is on the line: open, read, ask, decide, keep, reply. */
#ifndef SEKIMORI_RECEIVE_TRANSACTION_H
#define SEKIMORI_RECEIVE_TRANSACTION_H

#include "receive/session.h"

/* MAIL was taken. The command's texts are copied. */
void transaction_open(struct session *session, const struct smtp_command *command);

/* DATA or the first BDAT was taken: content follows. */
void transaction_read(struct session *session);

/* Content that arrived; returns what was consumed. With the last octet of a chunk its reply is said, so that
   an empty one is shown too. */
size_t transaction_data(struct session *session, struct text wire);
size_t transaction_chunk(struct session *session, struct text wire);

/* --- answers of the peers; whatever is not awaited any more is let go --- */

/* From lookup, to the question of this id. */
void transaction_answered(struct session *session, uint64_t id, const struct question_answer *answer);
/* Who was to answer has gone. */
void transaction_unanswered(struct session *session, enum question_answerer gone);
void transaction_facts(struct session *session, struct frame *frame);
void transaction_verdict(struct session *session, struct frame *frame);
void transaction_scan_failed(struct session *session, struct frame *frame);
/* queue has it on disk: 250. */
void transaction_kept(struct session *session);
/* A node sent it before and did not see our reply: it was kept as message `as` then. */
void transaction_kept_before(struct session *session, uint64_t as);
void transaction_not_kept(struct session *session, enum keep_refusal why, struct text reason);

/* deliver's word on a message that goes through. */
void transaction_relayed(struct session *session, struct frame *frame);

/* queue's file for a large body; fd -1: there is none. */
void transaction_body_file(struct session *session, int fd);

/* A peer was restarted: what was asked of the old one is asked again. */
void transaction_scan_is_back(struct session *session);
void transaction_queue_is_back(struct session *session);
void transaction_resolved(struct session *session, bool kept);

/* The time limit of what was waited for has passed. */
void transaction_timed_out(struct session *session);

#endif
