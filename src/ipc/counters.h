/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The counters file: one page a process, mapped by its owner, read by master for `balance` and `status`.
   Numbers survive kill -9. receive also keeps here which messages it has offered to queue and not heard of: a
   restarted receive asks queue about them, so its count is exact. */
#ifndef SEKIMORI_IPC_COUNTERS_H
#define SEKIMORI_IPC_COUNTERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "ipc/measures.h"

/* Among the endings' numbers, which files of older versions have room for: of `accepted`, recipients of
   messages that came back out of the quarantine. */
enum { COUNTERS_AGAIN = 7 };

enum { COUNTERS_OFFERED_SLOTS = 2048, COUNTERS_SLOTS = 72 };

/* Page of a receive process. Recipients, not messages, unless it says so. */
struct receive_counters {
    uint64_t last_id; /* how far the process's source of ids has come: a clock set back gives none twice */
    uint64_t connections, messages;
    uint64_t accepted;  /* recipients kept by queue */
    uint64_t unreplied; /* beside these: kept, but receive died before it could say 250 */
    uint64_t discarded; /* answered 250 and dropped by verdict: never given to queue */
    uint64_t refused_5xx, refused_4xx;
    uint64_t tagged, quarantined, observed; /* observed: would have been acted on */
    uint64_t scanned, infected, unscanned;
    uint64_t messages_relayed; /* handed on while the client waited: the next node's 250 was ours */
    uint64_t relayed; /* recipients of these that ledger was told of, since other nodes want to know */
    struct {
        uint64_t id; /* 0: free */
        uint32_t recipients;
    } offered[COUNTERS_OFFERED_SLOTS];
    /* Behind the table, so that a page of an older version keeps its meaning. */
    uint64_t refused_content; /* of refused_5xx and refused_4xx: after the content was seen */
    uint64_t aborted;         /* the client went away before the end of the content, or took it back */
};

/* Page of queue: the journal's totals, written after each sync. */
struct queue_counters {
    uint64_t accepted;   /* recipients ever committed */
    uint64_t own;        /* of these: of messages queue made itself (DSN) */
    uint64_t ended[8];   /* by enum ending; at COUNTERS_AGAIN none: see there */
    uint64_t live, held; /* recipients with no ending yet; of these held */
    uint64_t messages_live;
};

/* Where all three counts start: set when the file was made or after an unclean boot. */
struct baseline {
    uint64_t epoch_ms;
    uint64_t accepted, own, ended[8], live; /* queue's totals at that time */
    uint32_t is_set;
};

/* Page of ledger: how storing goes, looked at once a second. */
struct ledger_counters {
    uint64_t time_ms;       /* of this look */
    uint64_t waiting_bytes; /* of events on disk that are older than those in the rings */
    uint32_t is_failing;    /* events wait, since the database cannot be written */
};

enum { COUNTERS_SLOT_BYTES = 65536, COUNTERS_MEASURES_AT = 49152 };

struct counters_slot {
    union {
        struct receive_counters receive;
        struct queue_counters queue;
        struct baseline baseline;
        struct ledger_counters ledger;
        char counts[COUNTERS_MEASURES_AT];
    };
    union {
        struct measures measures; /* the same process's, for monitors */
        char rest[COUNTERS_SLOT_BYTES - COUNTERS_MEASURES_AT];
    };
};

/* Slot 0: baseline; 1: queue; 2 + n: receive n; the last three: consult and master, of whom there are
   measures alone, and ledger. NULL with errno. `writable` false: for reading only. */
struct counters_slot *counters_map(int fd, uint32_t slot, bool writable);

/* All COUNTERS_SLOTS of them, to read. NULL with errno: EPROTO where the file is shorter. */
const struct counters_slot *counters_map_all(int fd);
void counters_unmap_all(const struct counters_slot *slots); /* NULL is allowed */

/* Recipients that were taken, by the count of all receive processes: also of those that are no longer
   configured. */
uint64_t counters_received(const struct counters_slot *slots);

/* How many recipients receive and the journal, or the journal and itself, are apart; 0: all agree. Counts
   that are read while mail flows may be a moment apart. */
int64_t counters_difference(const struct counters_slot *slots);

/* When the counts began, by the clock of then; 0: not known. */
uint64_t counters_epoch_ms(int fd);
void counters_unmap(struct counters_slot *slot); /* NULL is allowed */

enum {
    COUNTERS_SLOT_BASELINE = 0,
    COUNTERS_SLOT_QUEUE = 1,
    COUNTERS_SLOT_RECEIVE = 2,
    COUNTERS_SLOT_CONSULT = COUNTERS_SLOTS - 3, /* and the end of those of receive */
    COUNTERS_SLOT_MASTER = COUNTERS_SLOTS - 2,
    COUNTERS_SLOT_LEDGER = COUNTERS_SLOTS - 1
};

#endif
