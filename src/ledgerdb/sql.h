/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The door to SQLite: a handle, prepared statements, three types of values. Rules of the ledger stand in the
   files around it; none of them sees sqlite3.h. */
#ifndef SEKIMORI_LEDGERDB_SQL_H
#define SEKIMORI_LEDGERDB_SQL_H

#include "base/buffer.h"

struct sql;
struct sql_statement;

enum ledgerdb_outcome {
    LEDGERDB_DONE,
    LEDGERDB_ROW,     /* of sql_step: there is a row */
    LEDGERDB_LATER,   /* disk full, I/O error, locked, out of time: nothing of the transaction is kept, try
                       * again
                       */
    LEDGERDB_DAMAGED, /* its bytes are not a database any more, or tables of ours are not there; nothing else
                       */
    LEDGERDB_NEWER,   /* made by a later version of this program */
    LEDGERDB_MISSING, /* there is none */
};

/* `is_writer`: makes the file when there is none, in WAL mode. Else read-only. On any outcome but DONE
 *out is NULL and `why` has the reason. */
enum ledgerdb_outcome sql_open(const char *path, bool is_writer, struct sql **out, struct buffer *why);
void sql_close(struct sql *sql); /* NULL is allowed; its statements are finalized */

/* The file could only be read when it was opened: nothing else than opening it anew helps. */
bool sql_is_read_only(const struct sql *sql);

/* What went wrong last, for a log line. Borrowed until the next call. */
const char *sql_error(const struct sql *sql);
/* Logs what failed, unless `outcome` is DONE; passes the outcome on. */
enum ledgerdb_outcome sql_tell(const struct sql *sql, enum ledgerdb_outcome outcome, const char *what);

/* What the last call that failed means: for a statement that could not be prepared, say. Being busy, a full
   disk or a missing right is no damage. */
enum ledgerdb_outcome sql_failure(const struct sql *sql);

/* Statements without values; several, separated by semicolons. */
enum ledgerdb_outcome sql_run(struct sql *sql, const char *text);
/* The number in the first column of the first row, 0 when there is none. */
enum ledgerdb_outcome sql_number(struct sql *sql, const char *text, int64_t *out);

/* NULL: it cannot be had now, or never; sql_failure says which, sql_error why. Lives until sql_drop, which is
   before sql_close; some that were dropped are kept, and are had again without parsing their text. */
struct sql_statement *sql_prepare(struct sql *sql, const char *text);
void sql_drop(struct sql_statement *statement); /* NULL is allowed */

/* Columns count from 1 when bound and from 0 when read, as in SQLite. Bound texts are borrowed until the next
   sql_reset; texts that were read, until the next step. A text without bytes is bound as NULL. */
void sql_bind(struct sql_statement *statement, int column, uint64_t number);
void sql_bind_text(struct sql_statement *statement, int column, struct text text);
void sql_bind_bytes(struct sql_statement *statement, int column, struct text bytes); /* a BLOB, never NULL */
/* A text without bytes, as such. */
void sql_bind_empty(struct sql_statement *statement, int column);
void sql_bind_real(struct sql_statement *statement, int column, double number);
void sql_bind_null(struct sql_statement *statement, int column); /* as is what was never bound */
void sql_bind_unless_0(struct sql_statement *statement, int column, uint64_t value); /* 0: NULL */
enum ledgerdb_outcome sql_step(struct sql_statement *statement); /* ROW, DONE or a failure */
enum ledgerdb_outcome sql_do(struct sql_statement *statement);   /* step to the end and reset */
void sql_reset(struct sql_statement *statement);                 /* what was bound stays bound */

/* Of the row that sql_step gave. NULL is read as 0, or as a text without bytes. */
uint64_t sql_get(struct sql_statement *statement, int column);
double sql_get_real(struct sql_statement *statement, int column);
struct text sql_get_text(struct sql_statement *statement, int column);
bool sql_is_null(struct sql_statement *statement, int column);

/* Rows that the last INSERT, UPDATE or DELETE changed. */
unsigned sql_changes(const struct sql *sql);
bool sql_in_transaction(const struct sql *sql); /* begun and not ended */

/* How long to wait for another connection's lock. */
void sql_wait_most(struct sql *sql, int ms);
/* From now on each statement that is not done `ms` from now ends with LEDGERDB_LATER; 0: no limit. */
void sql_time_limit(struct sql *sql, unsigned ms);

/* Copies the log into the database and empties it. False: readers or writers are in the way. */
bool sql_checkpoint(struct sql *sql);

#endif
