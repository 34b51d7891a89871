/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A zone in memory: what a file of it says, and the answer to one question. Pure, no socket and no clock. */
#ifndef SEKIMORI_CLI_TESTTOOLS_ZONE_FILE_H
#define SEKIMORI_CLI_TESTTOOLS_ZONE_FILE_H

#include "base/arena.h"
#include "base/buffer.h"

enum {
    ZONE_RECORDS_MOST = 1000,
    ZONE_DATA_MOST = 1000,  /* octets of one record's data */
    ZONE_ANSWER_MOST = 1232 /* octets of an answer, which UDP carries everywhere; longer ones say TC */
};

struct zone_record {
    struct text name; /* lower case, no final dot */
    uint16_t type;    /* enum dns_record_type */
    struct text data; /* RDATA as RFC 1035 section 3.3 writes it */
};

struct zone {
    struct arena *arena; /* of all texts; the caller's */
    uint32_t count;
    struct zone_record *records;
};

/* Reads lines of "NAME TYPE VALUE"; one that is empty or begins with # says nothing. A, AAAA, MX, PTR and TXT
   are known. False: *out_why says what is wrong with line *out_line. `zone` has its arena already. */
bool zone_read(struct zone *zone, struct text file, uint32_t *out_line, const char **out_why);

/* Appends the answer to a query (RFC 1035 section 4.1): the records, NXDOMAIN for what is not in the zone,
   FORMERR for what is no question of one name in class IN. False: nothing is to be said, since it is no
   query. */
bool zone_answer(const struct zone *zone, struct text query, struct buffer *out);

#endif
