/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Events: what each process tells ledger. An event is idempotent: ledger keeps one of each (message,
   recipient, kind), so a restarted process may tell again what it cannot know was heard. */
#ifndef SEKIMORI_IPC_EVENT_H
#define SEKIMORI_IPC_EVENT_H

#include "base/address.h"
#include "base/buffer.h"
#include "base/codec.h"
#include "judge/evidence.h"

enum event_kind {
    EVENT_ACCEPTED = 1, /* receive: 250 was earned: the message is kept, with all its recipients */
    EVENT_REFUSED,      /* receive: a recipient or message was refused (4xx or 5xx); no message id needed */
    EVENT_ENDED,        /* deliver (delivered, failed) or queue: one recipient's ending */
    EVENT_STEP,         /* queue: one recipient was deferred, held or released */
    EVENT_AUDIT,        /* any process: somebody looked at a message's content */
    EVENT_MISSED,       /* report: somebody told us of a message that should not have come through */
    EVENT_RELAYED,      /* receive: the next node took a message while its client waited */
    EVENT_LOST,         /* ledger: events that found no room on their way to it */
    EVENT_FOUND,     /* queue or ledger: new signatures found a virus in a message that was accepted before */
    EVENT_EXPLAINED, /* receive: why a message was judged as it was (ipc/explanation.h); of this node alone */
    EVENT_OFFERED,   /* receive: what a message would teach by itself (ipc/offered_lesson.h); likewise */
    EVENT_KIND_COUNT
};

/* What a message was found to be. Numbers are stored: never reuse them. */
enum message_class {
    CLASS_NONE,
    CLASS_VIRUS,
    CLASS_PHISHING,
    CLASS_SPAM, /* at or over the line from which a message is tagged */
    CLASS_POLICY,
    CLASS_ENCRYPTED,
    CLASS_POISON,
    CLASS_UNSCANNED,
    CLASS_LIMITS,
    CLASS_AMBIGUOUS,
    CLASS_GREYLISTED,
    CLASS_NEWSLETTER,
    CLASS_NOT_OPENED, /* packed in a way that nothing here opens */
    CLASS_PUA,
    CLASS_COUNT
};
const char *class_name(enum message_class class);                /* a literal; "unknown" outside the enum */
bool class_from_name(struct text name, enum message_class *out); /* false: none has that name */
enum message_class class_of_virus(enum virus_class class);       /* of a message whose worst finding it is */

/* The endings of a recipient that was accepted. Exactly one each. */
enum ending {
    ENDING_NONE,        /* still with us: queued or held */
    ENDING_DELIVERED,   /* the next server said 250 */
    ENDING_RETURNED,    /* failed or expired, and a DSN was queued (or was not wanted: NOTIFY=NEVER, <>) */
    ENDING_DISCARDED,   /* by verdict or by policy */
    ENDING_REMOVED,     /* by the administrator */
    ENDING_QUARANTINED, /* out of the journal, in the ledger's quarantine */
    ENDING_COUNT,
    ENDING_RELAYED = 16 /* not one of those: the next node took it while its client waited, so it was never
                           accepted here (EVENT_RELAYED) */
};
const char *ending_name(enum ending ending); /* a literal; "unknown" outside the enum */

/* One piece of evidence: judge/evidence.h has the whole. */
struct event_signal {
    struct text name;
    double points;
};

/* What is known of a message that was judged. All zero: it was not. */
struct event_judgement {
    bool is_judged;
    enum message_class class;
    double score;
    struct text virus, engine, subject, message_id, author; /* author: the From field; subject: UTF-8 */
    uint32_t signal_count;
    const struct event_signal *signals;
    struct proof proof;  /* who sent it; all zero also where an older version told */
    struct text not_opened; /* kinds of files that nobody opened: "squashfs,zip" (closed_kinds_list); empty
                               also where an older version told */
    uint32_t part_count; /* files by their digest, none also where an older version told; of a refused message
                            the infected ones alone */
    const struct part_digest *parts;
};

struct event_recipient {
    struct text address;
    uint8_t action, observed; /* enum action of config/settings.h: what was done, what would have been */
    uint8_t hold;             /* enum hold_reason of ipc/ask_queue.h */
};

struct event_accepted {
    uint64_t id, time_ms, size;
    uint8_t direction, is_own; /* own: 1 made by us (a notice, a report), 2 out of the quarantine */
    struct address client;
    struct text helo, sender;
    struct event_judgement judgement;
    uint32_t recipient_count;
    const struct event_recipient *recipients;
};

/* A message that the next node took while its client waited: nothing of it was kept here. */
struct event_relayed {
    uint64_t id, time_ms, size;
    uint8_t direction;
    struct address client;
    struct text helo, sender;
    struct text dsn, relay, reply; /* the next node's: it has the id of the message there */
    uint32_t recipient_count;
    const struct text *recipients;
};

struct event_ended {
    uint64_t id, time_ms;
    uint32_t recipient; /* its number in the message, from 0 */
    enum ending ending;
    struct text dsn, relay, reply;
};

/* Where a recipient, or a whole client, was turned away. */
enum event_stage { STAGE_UNKNOWN, STAGE_CONNECT, STAGE_MAIL, STAGE_RCPT, STAGE_CONTENT, STAGE_COUNT };
const char *stage_name(enum event_stage stage); /* "RCPT" */

