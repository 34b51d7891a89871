/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* How much a sender inside sent is asked of lookup as early as its recipients are known; and the
   administrator is told, once, that a sender is held or a flood of sign-ups came. Called by judging.c and mail_data.c. */
#ifndef SEKIMORI_RECEIVE_RATE_CHECK_H
#define SEKIMORI_RECEIVE_RATE_CHECK_H

struct session;

/* At the begin of a content from inside that is judged here: by its end the answer is there. */
void rate_check_ask(struct session *session);

/* Once a message, when its verdict stands: an alarm where lookup said so for the first time; and lookup is
   told that mail from inside looks like spam. */
void rate_check_tell(struct session *session);

#endif
