/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What scan will want to know of others about a plain header (auth/plain_header.h), asked before scan is: so
   it can decide at once. What it does not raise itself then counts for nothing. Called by judging.c. */
#ifndef SEKIMORI_RECEIVE_HEADER_INQUIRY_H
#define SEKIMORI_RECEIVE_HEADER_INQUIRY_H

#include "receive/session.h"

/* Puts what is to be asked about the content, which is whole; session_ask sends it. False: nothing was put.
 */
bool header_inquiry_put(struct session *session);

/* Lookup has not answered all that it was asked. */
bool header_inquiry_is_open(const struct session *session);

#endif
