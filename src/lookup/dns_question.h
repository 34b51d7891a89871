/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The questions under way. The same question asked by many is asked once; each asker has its own deadline
   and gets what is known then. */
#ifndef SEKIMORI_LOOKUP_DNS_QUESTION_H
#define SEKIMORI_LOOKUP_DNS_QUESTION_H

#include <sys/queue.h>

#include "auth/authentication.h"
#include "lookup/exchanger.h"
#include "lookup/reverse.h"

enum dns_question_kind {
    DNS_QUESTION_HOST,
    DNS_QUESTION_MX,
    DNS_QUESTION_CLIENT_NAME,
    DNS_QUESTION_RECORDS, /* of one type, as the DNS has them */
    DNS_QUESTION_SPF,     /* a judgement of both identities */
    DNS_QUESTION_KEY,     /* the TXT records of one name */
    DNS_QUESTION_POLICY   /* what the DNS says of the domains that DMARC looks at */
};

/* What is asked. Borrowed for the call. */
struct dns_question_subject {
    enum dns_question_kind kind;
    struct text name; /* of HOST, MX and RECORDS: in any case, A-labels or UTF-8, with or without a final dot;
                         of SPF, KEY and POLICY as LOOKUP_SPF, LOOKUP_KEY and LOOKUP_POLICY have it */
    struct address client;     /* CLIENT_NAME */
    enum dns_record_type type; /* RECORDS */
};

enum {
    DNS_QUESTION_LIMIT = 4096,      /* different ones in flight */
    DNS_QUESTION_ASKERS = 65536,    /* waiting in all */
    DNS_QUESTION_DEADLINE = 120000, /* ms, the longest that may be asked for */
};

/* The one that the kind says is set. Borrowed for the call. */
struct dns_question_answer {
    enum dns_question_kind kind;
    const struct host_answer *host;
    const struct mx_answer *mx;
    const struct client_name *client_name;
    const struct dns_answer *records;
    const struct spf_answer *spf;
    const struct dns_answers *answers; /* KEY, POLICY */
};

/* One who waits. The caller's memory; `answered` is called once, perhaps inside dns_question_ask, and may
 * free it. */
struct asker {
    enum { ASKER_MAGIC = 0x6000fb2b } magic;
    void (*answered)(struct asker *asker, const struct dns_question_answer *answer);
    struct dns_question *question; /* ours: NULL when not waiting */
    LIST_ENTRY(asker) others;      /* of the same question */
    struct timer *deadline;
};

struct dns_question_table;

/* How questions are asked. Borrowed as long as the table. */
struct dns_question_manner {
    uint32_t timeout_ms;                       /* for deadline 0 */
    struct text hostname;                      /* ours, for SPF's %{r} */
    const struct public_suffix_list *suffixes; /* NULL: DMARC walks the tree */
};

/* Never NULL. Loop and resolver are borrowed. */
struct dns_question_table *dns_question_table_new(struct loop *loop, struct resolver *resolver,
                                                  const struct dns_question_manner *manner);
void dns_question_table_set_manner(struct dns_question_table *table,
                                   const struct dns_question_manner *manner);
void dns_question_table_free(struct dns_question_table *table); /* askers are forgotten */

/* A name that cannot be a domain's is DNS_NONE at once, and over a limit the answer is temperror at once. */
void dns_question_ask(struct dns_question_table *table, const struct dns_question_subject *subject,
                      uint32_t deadline_ms, struct asker *asker);

/* The asker is gone: no answer. */
void dns_question_leave(struct asker *asker);

struct dns_question_counts {
    uint64_t asked, merged, temperrors, late, over_limit;
    uint32_t in_flight, waiting;
};
/* Borrowed; they go on counting. */
const struct dns_question_counts *dns_question_counts(const struct dns_question_table *table);

#endif
