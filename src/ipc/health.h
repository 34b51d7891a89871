/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a process knows about the node's health, told to master once a second: numbers by name. And what
   master makes of them all: a report that `sekimori health` prints. */
#ifndef SEKIMORI_IPC_HEALTH_H
#define SEKIMORI_IPC_HEALTH_H

#include "base/buffer.h"
#include "base/codec.h"

/* Who knows it stands behind it. Misses are probes in a row that nobody answered. */
enum health_fact {
    HEALTH_SESSIONS,          /* receive: open now */
    HEALTH_DNS_MISSES,        /* lookup; not told where nothing needs the DNS */
    HEALTH_UPSTREAMS,         /* deliver: addresses that are probed */
    HEALTH_UPSTREAM_MISSES,   /* deliver: of the one that answers best */
    HEALTH_QUEUE_STILL_MS,    /* queue: for so long nothing left, though something was due */
    HEALTH_QUEUE_FULL,        /* queue: 1: it takes no message */
    HEALTH_DISK_FREE,         /* queue: bytes */
    HEALTH_MESSAGES,          /* queue: with a recipient that has no ending yet, held ones too */
    HEALTH_DELIVERIES,        /* queue: that are still to be made */
    HEALTH_DESTINATIONS_DOWN, /* queue: of whom no server could be talked to */
    HEALTH_HELD,              /* queue: recipients that are held: they make no delivery */
    HEALTH_DRAINING,          /* every process: 1 when it knows that the node is drained */
    HEALTH_LOG_MISSED,        /* every process: lines that its log has not taken */
    HEALTH_LOG_CUT,           /* every process: 1 while its log takes nothing */
    HEALTH_FACT_COUNT
};

struct health_facts {
    uint32_t known; /* bits 1 << enum health_fact */
    uint64_t values[HEALTH_FACT_COUNT];
};

void health_know(struct health_facts *facts, enum health_fact fact, uint64_t value);
bool health_knows(const struct health_facts *facts, enum health_fact fact);
/* What both know is added up. */
void health_facts_add(struct health_facts *facts, const struct health_facts *more);

void health_facts_put(const struct health_facts *facts, struct buffer *frame);
bool health_facts_get(struct text payload, struct health_facts *out); /* false: malformed */

enum health_check {
    HEALTH_CHECK_NODE,     /* every process runs and answers */
    HEALTH_CHECK_DRAIN,    /* the node is in service */
    HEALTH_CHECK_QUEUE,    /* mail leaves the queue */
    HEALTH_CHECK_DISK,     /* there is room */
    HEALTH_CHECK_UPSTREAM, /* the provider's line is up */
    HEALTH_CHECK_DNS,      /* names are answered */
    HEALTH_CHECK_CLOCK,    /* the time is right */
    HEALTH_CHECK_COUNT
};
const char *health_check_name(enum health_check check); /* "upstream" */

/* What a finding says. Words are made by who shows it, in the language of who reads it. */
enum health_says {
    HEALTH_SAYS_STOPPING,
    HEALTH_SAYS_UNREADY,
    HEALTH_SAYS_DOWN,
    HEALTH_SAYS_RESTARTED,
    HEALTH_SAYS_SILENT,
    HEALTH_SAYS_WAITS_DISK,
    HEALTH_SAYS_LOG_MISSED,
    HEALTH_SAYS_RUNNING,
    HEALTH_SAYS_IN_SERVICE,
    HEALTH_SAYS_DRAINING,
    HEALTH_SAYS_DRAINED,
    HEALTH_SAYS_QUEUE_STILL,
    HEALTH_SAYS_QUEUE_MOVES,
    HEALTH_SAYS_QUEUE_FULL,
    HEALTH_SAYS_DISK_LOW,
    HEALTH_SAYS_DISK_FREE,
    HEALTH_SAYS_UPSTREAM_CUT,
    HEALTH_SAYS_UPSTREAM_UP,
    HEALTH_SAYS_DNS_DEAD,
    HEALTH_SAYS_DNS_ANSWERS,
    HEALTH_SAYS_CLOCK_UNATTENDED,
    HEALTH_SAYS_CLOCK_WRONG,
    HEALTH_SAYS_CLOCK_RIGHT,
    /* said by who looks, for a node that says nothing */
    HEALTH_SAYS_NOT_STARTED,
    HEALTH_SAYS_GONE,
    HEALTH_SAYS_HANGS,
    HEALTH_SAYS_COUNT
};

enum { HEALTH_FINDINGS_MOST = 16, HEALTH_PROCESS_SIZE = 24 };

struct health_finding {
    enum health_check check;
    bool is_good;
    bool ends_service; /* not good, and the node can serve nobody: another one must take over, sick or not */
    enum health_says says;
    char process[HEALTH_PROCESS_SIZE]; /* "scan 0"; empty: of no one process */
    uint64_t numbers[2];
};

/* English, with {process}, {1} and {2} where the finding's come: what a catalogue translates. */
const char *health_words(enum health_says says);
/* `words`, in any language, with the finding's. */
void health_say(const struct health_finding *finding, const char *words, struct buffer *out);

struct health_report {
    bool is_healthy, is_serving; /* no finding is bad; none ends the service */
    bool is_draining, is_drained;
    uint64_t sessions, messages, deliveries, down, held; /* held: recipients; down: destinations */
    uint32_t count;
    struct health_finding findings[HEALTH_FINDINGS_MOST];
};

#endif
