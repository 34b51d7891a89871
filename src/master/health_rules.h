/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Is the node well? Pure: facts and limits in, a report out. What damps is stated here: nothing is called
   sick for one probe that was missed or one process that was restarted. */
#ifndef SEKIMORI_MASTER_HEALTH_RULES_H
#define SEKIMORI_MASTER_HEALTH_RULES_H

#include "config/settings.h"
#include "ipc/health.h"

enum {
    HEALTH_RULE_MISSES = 3,           /* probes in a row without an answer */
    HEALTH_RULE_UNREADY_MS = 2000,    /* a process that is down for longer; at the start: at once */
    HEALTH_RULE_SILENT_MS = 5000,     /* a process that runs and does not answer master */
    HEALTH_RULE_RESTARTS = 3,         /* of one process ... */
    HEALTH_RULE_RESTARTS_MS = 60000,  /* ... in so long a time */
    HEALTH_RULE_SCAN_DOWN_MS = 60000, /* without a worker: a large set of signatures takes its time to load */
    HEALTH_RULE_SCAN_LOST = 5,        /* messages in a row that no worker judged */
    HEALTH_RULE_CLOCK_UNKNOWN = -1,   /* the kernel does not say */
    HEALTH_RULE_CLOCK_UNATTENDED = -2, /* no time service has set it, or not for hours */
};

struct judged_process {
    const char *name;
    unsigned index;
    bool is_ready;
    bool is_aside;                  /* without it the node is sick, but serves */
    bool waits_disk;                /* that is why it is silent */
    uint64_t log_missed;            /* lines within a minute */
    uint64_t unready_ms, silent_ms; /* since it was ready, since its last answer */
    unsigned restarts;              /* within HEALTH_RULE_RESTARTS_MS */
};

/* What ends first of the certificates that this node shows. */
struct judged_certificate {
    char use[HEALTH_SUBJECT_SIZE]; /* "listen 192.0.2.1 port 25"; empty: there is no certificate */
    int64_t days_left;             /* below 0: it is over */
};

struct judged_facts {
    const struct judged_process *processes;
    size_t process_count;
    bool was_ready; /* every process was ready once */
    bool is_stopping, is_draining;
    bool is_drained;          /* nothing is left that has to go */
    struct health_facts told; /* by all processes together */
    int64_t clock_error_ms;   /* or HEALTH_RULE_CLOCK_... */
    struct judged_certificate certificate;
    size_t listener_count, listeners_shut; /* shut: they do not listen although the node is in service */
};

/* Sets all of `out`; nothing in it is borrowed. */
void health_rules_judge(const struct judged_facts *facts, const struct config *limits,
                        struct health_report *out);

#endif
