/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which of our addresses mail would come from, and whether their reverse names lead back to them: what
   servers of the world look at. */
#ifndef SEKIMORI_LOOKUP_OWN_SOURCE_H
#define SEKIMORI_LOOKUP_OWN_SOURCE_H

#include "lookup/dns_question.h"

/* Different sources of one question. A machine has one, or one an uplink; what is beyond counts as not
   known. */
enum { OWN_SOURCES_MOST = 8 };

struct own_source {
    struct asker asker; /* first: its answer gets the source back by this */
    struct own_sources *all;
    struct outbound_source source;
};

/* The caller's memory. */
struct own_sources {
    enum { OWN_SOURCES_MAGIC = 0x5e2a90c7 } magic;
    void (*answered)(void *context, const struct sources_answer *answer);
    void *context;
    uint32_t source_count, destination_count;
    uint32_t pending;
    struct own_source sources[OWN_SOURCES_MOST];
    uint8_t source_of[LOOKUP_SOURCES_MOST]; /* by destination: index in sources, or one of two words of .c */
};

/* Asks the kernel for the way to each destination, without a packet, and the DNS for the names of the
   sources, each once. `answered` is called once, perhaps inside this call, and may free `own`; the answer is
   borrowed. The question is borrowed for the call, the table until then. deadline_ms as with
   dns_question_ask. */
void own_sources_begin(struct own_sources *own, struct dns_question_table *table,
                       const struct sources_question *question, uint32_t deadline_ms,
                       void (*answered)(void *context, const struct sources_answer *answer), void *context);

/* Who asked is gone: no answer. */
void own_sources_leave(struct own_sources *own);

#endif
