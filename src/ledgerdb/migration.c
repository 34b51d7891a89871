/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A row of `migrations` makes the version of its place out of the one before. A row that was released never
   changes. */
#include "ledgerdb/migration.h"

#include <stdio.h>

#include "base/log.h"
#include "ledgerdb/terms.h"

struct migration {
    const char *text;
    enum ledgerdb_outcome (*fill)(struct sql *sql); /* after the text, in the same transaction; NULL: none */
};

static const char version_1[] =
    "CREATE TABLE schema(version INTEGER NOT NULL);"
    "INSERT INTO schema VALUES(1);"
    "CREATE TABLE message(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, direction INTEGER NOT NULL,"
    "  client TEXT, helo TEXT, sender TEXT, size INTEGER, verdict TEXT, own INTEGER NOT NULL);"
    "CREATE TABLE recipient(message INTEGER NOT NULL, number INTEGER NOT NULL, address TEXT,"
    "  accepted_ms INTEGER, ending INTEGER NOT NULL DEFAULT 0, ended_ms INTEGER, dsn TEXT, relay TEXT,"
    "  reply TEXT, PRIMARY KEY(message, number)) WITHOUT ROWID;"
    "CREATE TABLE refusal(time INTEGER NOT NULL, slot INTEGER NOT NULL, position INTEGER NOT NULL,"
    "  client TEXT, helo TEXT, sender TEXT, recipient TEXT, reply TEXT,"
    "  PRIMARY KEY(time, slot, position)) WITHOUT ROWID;";

/* What was judged becomes columns; the one-line summary gives them for old rows. A refusal gets an id that
   sorts by time, as messages have. find_…: the index of terms (terms.h). carried: recipients whose rows are
   no longer kept, for balance. mark: how far retention has come. */
static const char version_2[] =
    "ALTER TABLE message ADD COLUMN node INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE message ADD COLUMN class INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE message ADD COLUMN score REAL;"
    "ALTER TABLE message ADD COLUMN virus TEXT;"
    "ALTER TABLE message ADD COLUMN engine TEXT;"
    "ALTER TABLE message ADD COLUMN signals TEXT;"
    "ALTER TABLE message ADD COLUMN subject TEXT;"
    "ALTER TABLE message ADD COLUMN message_id TEXT;"
    "ALTER TABLE message ADD COLUMN author TEXT;"
    "UPDATE message SET class = CASE WHEN instr(verdict, 'virus=found') THEN 1"
    "    WHEN instr(verdict, 'virus=unscanned') THEN 7 WHEN instr(verdict, 'virus=limits') THEN 8"
    "    WHEN instr(verdict, 'action=tag') OR instr(verdict, ',tag:') THEN 3 ELSE 0 END,"
    "  score = CASE WHEN instr(verdict, ' score=')"
    "    THEN CAST(substr(verdict, instr(verdict, ' score=') + 7) AS REAL) END,"
    "  signals = CASE WHEN instr(verdict, ' tests=') THEN substr(verdict, instr(verdict, ' tests=') + 7) END,"
    "  virus = CASE WHEN instr(verdict, ' name=\"') THEN substr(substr(verdict, instr(verdict, ' name=\"') + "
    "7), 1,"
    "    instr(substr(verdict, instr(verdict, ' name=\"') + 7), '\"') - 1) END"
    "  WHERE verdict <> '';"
    "ALTER TABLE message DROP COLUMN verdict;"
    "CREATE INDEX message_class ON message(class) WHERE class > 0;"
    "ALTER TABLE recipient ADD COLUMN action INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE recipient ADD COLUMN observed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE recipient ADD COLUMN hold INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX recipient_live ON recipient(hold, message) WHERE ending = 0;"
    "ALTER TABLE refusal RENAME TO refusal_1;"
    "CREATE TABLE refusal(id INTEGER PRIMARY KEY, node INTEGER NOT NULL, direction INTEGER NOT NULL,"
    "  stage INTEGER NOT NULL, code INTEGER NOT NULL, message INTEGER, number INTEGER NOT NULL, client TEXT,"
    "  helo TEXT, sender TEXT, recipient TEXT, reply TEXT, size INTEGER, class INTEGER NOT NULL, score REAL,"
    "  virus TEXT, engine TEXT, signals TEXT, subject TEXT, message_id TEXT, author TEXT);"
    "INSERT OR IGNORE INTO refusal(id, node, direction, stage, code, number, client, helo, sender, recipient,"
    "  reply, class) SELECT (time << 22) | (slot << 15) | ((position >> 3) & 32767), 0, 0, 0,"
    "  CAST(reply AS INTEGER), 0, client, helo, sender, recipient, reply, 0 FROM refusal_1;"
    "DROP TABLE refusal_1;"
    "CREATE INDEX refusal_class ON refusal(class) WHERE class > 0;"
    "CREATE INDEX refusal_message ON refusal(message) WHERE message IS NOT NULL;"
    "CREATE TABLE step(message INTEGER NOT NULL, recipient INTEGER NOT NULL, time INTEGER NOT NULL,"
    "  kind INTEGER NOT NULL, hold INTEGER NOT NULL, due INTEGER, dsn TEXT, relay TEXT, reply TEXT,"
    "  PRIMARY KEY(message, recipient, time, kind)) WITHOUT ROWID;"
    "CREATE TABLE sum(day INTEGER NOT NULL, hour INTEGER NOT NULL, node INTEGER NOT NULL,"
    "  direction INTEGER NOT NULL, domain TEXT NOT NULL, kind INTEGER NOT NULL, name TEXT NOT NULL,"
    "  messages INTEGER NOT NULL, recipients INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    "  PRIMARY KEY(day, hour, node, direction, domain, kind, name)) WITHOUT ROWID;"
    "CREATE TABLE carried(since INTEGER NOT NULL, name TEXT NOT NULL, recipients INTEGER NOT NULL,"
    "  PRIMARY KEY(since, name)) WITHOUT ROWID;"
    "CREATE TABLE mark(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE audit(id INTEGER PRIMARY KEY, node INTEGER NOT NULL, uid INTEGER NOT NULL, user TEXT,"
    "  process TEXT, act TEXT, message INTEGER, about TEXT);"
    "CREATE VIRTUAL TABLE find_message USING fts5(terms, content='', columnsize=0, detail=none,"
    "  tokenize='ascii');"
    "CREATE VIRTUAL TABLE find_refusal USING fts5(terms, content='', columnsize=0, detail=none,"
    "  tokenize='ascii');";

