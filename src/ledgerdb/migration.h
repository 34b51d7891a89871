/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The tables of the ledger, version by version. A new database goes through all versions too, so that there
   is one way to the tables of today. */
#ifndef SEKIMORI_LEDGERDB_MIGRATION_H
#define SEKIMORI_LEDGERDB_MIGRATION_H

#include "ledgerdb/sql.h"

/* The version this program writes. */
extern const int migration_latest;

/* 0: an empty file. DAMAGED: tables, but none that tells a version. */
enum ledgerdb_outcome migration_version(struct sql *sql, int *out_version);

/* Brings the database to `version`, one transaction a step: it stops between two versions, never inside
   one. NEWER when it is beyond what this program knows. */
enum ledgerdb_outcome migration_run(struct sql *sql, int version);

#endif
