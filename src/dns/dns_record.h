/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a DNS says to one question, as plain data: one RRset, or why there is none. */
#ifndef SEKIMORI_DNS_RECORD_H
#define SEKIMORI_DNS_RECORD_H

#include "base/address.h"
#include "base/arena.h"

enum dns_status {
    DNS_FOUND,
    DNS_NONE,      /* NXDOMAIN or no such record */
    DNS_TEMPERROR, /* SERVFAIL, time-out, no resolver */
    DNS_BOGUS,     /* DNSSEC validation failed; treated as temperror where mail flows */
};
const char *dns_status_name(enum dns_status status); /* "found", "none", "temperror", "bogus" */

/* By their numbers in RFC 1035 section 3.2.2 and RFC 3596. */
enum dns_record_type {
    RECORD_A = 1,
    RECORD_CNAME = 5,
    RECORD_PTR = 12,
    RECORD_MX = 15,
    RECORD_TXT = 16,
    RECORD_AAAA = 28
};
/* "TXT"; NULL for a number that is none of these. */
const char *dns_record_type_name(enum dns_record_type type);
/* In any case. False: none of these. */
bool dns_record_type_find(struct text name, enum dns_record_type *out);

struct dns_record {
    uint16_t preference;    /* MX */
    struct address address; /* A, AAAA */
    struct text name;       /* MX, PTR, CNAME: lower case, no final dot, "" for the root; odd bytes as \DDD */
    struct text text;       /* TXT: its strings one behind the other (RFC 7208 section 3.3), any bytes */
};

struct dns_answer {
    enum dns_status status;
    bool is_nxdomain; /* status DNS_NONE: the name does not exist at all */
    bool secure;      /* DNSSEC-validated */
    bool was_cached;  /* nobody was asked for it */
    uint32_t ttl_s;   /* as packet_parse found it: how long it may be kept; 0: not at all */
    uint32_t count;   /* at most PACKET_RECORDS; further ones are left out */
    struct dns_record *records;
};

#endif
