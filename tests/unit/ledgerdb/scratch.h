/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A new ledger database in a folder of its own, for one test. */
#ifndef SEKIMORI_TESTS_SCRATCH_H
#define SEKIMORI_TESTS_SCRATCH_H

#include "ledgerdb/database.h"

enum { SCRATCH_FOLDER_BYTES = 64 };

/* The time zone is Japan's from then on. A failure ends the test. */
void scratch_open(char folder[SCRATCH_FOLDER_BYTES], struct database **out_database);

/* Closes the database and removes the folder. */
void scratch_close(const char *folder, struct database *database);

#endif
