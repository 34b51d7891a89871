/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The content of a message as it arrives, up to its end: then it goes on its way, or is refused. */
#ifndef SEKIMORI_RECEIVE_MAIL_DATA_H
#define SEKIMORI_RECEIVE_MAIL_DATA_H

#include "receive/session.h"

/* DATA or the first BDAT was taken: content follows. */
void mail_data_begin(struct session *session);

/* Content that arrived; returns what was consumed. With the last octet of a chunk its reply is said, so that
   an empty one is shown too. */
size_t mail_data_take(struct session *session, struct text wire);
size_t mail_data_chunk(struct session *session, struct text wire);

/* queue's file for a large body, which is closed where nobody waits for it; fd -1: there is none. */
void mail_data_file(struct session *session, int fd);

#endif
