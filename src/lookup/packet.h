/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The answer section of a DNS message (RFC 1035 section 4) as records. Foreign bytes: every length and
   pointer is checked, the work is linear in the message. */
#ifndef SEKIMORI_LOOKUP_PACKET_H
#define SEKIMORI_LOOKUP_PACKET_H

#include "base/address.h"
#include "base/arena.h"
#include "ipc/ask_lookup.h"

enum dns_record_type { RECORD_A = 1, RECORD_CNAME = 5, RECORD_PTR = 12, RECORD_MX = 15, RECORD_AAAA = 28 };

enum { PACKET_RECORDS = 256, PACKET_ALIASES = 16 };

struct dns_record {
    uint16_t preference;    /* MX */
    struct address address; /* A, AAAA */
    struct text name;       /* MX, PTR: lower case, no final dot, "" for the root; odd bytes as \DDD */
};

struct dns_answer {
    enum dns_status status;
    bool is_nxdomain; /* status DNS_NONE: the name does not exist at all */
    bool secure;
    uint32_t count; /* at most PACKET_RECORDS; further ones are left out */
    struct dns_record *records;
};

/* Reads the records of `type` at `name` (lower case, no final dot), aliases (CNAME) followed. Records live in
   the arena. A message that is malformed or says anything but NOERROR and NXDOMAIN gives DNS_TEMPERROR. */
void packet_parse(struct arena *arena, struct text message, struct text name, enum dns_record_type type,
                  struct dns_answer *out);

#endif
