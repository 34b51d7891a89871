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
    HEALTH_SCAN_DOWN_MS,      /* scan: for so long there has been no worker */
    HEALTH_SCAN_LOST,         /* scan: messages in a row that no worker judged */
    HEALTH_ENGINE,            /* scan: an enum health_engine; not told while the first is being loaded */
    HEALTH_SIGNATURES,        /* scan: that are loaded */
    HEALTH_SIGNATURES_AGE_S,  /* scan: of the newest that was fetched */
    HEALTH_SIGNATURES_KEPT,   /* scan: 1: newer ones are worse, so the old ones stay */
    HEALTH_ALSO,              /* scan: signatures of the second set; not told where there is none */
    HEALTH_ALSO_AGE_S,        /* scan: of the newest of these */
    HEALTH_UPDATE_FAILING_S,  /* helper: for so long fetching signatures has failed; not told where it has not
                               */
    HEALTH_ENGINES,           /* consult: engines outside, and second opinions */
    HEALTH_ENGINES_SICK,      /* consult: those that are left alone: bits by their place in the configuration,
                                 opinions behind engines */
    HEALTH_LISTS,             /* lookup: lists of the configuration */
    HEALTH_LISTS_ASIDE,       /* lookup: those that are aside, or whose file was refused: bits likewise */
    HEALTH_LEDGER_FAILING,    /* ledger: 1: events wait, since the database cannot be written */
    HEALTH_LEARNED_DAMAGED, /* ledger: 1: a file of what is known of spam is missing or damaged, and not used
                             */
    HEALTH_EXPLANATIONS_DROPPED, /* ledger: 0, or while explanations find no room how many were dropped so far
                                  */
    HEALTH_INSIDE_HELD,          /* lookup: senders inside whose mail is held (lookup/inside_senders.h) */
    HEALTH_CERTIFICATE_DAYS,     /* master: left to the one that ends first; not told once it is over */
    HEALTH_RULES_ASIDE,          /* master: 1: a rule file that was wrong at the start is left out */
    HEALTH_FACT_COUNT
};
_Static_assert(HEALTH_FACT_COUNT <= 64, "a bit for each fact");

/* What a virus check is worth. */
enum health_engine {
    HEALTH_ENGINE_OFF,     /* none is wanted */
    HEALTH_ENGINE_WHOLE,   /* with signatures that were fetched */
    HEALTH_ENGINE_TRIAL,   /* with the built-in ones, as the configuration wants it */
    HEALTH_ENGINE_BUILTIN, /* with these alone, though more are wanted: what it calls clean is unscanned */
    HEALTH_ENGINE_NONE     /* none could be loaded */
};

struct health_facts {
    uint64_t known; /* bits 1 << enum health_fact */
    uint64_t values[HEALTH_FACT_COUNT];
};

const char *health_fact_name(enum health_fact fact); /* "disk_free_bytes": for programs, never changes */

/* Known facts stay known; the value of one that is not known means nothing. */
void health_know(struct health_facts *facts, enum health_fact fact, uint64_t value);
bool health_knows(const struct health_facts *facts, enum health_fact fact);
/* What both know is added up. */
void health_facts_add(struct health_facts *facts, const struct health_facts *more);

void health_facts_put(const struct health_facts *facts, struct buffer *frame); /* appends what is known */
bool health_facts_get(struct text payload, struct health_facts *out);          /* false: malformed */

