/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The SMTP verbs of a session: RFC 5321 section 4.1 and the extensions offered. */
#ifndef SEKIMORI_RECEIVE_VERBS_H
#define SEKIMORI_RECEIVE_VERBS_H

#include "receive/session.h"

/* One command line without its end. False: it waits for a process that is being restarted, and is to be shown
   again when the session goes on. Else it is done, and the session may be gone. */
bool verb_do(struct session *session, struct text line);

#endif
