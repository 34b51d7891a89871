/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The moment before a message is kept: is its client there? Who hung up sends it again, so nothing is kept
   for it; who only closed its side (a script, `nc -N`) waits for the reply. */
#ifndef SEKIMORI_RECEIVE_CLIENT_PRESENCE_H
#define SEKIMORI_RECEIVE_CLIENT_PRESENCE_H

#include "receive/session.h"

/* The verdict is good. Keeps the message at once, or after STEP_PROBING. Code 0: an answer is awaited; else
   as of keep_judged, or 451 to a client that is gone. */
struct reply client_presence_begin(struct session *session);

/* The session's timer in STEP_PROBING: has the client's network said what became of it? */
struct reply client_presence_look(struct session *session);

#endif