enum health_check {
    HEALTH_CHECK_NODE,         /* every process runs and answers */
    HEALTH_CHECK_DRAIN,        /* the node is in service */
    HEALTH_CHECK_QUEUE,        /* mail leaves the queue */
    HEALTH_CHECK_DISK,         /* there is room */
    HEALTH_CHECK_UPSTREAM,     /* the provider's line is up */
    HEALTH_CHECK_DNS,          /* names are answered */
    HEALTH_CHECK_CLOCK,        /* the time is right */
    HEALTH_CHECK_SCAN,         /* messages are judged */
    HEALTH_CHECK_SIGNATURES,   /* viruses are known, those of today too */
    HEALTH_CHECK_ENGINES,      /* engines outside answer */
    HEALTH_CHECK_LISTS,        /* lists are in force */
    HEALTH_CHECK_LEDGER,       /* what happens is written down */
    HEALTH_CHECK_CERTIFICATES, /* none has expired */
    HEALTH_CHECK_LISTENERS,    /* clients can connect */
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
    HEALTH_SAYS_SCAN_DOWN,
    HEALTH_SAYS_SCAN_LOST,
    HEALTH_SAYS_SCAN_READY,
    HEALTH_SAYS_RULES_ASIDE,
    HEALTH_SAYS_ENGINE_OFF,
    HEALTH_SAYS_ENGINE_TRIAL,
    HEALTH_SAYS_ENGINE_BUILTIN,
    HEALTH_SAYS_ENGINE_NONE,
    HEALTH_SAYS_SIGNATURES_LOADING,
    HEALTH_SAYS_SIGNATURES_KEPT,
    HEALTH_SAYS_SIGNATURES_OLD,
    HEALTH_SAYS_SIGNATURES_FRESH,
    HEALTH_SAYS_SIGNATURES_ALSO_OLD,
    HEALTH_SAYS_UPDATE_FAILING,
    HEALTH_SAYS_ENGINES_DEFER,
    HEALTH_SAYS_ENGINES_LACK,
    HEALTH_SAYS_ENGINES_ANSWER,
    HEALTH_SAYS_LISTS_ASIDE,
    HEALTH_SAYS_LISTS_IN_FORCE,
    HEALTH_SAYS_LEDGER_FAILING,
    HEALTH_SAYS_LEDGER_WRITES,
    HEALTH_SAYS_LEARNED_DAMAGED,
    HEALTH_SAYS_EXPLANATIONS_DROPPED,
    HEALTH_SAYS_CERTIFICATE_OVER,
    HEALTH_SAYS_CERTIFICATE_LASTS,
    HEALTH_SAYS_NO_CERTIFICATE,
    HEALTH_SAYS_LISTENERS_SHUT,
    HEALTH_SAYS_LISTENERS_OPEN,
    /* said by who looks, for a node that says nothing */
    HEALTH_SAYS_NOT_STARTED,
    HEALTH_SAYS_GONE,
    HEALTH_SAYS_HANGS,
    HEALTH_SAYS_NOT_ALLOWED,
    HEALTH_SAYS_COUNT
};

enum { HEALTH_FINDINGS_MOST = 32, HEALTH_PROCESS_SIZE = 24, HEALTH_SUBJECT_SIZE = 64 };

struct health_finding {
    enum health_check check;
    bool is_good;
    bool is_noted; /* good, for no other node does better, and to be told all the same: alarms tell of it */
    bool ends_service; /* not good, and the node can serve nobody: another one must take over, sick or not */
    enum health_says says;
    char process[HEALTH_PROCESS_SIZE]; /* "scan 0"; empty: of no one process */
    char subject[HEALTH_SUBJECT_SIZE]; /* "listen 192.0.2.1 port 25"; empty: of nothing else */
    uint64_t numbers[2];
};

/* English, with {process}, {subject}, {1} and {2} where the finding's come, and {1:one|many} where a word
   hangs on the number: what a catalogue translates, which may leave the latter out. */
const char *health_words(enum health_says says);
/* `words`, in any language, with the finding's. */
void health_say(const struct health_finding *finding, const char *words, struct buffer *out);

struct health_report {
    bool is_healthy, is_serving; /* no finding is bad; none ends the service */
    bool is_draining, is_drained;
    uint64_t sessions, messages, deliveries, down, held; /* held: recipients; down: destinations */
    struct health_facts told;                            /* by all processes, and by master */
    uint32_t count;
    struct health_finding findings[HEALTH_FINDINGS_MOST];
};

#endif
