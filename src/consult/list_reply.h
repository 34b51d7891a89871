/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is read of a server's reply to a request for a list: fields that tell one version from the next, the
   kind of content, and when to try again. Pure. */
#ifndef SEKIMORI_CONSULT_LIST_REPLY_H
#define SEKIMORI_CONSULT_LIST_REPLY_H

#include "base/text.h"

enum { LIST_VALIDATOR_SIZE = 201 };

/* The validators of RFC 9110 section 8.8, as the server spelled them; empty: it has none that can be kept. */
struct list_validators {
    char etag[LIST_VALIDATOR_SIZE], modified[LIST_VALIDATOR_SIZE];
};

/* Takes one line of a head; a status line begins anew. What is longer than fits or not printable ASCII is
   left out. */
void list_reply_line(struct text line, struct list_validators *validators);

/* A list may have this Content-Type (NULL: none was said): text that is no HTML, or octets. */
bool list_reply_is_list(const char *content_type);

/* Milliseconds until the next try after so many failures in a row: a minute, each time twice as long,
   `every_ms` at most. */
uint64_t list_reply_retry_ms(uint32_t failures, uint64_t every_ms);

#endif