/* What leaked through and was told to us. */
static const char version_3[] =
    "CREATE TABLE missed(digest INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind TEXT);";

/* The index of the quarantine; see held.h. */
static const char version_4[] =
    "CREATE TABLE held(message INTEGER PRIMARY KEY, stored INTEGER NOT NULL, size INTEGER NOT NULL,"
    "  bytes INTEGER NOT NULL, sender TEXT);"
    "CREATE TABLE held_recipient(message INTEGER NOT NULL, number INTEGER NOT NULL, class INTEGER NOT NULL,"
    "  state INTEGER NOT NULL, stored INTEGER NOT NULL, changed INTEGER NOT NULL, release INTEGER, by TEXT,"
    "  edits INTEGER NOT NULL, notify INTEGER NOT NULL, address TEXT NOT NULL, orcpt TEXT, reason TEXT,"
    "  PRIMARY KEY(message, number)) WITHOUT ROWID;"
    "CREATE INDEX held_kept ON held_recipient(class, message) WHERE state < 3;"
    "CREATE INDEX held_release ON held_recipient(release) WHERE release IS NOT NULL;";

/* Several nodes. node: whose rows are here; what was told by another up to `parcel` of its `series` is
   stored. outbox: what this node has still to tell. hop: the id that a message got at the next node. */
static const char version_5[] =
    "CREATE TABLE node(number INTEGER PRIMARY KEY, name TEXT NOT NULL, role INTEGER NOT NULL, is_here "
    "INTEGER NOT NULL,"
    "  series INTEGER NOT NULL, parcel INTEGER NOT NULL, told_ms INTEGER NOT NULL, events INTEGER NOT NULL,"
    "  refused INTEGER NOT NULL, given_up INTEGER NOT NULL);"
    "CREATE TABLE outbox(parcel INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL,"
    "  events INTEGER NOT NULL, records BLOB NOT NULL);"
    "CREATE TABLE hop(message INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY(message, next))"
    "  WITHOUT ROWID;"
    "CREATE INDEX hop_next ON hop(next);";

