/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The answer section of a DNS message (RFC 1035 section 4) as records. Foreign bytes: every length and
   pointer is checked, the work is linear in the message. */
#ifndef SEKIMORI_DNS_PACKET_H
#define SEKIMORI_DNS_PACKET_H

#include "dns/dns_record.h"

enum { PACKET_RECORDS = 256, PACKET_ALIASES = 16 };

/* Reads the records of `type` at `name` (lower case, no final dot), aliases (CNAME) followed. Records live in
   the arena. A message that is malformed or says anything but NOERROR and NXDOMAIN gives DNS_TEMPERROR. */
void packet_parse(struct arena *arena, struct text message, struct text name, enum dns_record_type type,
                  struct dns_answer *out);

#endif
