/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori trace`: messages and refusals by what they can be found by, the newest first, with all that
   happened to them. */
#ifndef SEKIMORI_LEDGERDB_SEARCH_H
#define SEKIMORI_LEDGERDB_SEARCH_H

#include "ipc/event.h"
#include "ledgerdb/reader.h"

enum search_status {
    STATUS_ANY,
    STATUS_QUEUED,    /* accepted, no ending, not held: now */
    STATUS_HELD,      /* was held; is it still? the recipient says */
    STATUS_DELIVERED, /* from here on: it happened to at least one recipient */
    STATUS_RETURNED,
    STATUS_REMOVED,
    STATUS_DEFERRED,
    STATUS_QUARANTINED,
    STATUS_RELEASED,
    STATUS_EXPIRED,
    STATUS_DELETED, /* from the quarantine, by hand */
    STATUS_AGED,    /* from the quarantine, since its time was over or room was wanted */
    STATUS_RELAYED,
    STATUS_DISCARDED,
    STATUS_REJECTED, /* 5xx */
    STATUS_REFUSED,  /* 4xx */
    STATUS_GREYLISTED,
    STATUS_ABORTED,
    STATUS_COUNT
};
const char *search_status_name(enum search_status status); /* a literal; "unknown" outside the enum */
/* Also "bounced" for returned. */
bool search_status_from_name(struct text name, enum search_status *out);

/* All that is said must hold. */
struct search_question {
    uint64_t id;                 /* 0: any. The same message at other nodes, and releases of it, come along */
    struct text address, domain; /* of sender or recipient, folded */
    struct text from;            /* stands in the sender or in the From field; "*" is anything between */
    struct text to;              /* the same of a recipient */
    struct text message_id;      /* the Message-ID field, whole, with or without <>; else a part of it */
    struct text subject;         /* words, all of them */
    struct text virus;           /* the whole name */
    const uint8_t *part; /* PART_DIGEST_BYTES of a file that it had, of accepted ones alone; NULL: any */
    const struct network *client;
    uint64_t from_ms, until_ms; /* [from, until); until 0: open */
    enum search_status status;
    int class; /* enum message_class, -1: any */
    size_t most;
};

struct search_step {
    uint64_t time_ms, due_ms;
    enum step_kind kind;
    uint8_t hold;
    struct text dsn, relay, reply;
};

/* The same message at another node. */
struct search_hop {
    uint64_t id;
    uint16_t node;         /* as its id says */
    struct text node_name; /* empty: this ledger knows no such node */
};

struct search_recipient {
    uint32_t number;
    struct text address, dsn, relay, reply;
    uint8_t action, observed, hold;
    enum ending ending;
    uint64_t accepted_ms, ended_ms; /* 0: not (yet) */
    size_t step_count;
    struct search_step *steps;
};

/* A message that was accepted, or one recipient (or client) that was not. */
struct search_hit {
    bool is_refusal;
    uint64_t id; /* of the message; of a refusal before there was one: its own */
    uint64_t time_ms;
    uint16_t node;
    struct text node_name; /* empty: this ledger has one node only */
    size_t came_count, went_count;
    struct search_hop *came,
        *went; /* where it was before, and after: by the ids that nodes gave in replies */
    size_t release_count, original_count;
    struct search_hop *releases, /* messages that it was released as, out of the quarantine */
        *originals;              /* of one that is such a release: what was held */
    uint8_t direction;
    uint8_t origin; /* 0 received, 1 made by us, 2 out of the quarantine */
    struct text client, helo, sender;
    uint64_t size;
    enum message_class class;
    bool is_judged;
    double score;
    struct text virus, engine, signals, subject, message_id, author;
    struct proof proof;     /* who sent it */
    size_t recipient_count; /* of an accepted one */
    struct search_recipient *recipients;
    enum event_stage stage; /* of a refusal, with its code: 250 discarded, 0 aborted */
    uint16_t code;
    uint32_t count; /* of refusals that were alike, of which this is the first */
    struct text recipient, reply;
};

enum search_complaint { SEARCH_GOOD, SEARCH_NO_WORDS, SEARCH_NETWORK_TOO_LARGE };

struct search_result {
    struct search_hit *hits;
    size_t count;
    bool is_cut;             /* there are more than `most` */
    bool has_lone_character; /* in the subject asked for: see terms_ask_words() */
    enum search_complaint complaint;
};

/* A Message-ID without blanks around it and the brackets of RFC 5322 section 3.6.4. Borrowed. */
struct text search_bare_id(struct text id);

/* Texts live in the arena. */
enum ledgerdb_outcome search_run(struct ledgerdb_reader *ledgerdb, const struct search_question *question,
                                 struct arena *arena, struct search_result *out);

#endif