/* Sums by day beside those by hour, ordered by kind first, since each question is of a few kinds. What hours
   do not tell apart is kept by day alone. …_virus: all that storms are found by, without the rows. */
static const char version_6[] =
    "CREATE TABLE sum_day(kind INTEGER NOT NULL, day INTEGER NOT NULL, node INTEGER NOT NULL,"
    "  direction INTEGER NOT NULL, domain TEXT NOT NULL, name TEXT NOT NULL, messages INTEGER NOT NULL,"
    "  recipients INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    "  PRIMARY KEY(kind, day, node, direction, domain, name)) WITHOUT ROWID;"
    "CREATE TABLE sum_hour(kind INTEGER NOT NULL, day INTEGER NOT NULL, hour INTEGER NOT NULL,"
    "  node INTEGER NOT NULL, direction INTEGER NOT NULL, domain TEXT NOT NULL, name TEXT NOT NULL,"
    "  messages INTEGER NOT NULL, recipients INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    "  PRIMARY KEY(kind, day, hour, node, direction, domain, name)) WITHOUT ROWID;"
    "INSERT INTO sum_day SELECT kind, day, node, direction, domain, name, sum(messages), sum(recipients),"
    "  sum(bytes) FROM sum GROUP BY 1, 2, 3, 4, 5, 6;"
    "INSERT INTO sum_hour SELECT kind, day, hour, node, direction, domain, name, messages, recipients, bytes"
    "  FROM sum WHERE hour < 24 ORDER BY kind;"
    "DROP TABLE sum;"
    "DROP INDEX message_class;"
    "DROP INDEX refusal_class;"
    "CREATE INDEX message_virus ON message(id, client, virus) WHERE class = 1;"
    "CREATE INDEX refusal_virus ON refusal(id, client, virus) WHERE class = 1 AND score IS NOT NULL;";

/* A row may stand for many refusals that were alike. */
static const char version_7[] = "ALTER TABLE refusal ADD COLUMN count INTEGER NOT NULL DEFAULT 1;";

/* Mail is asked for by its Message-ID. */
static const char version_8[] =
    "CREATE INDEX message_said ON message(message_id) WHERE message_id IS NOT NULL;";

/* Who was found to have sent a message or a refused one (judge/proof.h), and partners by day (partners.h). */
static const char version_9[] =
    "CREATE TABLE proof(id INTEGER PRIMARY KEY, spf INTEGER NOT NULL, dkim INTEGER NOT NULL,"
    "  dmarc INTEGER NOT NULL, arc INTEGER NOT NULL, demand INTEGER NOT NULL, excuse INTEGER NOT NULL,"
    "  fate INTEGER NOT NULL, author_domain TEXT, spf_domain TEXT, dkim_domain TEXT, excuse_of TEXT);"
    "CREATE TABLE partner(day INTEGER NOT NULL, node INTEGER NOT NULL, domain TEXT NOT NULL,"
    "  fate INTEGER NOT NULL, messages INTEGER NOT NULL, PRIMARY KEY(day, node, domain, fate)) WITHOUT ROWID;"
    "CREATE INDEX partner_passed ON partner(domain, day) WHERE fate = 1;";

/* Mailing lists (list_history.h). The first index counts those that are settled, and has the one that was
   silent longest. */
static const char version_10[] =
    "CREATE TABLE list(id TEXT NOT NULL, domain TEXT NOT NULL, first_day INTEGER NOT NULL,"
    "  last_day INTEGER NOT NULL, days INTEGER NOT NULL, PRIMARY KEY(id, domain)) WITHOUT ROWID;"
    "CREATE INDEX list_last ON list((days >= 5), last_day);"
    "CREATE INDEX list_first ON list(first_day);";

/* Which message had which file, and which of these were found infected later (part_history.h). */
static const char version_11[] =
    "CREATE TABLE part(row INTEGER PRIMARY KEY, digest BLOB NOT NULL, message INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX part_digest ON part(digest, message);"
    "CREATE INDEX part_message ON part(message);"
    "CREATE TABLE part_found(digest BLOB PRIMARY KEY, found INTEGER NOT NULL, name TEXT,"
    "  message INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX part_found_time ON part_found(found);";

