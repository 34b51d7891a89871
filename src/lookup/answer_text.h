/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What the DNS says to one question, as lines "KEY: VALUE" for people and for `sekimori dns`. */
#ifndef SEKIMORI_LOOKUP_ANSWER_TEXT_H
#define SEKIMORI_LOOKUP_ANSWER_TEXT_H

#include "base/buffer.h"
#include "dns/dns_record.h"

/* Appends "status: found", "dnssec: secure", "cached: yes", and "record: …" for each. Bytes of a TXT record
   that are not printable US-ASCII, quotes and backslashes are written as \DDD. */
void answer_text_print(const struct dns_answer *answer, enum dns_record_type type, struct buffer *out);

/* The exit code that goes with a status: EX_OK, 1 for none, EX_TEMPFAIL, EX_PROTOCOL for bogus. */
int answer_text_code(enum dns_status status);

#endif
