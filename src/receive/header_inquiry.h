/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What scan will want to know of others about a plain header (auth/plain_header.h), asked before scan is: so
   it can decide at once. What it does not raise itself then counts for nothing. Called by transaction.c. */
#ifndef SEKIMORI_RECEIVE_HEADER_INQUIRY_H
#define SEKIMORI_RECEIVE_HEADER_INQUIRY_H

#include "receive/session.h"

/* Asks lookup about the content, which is whole. True: its answers are worth waiting for, since nothing else
   is open that will be. */
bool header_inquiry_begin(struct session *session);

/* Lookup has not answered all that it was asked. */
bool header_inquiry_is_open(const struct session *session);

#endif