/* What users' reports would teach, and who reported (proposal.h). */
static const char version_12[] =
    "CREATE TABLE proposal(number INTEGER PRIMARY KEY AUTOINCREMENT, mail BLOB NOT NULL,"
    "  is_spam INTEGER NOT NULL, state INTEGER NOT NULL, told INTEGER NOT NULL, message INTEGER,"
    "  lesson BLOB);"
    "CREATE UNIQUE INDEX proposal_mail ON proposal(mail, is_spam);"
    "CREATE INDEX proposal_state ON proposal(state);"
    "CREATE TABLE proposal_report(proposal INTEGER NOT NULL, reporter TEXT NOT NULL COLLATE NOCASE,"
    "  time INTEGER NOT NULL, PRIMARY KEY(proposal, reporter)) WITHOUT ROWID;"
    "CREATE INDEX proposal_report_time ON proposal_report(time);";

/* Names of our own senders (colleagues.h). The index counts the new ones of a day. */
static const char version_13[] =
    "CREATE TABLE colleague(address TEXT NOT NULL, name TEXT NOT NULL, first_day INTEGER NOT NULL,"
    "  last_day INTEGER NOT NULL, days INTEGER NOT NULL, mails INTEGER NOT NULL, barred INTEGER NOT NULL,"
    "  PRIMARY KEY(address, name)) WITHOUT ROWID;"
    "CREATE INDEX colleague_first ON colleague(first_day);";

static const struct migration migrations[] = {
    { version_1, NULL },  { version_2, terms_fill }, { version_3, NULL },  { version_4, NULL },
    { version_5, NULL },  { version_6, NULL },       { version_7, NULL },  { version_8, NULL },
    { version_9, NULL },  { version_10, NULL },      { version_11, NULL }, { version_12, NULL },
    { version_13, NULL },
};
enum { LATEST = sizeof migrations / sizeof *migrations };
const int migration_latest = LATEST;

enum ledgerdb_outcome migration_version(struct sql *sql, int *out_version)
{
    int64_t tables = 0, version = 0;
    enum ledgerdb_outcome outcome = sql_number(sql, "SELECT count(*) FROM sqlite_schema", &tables);
    if (outcome == LEDGERDB_DONE && tables > 0)
        outcome = sql_number(sql, "SELECT max(version) FROM schema", &version);
    *out_version = (int)version;
    return outcome == LEDGERDB_DONE && tables > 0 && version <= 0 ? LEDGERDB_DAMAGED : outcome;
}

static enum ledgerdb_outcome step_up(struct sql *sql, int version)
{
    const struct migration *migration = &migrations[version - 1];
    char stamp[64];
    snprintf(stamp, sizeof stamp, "UPDATE schema SET version = %d", version);
    enum ledgerdb_outcome outcome = sql_run(sql, "BEGIN IMMEDIATE");
    if (outcome == LEDGERDB_DONE) outcome = sql_run(sql, migration->text);
    if (outcome == LEDGERDB_DONE && migration->fill) outcome = migration->fill(sql);
    if (outcome == LEDGERDB_DONE) outcome = sql_run(sql, stamp);
    if (outcome == LEDGERDB_DONE) return sql_run(sql, "COMMIT");
    log_error("ledger: making version %d of the tables: %s", version, sql_error(sql));
    if (sql_in_transaction(sql)) sql_run(sql, "ROLLBACK");
    return outcome;
}

enum ledgerdb_outcome migration_run(struct sql *sql, int version)
{
    int now;
    enum ledgerdb_outcome outcome = migration_version(sql, &now);
    if (outcome != LEDGERDB_DONE) log_error("ledger: reading the version of the tables: %s", sql_error(sql));
    if (outcome != LEDGERDB_DONE) return outcome;
    if (now > LATEST) {
        log_error("ledger: the database has version %d, this program knows up to %d", now, LATEST);
        return LEDGERDB_NEWER;
    }
    if (now && now < version) log_info("ledger: the database goes from version %d to %d", now, version);
    while (outcome == LEDGERDB_DONE && now < version) outcome = step_up(sql, ++now);
    return outcome;
}
