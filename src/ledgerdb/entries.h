/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Events to rows: what the files that store them share. Each row is followed by its sums and terms only when
   it was new: that is what makes telling twice harmless. */
#ifndef SEKIMORI_LEDGERDB_ENTRIES_H
#define SEKIMORI_LEDGERDB_ENTRIES_H

#include "judge/signal_family.h"
#include "ledgerdb/database_private.h"

/* Runs a bound statement to its end and resets it. A failure is logged. */
enum ledgerdb_outcome entries_run(struct database *database, enum statement number);
/* True: a row came back, and the statement is to be reset. Else *out says how it went. */
bool entries_run_returning(struct database *database, enum statement number, enum ledgerdb_outcome *out);

/* --- sums --- */

/* One recipient. With the first of a message, number 0, the message counts too. */
struct entries_about {
    uint64_t time_ms, size;
    uint32_t number;
    uint8_t direction;
    struct text sender, recipient;
};
/* What one recipient counts: the message and its bytes with number 0 only. Borrows from `about`. */
struct pending_sum entries_sum(const struct database *database, struct entries_about about);

/* Adds `sum` to those of `kind` and `name`. Texts are copied. */
void entries_add(struct database *database, struct pending_sum sum, enum sum_kind kind, struct text name);
/* What was found in a message, whatever became of it. */
void entries_add_judgement(struct database *database, const struct event_judgement *judgement,
                           struct pending_sum sum);
/* What was done to one recipient for it. */
void entries_add_action(struct database *database, const struct event_judgement *judgement,
                        enum action action, enum action observed, struct pending_sum sum);
/* What became of a message for which a signal of a family speaks. Nothing where it counts no message. */
void entries_add_signals(struct database *database, const struct event_judgement *judgement,
                         enum signal_fate fate, struct pending_sum sum);
/* A recipient was refused before the content for `cause`; nothing where that is of no family. */
void entries_add_cause(struct database *database, struct text cause, uint16_t code, struct pending_sum sum);
/* How severe an action is to one recipient. */
enum signal_fate entries_fate(enum action action);
enum sum_kind entries_ending_sum(enum ending ending); /* of one below ENDING_COUNT */

/* --- messages --- */

/* Eight columns from `column` on: class, score, virus, engine, signals, subject, message_id, author. */
void entries_bind_judgement(struct database *database, struct sql_statement *statement, int column,
                            const struct event_judgement *judgement, bool is_whole);
struct text entries_client(struct database *database, const struct address *client); /* as a text */
/* Who sent the message, or the refused one, with that id; nothing where nobody asked. */
enum ledgerdb_outcome entries_store_proof(struct database *database, uint64_t id, const struct proof *proof);
/* The files of a message, or of a refused one, which nobody received: with that id and time; and whether
   others received before what is infected of them. */
enum ledgerdb_outcome entries_store_parts(struct database *database, uint64_t id, uint64_t time_ms,
                                          const struct event_judgement *judgement, bool is_received);
/* Into the database's terms, where it was judged. */
void entries_judgement_terms(struct database *database, const struct event_judgement *judgement);
/* Where nodes know each other, a reply of the next one has the id that it gave the message. */
enum ledgerdb_outcome entries_store_hop(struct database *database, uint64_t id, struct text reply);

#endif
