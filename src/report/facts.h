/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* How the node is, as far as this process can see: rows of the report, and what alarms are made of. */
#ifndef SEKIMORI_REPORT_FACTS_H
#define SEKIMORI_REPORT_FACTS_H

#include "config/settings.h"
#include "ipc/health_page.h"
#include "ledgerdb/reader.h"

enum fact_kind {
    FACT_LEDGER,       /* the database can be read */
    FACT_BALANCE,      /* receive's count and the journal's agree, and the journal with itself */
    FACT_SIGNATURES,   /* viruses are known; these six as master judges them (ipc/health.h) */
    FACT_ENGINES,      /* engines outside answer */
    FACT_CLOCK,        /* the time is right */
    FACT_PROCESSES,    /* every process runs and answers */
    FACT_NAMES,        /* the DNS answers */
    FACT_UPSTREAM,     /* the provider's line is up */
    FACT_QUEUE,        /* how long the oldest message has waited */
    FACT_HELD,         /* recipients held */
    FACT_REPORTS,      /* what users reported and nobody has decided about */
    FACT_LEARNED,      /* what was learned though nobody said it */
    FACT_INSIDE,       /* senders inside whose mail is held */
    FACT_LISTS,        /* lists are in force, none is put aside */
    FACT_RULES,        /* no rule file was left out at the start */
    FACT_DISK,         /* room where the spool is: bad from twice what `queue free` keeps */
    FACT_CERTIFICATES, /* the first to expire */
    FACT_COLLECTOR,    /* the node that collects takes what happens here */
    FACT_NODES,        /* the nodes that this one collects of are heard of */
    FACT_COUNT
};
const char *fact_name(enum fact_kind kind); /* English */
const char *fact_word(enum fact_kind kind); /* for programs: never changes, never translated */

enum fact_state { FACT_UNKNOWN, FACT_GOOD, FACT_BAD };

struct fact {
    enum fact_state state;
    struct text says; /* in the language asked for; empty when unknown */
};

enum {
    FACT_QUEUE_MOST_HOURS = 4,
    FACT_CERTIFICATE_LEAST_DAYS = 14,
    FACT_NODE_RETIRED_DAYS = 31, /* one that was not heard of for longer is no more */
};

struct facts_source {
    const struct config *config;
    struct ledgerdb_reader *ledgerdb; /* NULL: cannot be read, and `ledgerdb_why` says why */
    struct text ledgerdb_why;
    const struct health_page *health; /* NULL: none */
    int64_t ledger_apart;             /* recipients, as the last night found (accounts.h); 0: none */
    int counters_fd, state_fd;        /* state_fd: a folder on the spool's disk */
    uint64_t now_ms;
};

/* Counts that were a moment apart are equal a moment later: balance is bad only when it is seen with the same
   difference as in `*last_difference`, which is updated. */
void facts_gather(const struct facts_source *source, enum language language, int64_t *last_difference,
                  struct arena *arena, struct fact out[FACT_COUNT]);

#endif
