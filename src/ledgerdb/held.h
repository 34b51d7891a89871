/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The index of the quarantine. A message has one file and one row in `held`; each of its recipients there a
   row in `held_recipient`, which stays, with what became of it, as long as the ledger knows the message.

   A recipient is in the quarantine when it has a row in state HELD_KEPT and its ending in the ledger is
   ENDING_QUARANTINED. Before that ending is told it is arriving. A row whose recipient ended otherwise (the
   hold was released in the journal while the ledger was down) is a stray and goes: held_strays. */
#ifndef SEKIMORI_LEDGERDB_HELD_H
#define SEKIMORI_LEDGERDB_HELD_H

#include "ipc/ask_ledger.h"
#include "ledgerdb/database.h"

/* Numbers are stored. Below HELD_GONE the file is needed. */
enum held_state {
    HELD_KEPT = 1,
    HELD_RELEASING, /* as message `release`, which queue may or may not have by now */
    HELD_RELEASED,
    HELD_DELETED,
    HELD_AGED,
    HELD_STATES,
    HELD_GONE = HELD_RELEASED
};
const char *held_state_name(enum held_state state); /* a literal; "unknown" outside the enum */

struct held_row {
    uint64_t message, stored_ms, changed_ms, size, bytes;
    uint32_t number;
    enum held_class class;
    enum held_state state;
    bool is_arriving;
    bool is_queued; /* it is held in the queue and has no row here: see held_queued_page */
    uint8_t edits, notify;
    uint64_t release; /* message id, 0: none */
    struct text sender, address, orcpt, reason, by, subject, virus;
    /* What it was found to be. `virus` names the limit or what failed where no virus was found; `author` is
       the From field as it came. */
    enum message_class found;
    bool is_judged;
    double score;                /* points, of a judged one */
    struct text signals, author; /* signals: the rules that gave the points, as in the ledger */
};

/* --- writing. held_begin to held_commit is a transaction that is on disk, not only written, when DONE. ---
 */

/* Where begin or commit fails, the transaction is rolled back and none is open. */
enum ledgerdb_outcome held_begin(struct database *database);
enum ledgerdb_outcome held_commit(struct database *database);
void held_rollback(struct database *database); /* of one that was not begun, too */

/* The class of what is held for `hold` (enum hold_reason) when the message was found to be that. */
enum held_class held_class_by(uint8_t hold, enum message_class found);

/* Rows that are there stay as they are. *out_added: recipients that were not there. */
enum ledgerdb_outcome held_store(struct database *database, const struct held_offer *offer,
                                 const enum held_class *classes, uint64_t bytes, uint64_t now_ms,
                                 unsigned *out_added);

/* Of one recipient in state `from`, with the step and the sum that go with it. *out_changed: false when it is
   in another state. */
struct held_move {
    uint64_t message;
    uint32_t number;
    enum held_state from, to;
    uint64_t release, now_ms;
    struct text by; /* "release by NAME" */
};
/* From a state to another, with the step in the message's history. `out_changed` is false, and DONE returned,
   where it was not in `from`. */
enum ledgerdb_outcome held_move(struct database *database, const struct held_move *move, bool *out_changed);

/* What is kept of a message was found to be infected after all: recipients in HELD_KEPT of another class than
   virus, phishing and poison get the class, and the event is stored. *out_changed: false when there was no
   such recipient, and then nothing is done. */
enum ledgerdb_outcome held_condemn(struct database *database, const struct event_found *event,
                                   bool *out_changed);

/* DONE also where there is none. */
enum ledgerdb_outcome held_forget_row(struct database *database, uint64_t message, uint32_t number);
/* The file is gone. */
enum ledgerdb_outcome held_forget_file(struct database *database, uint64_t message);

/* --- reading --- */

/* Rows in order; texts live in the arena. */
struct held_rows {
    struct held_row *items;
    size_t count;
};
/* Every state; DONE with no rows where there are none. */
enum ledgerdb_outcome held_of_message(struct sql *sql, struct arena *arena, uint64_t message,
                                      struct held_rows *out);
enum ledgerdb_outcome held_of_release(struct sql *sql, struct arena *arena, uint64_t release,
                                      struct held_rows *out);
/* What is there (below HELD_GONE), from message id `after` on (exclusive), oldest first: whole messages,
   about `most` rows. `class` -1: any. */
enum ledgerdb_outcome held_page(struct sql *sql, struct arena *arena, int class, uint64_t after, size_t most,
                                struct held_rows *out);
/* The same of what is held in the queue for the reasons that lead into a quarantine: where there is none it
   stays there. `stored_ms` is when it was held; no state but HELD_KEPT. */
enum ledgerdb_outcome held_queued_page(struct sql *sql, struct arena *arena, uint64_t after, size_t most,
                                       struct held_rows *out);
/* HELD_KEPT, not arriving, of one class, of messages that came before `before_ms`; oldest first. */
enum ledgerdb_outcome held_oldest(struct sql *sql, struct arena *arena, enum held_class class,
                                  uint64_t before_ms, size_t most, struct held_rows *out);
/* The next message behind `after` that has a recipient of that class in HELD_KEPT; 0: there is none. */
enum ledgerdb_outcome held_next(struct sql *sql, enum held_class class, uint64_t after, uint64_t *out);
/* Rows of recipients that ended otherwise than in quarantine. */
enum ledgerdb_outcome held_strays(struct sql *sql, struct arena *arena, size_t most, struct held_rows *out);

/* Numbers: 0 where there is none. */
enum ledgerdb_outcome held_bytes(struct sql *sql, uint64_t *out);        /* of all files */
enum ledgerdb_outcome held_count(struct sql *sql, uint64_t *out);        /* recipients that are there */
enum ledgerdb_outcome held_last_release(struct sql *sql, uint64_t *out); /* the highest id ever given */
/* Message ids, one in each row's `message`. */
enum ledgerdb_outcome held_under_way(struct sql *sql, struct arena *arena,
                                     struct held_rows *out); /* releases */
enum ledgerdb_outcome held_empty(struct sql *sql, struct arena *arena, size_t most,
                                 struct held_rows *out);   /* messages with a file that nobody needs */
bool held_has_file(struct sql *sql, uint64_t message);     /* it is indexed, with its file */
bool held_needs_file(struct sql *sql, uint64_t message);   /* one of its recipients does */
bool held_was_accepted(struct sql *sql, uint64_t message); /* the ledger has been told of it */

/* The writer's connection, borrowed: for the readers above. */
struct sql *database_sql(struct database *database);

#endif
