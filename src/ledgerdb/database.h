/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The ledger database from its writer's side: ledger.db in the ledger folder, SQLite in WAL mode. One row a
   message, a recipient, a step, a refusal, a look at content; sums and an index of terms beside them.
   Telling it the same event twice changes nothing, whatever came in between. */
#ifndef SEKIMORI_LEDGERDB_DATABASE_H
#define SEKIMORI_LEDGERDB_DATABASE_H

#include "config/settings.h"
#include "ipc/event.h"
#include "ledgerdb/colleagues.h"
#include "ledgerdb/list_history.h"
#include "ledgerdb/sql.h"
#include "ledgerdb/sums.h"

struct database;

/* Opens or makes folder/ledger.db, and brings an older one to the tables of today. A damaged one is renamed
   to ledger.db.damaged-TIME first; `out_damaged` is then true. On any other outcome than DONE *out is NULL
   and the reason is in the log. */
enum ledgerdb_outcome database_open(const char *folder, struct database **out, bool *out_damaged);
void database_close(struct database *database); /* NULL is allowed; an open transaction is given up */

/* It can no more be stored into, but perhaps into one that is opened now: the file could only be read, or it
   is not there any more. */
bool database_is_stale(const struct database *database);

/* For sums by domain: only domains of ours have sums of their own. NULL (as at the start): every domain has.
   Borrowed. */
void database_set_config(struct database *database, const struct config *config);
/* Whose events are stored from now on; 0 at the start. */
void database_set_node(struct database *database, uint16_t node);

/* The day since 1970 on which mailing lists and senders of messages stored from now on are seen, by the clock
   of who stores: what an event says of its time is foreign. 0, as at the start: they are left alone. */
void database_set_today(struct database *database, uint32_t day);

/* As list_history_known. */
enum ledgerdb_outcome database_known_lists(struct database *database, uint32_t until_day, struct arena *arena,
                                           struct list_pair **out, size_t *out_count);

/* As colleagues_read. */
enum ledgerdb_outcome database_colleagues(struct database *database, struct arena *arena,
                                          struct colleague **out, size_t *out_count);
/* As colleagues_bar, in a transaction of its own. */
enum ledgerdb_outcome database_bar_colleague(struct database *database, struct text what, unsigned *out_rows);

/* Each commit is on the disk when it returns: for what others forget as soon as it is stored here. */
void database_set_durable(struct database *database);

/* All stores stand between begin and commit. When one does not say DONE, database_rollback follows. */
enum ledgerdb_outcome database_begin(struct database *database);
enum ledgerdb_outcome database_commit(struct database *database);
void database_rollback(struct database *database); /* one that was not begun, too */

/* `first` is the number of the event's first recipient. */
enum ledgerdb_outcome database_store_accepted(struct database *database, const struct event_accepted *event,
                                              uint32_t first);
/* The first ending of a recipient stays. One that is told before its recipient was accepted waits for it. */
enum ledgerdb_outcome database_store_ended(struct database *database, const struct event_ended *event);
/* `first` as above. */
enum ledgerdb_outcome database_store_relayed(struct database *database, const struct event_relayed *event,
                                             uint32_t first);
/* One that is there already is DONE, and counted no second time. */
enum ledgerdb_outcome database_store_step(struct database *database, const struct event_step *event);
/* What has no serial is known by its time and where it stood (ring slot, position). */
enum ledgerdb_outcome database_store_refused(struct database *database, const struct event_refused *event,
                                             uint16_t slot, uint64_t position);
enum ledgerdb_outcome database_store_audit(struct database *database, const struct event_audit *event,
                                           uint16_t slot, uint64_t position);

/* A message that leaked through, known by its digest. */
enum ledgerdb_outcome database_store_missed(struct database *database, const struct event_missed *event);

/* The message has the class and the virus from then on, the audit a record, and whoever received an infected
   file of it is looked for. Nothing is done where it has one of these classes already. */
enum ledgerdb_outcome database_store_found(struct database *database, const struct event_found *event);

/* Counts what a node lost, in its sums. */
enum ledgerdb_outcome database_store_lost(struct database *database, const struct event_lost *event);
/* What this node has told of its losses since it began to count them: kept by the transaction under way. */
enum ledgerdb_outcome database_losses_told(struct database *database, struct losses *out);
enum ledgerdb_outcome database_tell_losses(struct database *database, struct losses losses);

/* Bytes of the database and its log on disk. */
uint64_t database_bytes(const struct database *database);
uint64_t database_log_bytes(const struct database *database);

#endif
