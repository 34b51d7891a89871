/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What we put on top of a message, and what its header tells at a glance. */
#ifndef SEKIMORI_RECEIVE_TRACE_H
#define SEKIMORI_RECEIVE_TRACE_H

#include "receive/session.h"

/* The Received field (RFC 5321 section 4.4), X-Sekimori-Id, and what mail that goes out lacks (RFC 6409
   section 8), in ASCII, in the transaction's arena: what others called themselves in UTF-8 becomes A-labels,
   or xtext where it is no domain. */
struct text trace_fields(struct session *session);

/* One pass over the header's lines, given up once it has more than `most` bytes: out->bytes says more, then,
   and the rest is not looked at. `has_8bit`: some byte of the message is over 127. */
void header_glance(struct text message, uint64_t most, bool has_8bit, struct header_glance *out);

#endif