/* What did not come into the queue. */
struct event_refused {
    uint64_t time_ms;
    uint64_t id; /* of the message, 0 before there was one */
    uint64_t
        serial;    /* of the event, made like the id of a message; 0: it is known by its place in the ring */
    uint16_t code; /* of the reply; 250: discarded by verdict; 0: the client went away */
    uint8_t stage, direction;
    bool is_message;   /* the message counts with this recipient: it is the first, and none was accepted */
    uint32_t count;    /* of refusals that were alike and are told of in this event; 0 or 1: this one alone */
    uint32_t messages; /* of several: how many messages count with them */
    uint32_t number;   /* of the recipient in the message */
    uint64_t size;
    struct address client; /* zero: several clients' refusals are told of; the texts are those of one */
    struct text helo, sender, recipient, reply;
    struct event_judgement judgement; /* whole where is_message, else class and virus */
    struct text cause; /* the signal that refuses before the content (judge/signal_family.h): "LIST_PARTNER";
                          empty: none, also where an older version told */
};

enum step_kind {
    STEP_DEFERRED = 1,
    STEP_HELD,
    STEP_EXPIRED, /* held since its time was over and nobody may be told */
    STEP_RELEASED,
    STEP_DELETED, /* from the quarantine, by hand */
    STEP_AGED,    /* from the quarantine, since its time was over or room was wanted */
    STEP_KIND_COUNT
};
const char *step_name(enum step_kind kind); /* a literal; "unknown" outside the enum */

struct event_step {
    uint64_t id, time_ms;
    uint32_t recipient;
    enum step_kind kind;
    uint8_t hold;    /* enum hold_reason, of STEP_HELD and STEP_EXPIRED */
    uint64_t due_ms; /* the next attempt, of STEP_DEFERRED */
    struct text dsn, relay, reply;
};

struct event_audit {
    uint64_t time_ms;
    uint64_t id;     /* of the message */
    uint64_t serial; /* as in event_refused */
    uint32_t uid;
    struct text user, process, act, about; /* "queue", "cat", what was asked for */
};

struct event_missed {
    uint64_t time_ms;    /* when it was told to us */
    uint64_t digest;     /* of its bytes: told twice it is one */
    struct text kind;    /* "spam", "phishing", "virus", … */
    uint32_t part_count; /* files of it, of virus and phishing; none also where an older version told */
    const struct part_digest *parts;
};

/* A message that waits for its delivery, or is kept, is infected after all. */
struct event_found {
    uint64_t id, time_ms;
    enum message_class class; /* CLASS_VIRUS or CLASS_PHISHING */
    bool is_queued;           /* queue had it; else it was in the quarantine */
    struct text virus, engine, part;
    uint32_t part_count;
    const struct part_digest *parts;
};
/* Of what scan said of a message again; only of one that is infected (facts_are_infected). Borrows of
 * `facts`. */
struct event_found event_found_of(uint64_t id, uint64_t time_ms, bool is_queued, const struct facts *facts);

/* What they told of is in no count. */
struct event_lost {
    uint64_t time_ms;  /* when it was noticed */
    uint32_t events;   /* those that the account is made of */
    uint32_t refusals; /* and those that it is whole without */
};

/* Append to a buffer what ring_append takes. Texts are cut so that a record fits RING_RECORD_LIMIT;
   recipients that do not fit follow in further records made by the caller of event_accepted_put: it returns
   how many went in, starting at `first`. Only the record of the first recipient has the judgement; parts for
   which there is no room beside a recipient are left out, the last first. */
uint32_t event_accepted_put(const struct event_accepted *event, uint32_t first, struct buffer *out);
/* Like event_accepted_put. */
uint32_t event_relayed_put(const struct event_relayed *event, uint32_t first, struct buffer *out);
/* Each appends; longer texts than a reader takes are cut. */
void event_ended_put(const struct event_ended *event, struct buffer *out);
void event_refused_put(const struct event_refused *event, struct buffer *out);
void event_step_put(const struct event_step *event, struct buffer *out);
/* The same. */
void event_audit_put(const struct event_audit *event, struct buffer *out);
void event_missed_put(const struct event_missed *event, struct buffer *out);
void event_lost_put(const struct event_lost *event, struct buffer *out);
void event_found_put(const struct event_found *event, struct buffer *out);

struct arena;

/* The kind of a record, 0 when malformed; then the matching get. */
enum event_kind event_kind_of(struct text record);

/* Each reads a record of its kind. Texts are borrowed from the record, lists are in the arena. `out_first` is
   the number of the first recipient. False: malformed, and `out` means nothing. */
bool event_accepted_get(struct arena *arena, struct text record, struct event_accepted *out,
                        uint32_t *out_first);
bool event_relayed_get(struct arena *arena, struct text record, struct event_relayed *out,
                       uint32_t *out_first);
/* The same. */
bool event_ended_get(struct text record, struct event_ended *out);
bool event_refused_get(struct arena *arena, struct text record, struct event_refused *out);
bool event_step_get(struct text record, struct event_step *out);
bool event_audit_get(struct text record, struct event_audit *out);
bool event_missed_get(struct arena *arena, struct text record, struct event_missed *out); /* the same */
bool event_lost_get(struct text record, struct event_lost *out);                          /* the same */
bool event_found_get(struct arena *arena, struct text record, struct event_found *out);   /* the same */

#endif
