/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Judging a message while its sender is on the line: scan, lookup and consult are asked, and their answers
   come here. What is not awaited any more is let go. */
#ifndef SEKIMORI_RECEIVE_JUDGING_H
#define SEKIMORI_RECEIVE_JUDGING_H

#include "receive/session.h"

/* The content is whole. */
void judging_begin(struct session *session);

/* From lookup or consult, to the question of this id. */
void judging_answered(struct session *session, uint64_t id, const struct question_answer *answer);
/* Who was to answer has gone. */
void judging_unanswered(struct session *session, enum question_answerer gone);

/* From scan. */
void judging_facts(struct session *session, struct frame *frame);
void judging_verdict(struct session *session, struct frame *frame);
void judging_scan_failed(struct session *session, struct frame *frame);
/* It was restarted: what was asked of the old one is asked again. */
void judging_scan_is_back(struct session *session);

/* The time limit of what was waited for has passed. True: it goes on without. */
bool judging_goes_on(struct session *session);

#endif
