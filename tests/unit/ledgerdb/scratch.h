/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A new ledger database in a folder of its own, for one test. */
#ifndef SEKIMORI_TESTS_SCRATCH_H
#define SEKIMORI_TESTS_SCRATCH_H

#include "base/arena.h"
#include "ledgerdb/database.h"
#include "ledgerdb/sql.h"

enum { SCRATCH_FOLDER_BYTES = 64 };

/* The time zone is Japan's from then on. A failure ends the test. */
void scratch_open(char folder[SCRATCH_FOLDER_BYTES], struct database **out_database);

/* Opens what the folder has. A failure, or a damage, ends the test. */
void scratch_reopen(const char *folder, struct database **out_database);

/* In the place of what the folder has, which is closed: a database of an older version, to be filled, closed
   with sql_close and opened with scratch_reopen. */
struct sql *scratch_of_version(const char *folder, int version);

/* Closes the database and removes the folder. */
void scratch_close(const char *folder, struct database *database);

/* What most tests need of it: for cmocka, *state is a struct scratch. */
struct scratch {
    char folder[SCRATCH_FOLDER_BYTES];
    struct database *database;
    struct arena *arena;
};
int scratch_set_up(void **state);
int scratch_tear_down(void **state);

#endif
