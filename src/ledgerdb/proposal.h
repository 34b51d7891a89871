/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What users' reports would teach (report learn), until somebody says yes or no: numbers made of a mail, who
   told, and which message of ours it was. A mail that is reported again is the same proposal, with one more
   reporter. What was decided stays, without its numbers, so that it is not asked again. All is bounded. */
#ifndef SEKIMORI_LEDGERDB_PROPOSAL_H
#define SEKIMORI_LEDGERDB_PROPOSAL_H

#include "ipc/event.h"
#include "ledgerdb/database.h"

enum {
    PROPOSAL_MAIL_BYTES = 32,        /* of what names a mail: spam/lesson.h */
    PROPOSALS_MOST = 1000,           /* that wait */
    PROPOSALS_BYTES_MOST = 16 << 20, /* of the numbers of those together */
    PROPOSALS_A_REPORTER = 50,       /* that one reporter brings in 24 hours */
    PROPOSAL_REPORTS_A_DAY = 2000,   /* of all reporters in 24 hours */
    PROPOSALS_KEPT_DAYS = 30         /* at most; Subjects may go before */
};

/* Numbers are stored. */
enum proposal_state { PROPOSAL_WAITS = 1, PROPOSAL_ACCEPTED, PROPOSAL_DECLINED, PROPOSAL_STATES };

struct proposal {
    uint64_t number; /* what people call it by: never given twice */
    uint8_t mail[PROPOSAL_MAIL_BYTES];
    bool is_spam;
    enum proposal_state state;
    uint64_t told_ms;            /* the first time */
    uint64_t message;            /* id of the message that passed here; 0: none was found */
    uint32_t reporters;          /* that told of it, each once */
    struct text reporter;        /* the first */
    struct text author, subject; /* of that message as the ledger has them; empty: gone, or no message */
    struct text lesson;          /* its numbers; empty where it is decided, or where they are not asked for */
};

/* A report as it comes. */
struct proposal_report {
    uint8_t mail[PROPOSAL_MAIL_BYTES];
    bool is_spam;
    uint64_t now_ms, message;
    struct text reporter, lesson;
};

/* A copy of a message, as its reporter has it. */
struct proposal_copy {
    struct text message_id, author, subject; /* author: the From field; as in event_judgement */
    uint32_t part_count;
    const struct part_digest *parts; /* of its files; pictures may be left out */
};

/* --- in a transaction of held.h --- */

enum proposal_outcome {
    PROPOSAL_NEW,
    PROPOSAL_JOINED, /* it waits already */
    PROPOSAL_DECIDED,
    PROPOSAL_TOO_MANY /* of this reporter, of all, or in all: nothing was stored */
};

/* *out_number: which, unless there are too many. */
enum ledgerdb_outcome proposal_tell(struct database *database, const struct proposal_report *report,
                                    enum proposal_outcome *out, uint64_t *out_number);

/* One that waits is decided, and its numbers go. The same mail as the other class, where it waits, is
   declined with an acceptance. */
enum ledgerdb_outcome proposal_decide(struct database *database, uint64_t number, enum proposal_state state);

/* Those that were told before, decided or not. */
enum ledgerdb_outcome proposal_forget(struct database *database, uint64_t before_ms);

/* --- reading, over any connection --- */

/* The newest message that was accepted with that Message-ID, From, Subject (what a filter put before it is no
   matter) and, where the ledger knows its files, with no other file. *out 0: there is none. */
enum ledgerdb_outcome proposal_message(struct sql *sql, const struct proposal_copy *copy, struct arena *arena,
                                       uint64_t *out);

/* Those that wait, the oldest first, without their numbers; in the arena. */
enum ledgerdb_outcome proposal_list(struct sql *sql, struct arena *arena, struct proposal **out,
                                    size_t *out_count);
/* With its numbers, whatever its state. MISSING: there is none. */
enum ledgerdb_outcome proposal_read(struct sql *sql, uint64_t number, struct arena *arena,
                                    struct proposal *out);
/* Somebody told of that mail, whatever was decided. */
enum ledgerdb_outcome proposal_exists(struct sql *sql, const uint8_t mail[PROPOSAL_MAIL_BYTES], bool *out);
/* Records of lessons since then that nobody told (user "automatic"): ham, spam. */
enum ledgerdb_outcome proposal_automatic(struct sql *sql, uint64_t since_ms, uint64_t out[2]);
enum ledgerdb_outcome proposal_count(struct sql *sql, uint64_t *out); /* that wait */

#endif
