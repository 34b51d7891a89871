/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A DNS that tests write down: names, records, time-outs, aliases. */
#ifndef SEKIMORI_TESTS_ZONE_H
#define SEKIMORI_TESTS_ZONE_H

#include "dns/answers.h"

struct zone_entry {
    struct text name; /* lower case, no final dot, odd bytes as \DDD */
    enum { ZONE_RECORD, ZONE_TIMEOUT, ZONE_EMPTY } kind;
    enum dns_record_type type;
    struct dns_record record;
    struct zone_entry *next;
};

struct zone {
    struct arena *arena;
    struct zone_entry *first, **end;
    uint32_t asked; /* questions that zone_fill answered */
};

/* In the arena. One that is zero but for its arena serves as well. */
struct zone *zone_new(struct arena *arena);

/* "a.test TXT v=spf1 -all", "a.test MX 10 mx.test", "a.test TIMEOUT" (whatever has no record there times
   out), "a.test EMPTY" (exists without records); lines end in "\n". A name's odd bytes may be written
   \\DDD. Anything else ends the test. */
void zone_read(struct zone *zone, const char *lines);

/* One record; `value` as in a line. */
void zone_add(struct zone *zone, struct text name, struct text type, struct text value);
void zone_add_txt(struct zone *zone, struct text name, struct text value);

void zone_clear(struct zone *zone); /* nothing exists any more */

/* Answers what is wanted. False: nothing was. */
bool zone_fill(struct zone *zone, struct dns_answers *answers);

/* Answers to whatever is asked, as they stand at hand. */
struct dns_answers zone_answers(struct zone *zone);

#endif
