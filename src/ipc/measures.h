/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What monitors are told beside the counts of balance: numbers and histograms in the last quarter of each
   slot of the counters file. One process writes a page, without locks and without system calls, and any
   number read it. What grows holds over restarts, as the file does. */
#ifndef SEKIMORI_IPC_MEASURES_H
#define SEKIMORI_IPC_MEASURES_H

#include <stdint.h>
#include <time.h>

enum {
    MEASURES_VERSION = 3, /* of everything below; a page of another version means nothing */
    MEASURES_BOUNDS = 16, /* of a histogram */
    MEASURES_STAGES = 8,  /* room for enum event_stage */
    MEASURES_HOLDS = 8,   /* room for enum hold_reason */
    MEASURES_PROCESSES = 80,
    MEASURES_CERTIFICATES = 16,
    MEASURES_ENGINES = 10, /* engines outside and second opinions */
    MEASURES_LISTS = 64,   /* lists of the configuration that have a row */
    MEASURES_NAME_SIZE = 64,
};

/* --- histograms --- */

enum measures_scale {
    MEASURES_WORK, /* microseconds, 100 us to 1 minute */
    MEASURES_WAIT, /* milliseconds, 0.1 s to 5 days */
    MEASURES_SIZE, /* bytes, 1 KiB to 50 MiB */
    MEASURES_SCALES
};

/* Each value counts in one bucket: the first whose bound it does not exceed, or the last, which has none. */
struct histogram {
    uint64_t sum;
    uint64_t buckets[MEASURES_BOUNDS + 1];
};

extern const uint64_t measures_bounds[MEASURES_SCALES][MEASURES_BOUNDS]; /* rising, in the scale's unit */

static inline void histogram_add(struct histogram *histogram, enum measures_scale scale, uint64_t value)
{
    const uint64_t *bounds = measures_bounds[scale];
    unsigned at = 0;
    while (at < MEASURES_BOUNDS && value > bounds[at]) at++;
    histogram->buckets[at]++;
    histogram->sum += value;
}

/* Microseconds of a clock that nobody sets. Read from memory that the kernel shares: no system call. */
static inline uint64_t measures_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* --- pages --- */

/* What became of a message at the end of its content, and of each of its recipients: one of these. A message
   whose recipients fared differently counts where the severest stands. */
enum measures_verdict {
    MEASURES_ACCEPTED,
    MEASURES_RELAYED, /* the next node took it while the client waited */
    MEASURES_TAGGED,
    MEASURES_QUARANTINED, /* held, by verdict or since it ended scan workers */
    MEASURES_DISCARDED,
    MEASURES_ABORTED,  /* the client went away before the reply, or took it back */
    MEASURES_DEFERRED, /* 4xx */
    MEASURES_REJECTED, /* 5xx */
    MEASURES_VERDICTS
};

enum measures_tls {
    MEASURES_TLS_1_2,
    MEASURES_TLS_1_3,
    MEASURES_TLS_OTHER,
    MEASURES_TLS_FAILED,
    MEASURES_TLS_KINDS
};

struct receive_measures {
    uint64_t messages[MEASURES_VERDICTS], recipients[MEASURES_VERDICTS];
    uint64_t refused[MEASURES_STAGES][2]; /* by stage; at 0 4xx, at 1 5xx; clients or recipients */
    uint64_t handshakes[MEASURES_TLS_KINDS];
    struct histogram reply;   /* WORK: from the end of the content to the reply */
    struct histogram judging; /* WORK: until the verdict; of messages that were judged */
    struct histogram commit;  /* WORK: from asking queue until it is on disk */
    struct histogram size;    /* SIZE: contents that came whole */
};

enum measures_delivery { MEASURES_DELIVERED, MEASURES_PUT_OFF, MEASURES_FAILED, MEASURES_DELIVERIES };

struct queue_measures {
    uint64_t deliveries[MEASURES_DELIVERIES]; /* what attempts came to, by recipient */
    struct histogram delivery;                /* WORK: connecting and sending, of each attempt */
    struct histogram waited;                  /* WAIT: from arrival to delivery, by recipient */
    struct histogram age;                     /* WAIT: of messages that are in the queue now: it falls too */
    uint64_t held[MEASURES_HOLDS];            /* recipients now, by enum hold_reason */
    uint64_t commits, records, sync_us;       /* of the journal, since queue was started */
    uint64_t segments, journal_bytes;
};

/* A list of the configuration. */
struct measured_list {
    char name[MEASURES_NAME_SIZE], signal[MEASURES_NAME_SIZE]; /* empty: no list ever had this place */
    uint32_t is_configured;
    uint64_t messages, refused; /* refused: recipients, before the content */
};

struct ledger_measures {
    uint64_t events, malformed;          /* stored or left out since ledger was started */
    uint64_t lost_events, lost_refusals; /* that found no room on their way */
    uint64_t lag_ms;                     /* for so long something has been waiting to be stored */
    uint64_t backlog_percent;            /* of the fullest ring */
    uint64_t waiting_bytes;              /* of events on disk */
    uint64_t database_bytes;
    uint64_t held_recipients, held_bytes;  /* in the quarantine */
    uint64_t parcels, behind_ms, given_up; /* for the node that collects */
    uint32_t is_full;                      /* the quarantine takes no more */
    uint32_t sends;                        /* there is a node that collects */
    struct measured_list lists[MEASURES_LISTS];
};

struct measured_process {
    uint8_t kind; /* enum process_kind */
    uint8_t is_running;
    uint16_t index;
    uint32_t restarts;
    uint64_t started_ms;             /* by the clock; 0: it is not running */
    uint64_t cpu_ms, resident_bytes; /* with all that descends from it */
};

struct measured_certificate {
    char use[MEASURES_NAME_SIZE]; /* "listen 192.0.2.1 port 25" */
    int64_t until_s;              /* since 1970 */
};

struct master_measures {
    uint32_t role, node; /* enum role; the node's number */
    uint32_t process_count, certificate_count;
    struct measured_process processes[MEASURES_PROCESSES];
    struct measured_certificate certificates[MEASURES_CERTIFICATES];
};

/* An engine outside; counts of messages, as `sekimori status` has them. */
struct measured_engine {
    char name[MEASURES_NAME_SIZE]; /* as far as it fits; empty: no engine ever had this place */
    uint32_t is_configured, is_up; /* up: it is asked */
    uint64_t asked, clean, found, limits, failed, late, spared, skipped;
};

struct consult_measures {
    struct measured_engine engines[MEASURES_ENGINES];
};

struct measures {
    uint32_t version;
    union {
        struct consult_measures consult;
        struct receive_measures receive;
        struct queue_measures queue;
        struct ledger_measures ledger;
        struct master_measures master;
    };
};

/* For the one process that writes the page, at its start: a page of another version is emptied. */
void measures_begin(struct measures *page);

#endif
