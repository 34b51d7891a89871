/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "ledgerdb/migration.h"

void scratch_open(char folder[SCRATCH_FOLDER_BYTES], struct database **out_database)
{
    setenv("TZ", "Asia/Tokyo", 1);
    tzset();
    snprintf(folder, SCRATCH_FOLDER_BYTES, "/tmp/ledgerdb-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    scratch_reopen(folder, out_database);
}

void scratch_reopen(const char *folder, struct database **out_database)
{
    bool is_damaged;
    assert_int_equal(database_open(folder, out_database, &is_damaged), LEDGERDB_DONE);
    assert_false(is_damaged);
}

struct sql *scratch_of_version(const char *folder, int version)
{
    char text[SCRATCH_FOLDER_BYTES + 20];
    struct buffer why = { 0 };
    struct sql *sql;
    snprintf(text, sizeof text, "rm -f %s/ledger.db*", folder);
    assert_int_equal(system(text), 0);
    snprintf(text, sizeof text, "%s/ledger.db", folder);
    assert_int_equal(sql_open(text, true, &sql, &why), LEDGERDB_DONE);
    assert_int_equal(migration_run(sql, version), LEDGERDB_DONE);
    return sql;
}

void scratch_close(const char *folder, struct database *database)
{
    char command[SCRATCH_FOLDER_BYTES + 16];
    database_close(database);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

int scratch_set_up(void **state)
{
    struct scratch *scratch = calloc(1, sizeof *scratch);
    scratch_open(scratch->folder, &scratch->database);
    scratch->arena = arena_new(0);
    *state = scratch;
    return 0;
}

int scratch_tear_down(void **state)
{
    struct scratch *scratch = *state;
    scratch_close(scratch->folder, scratch->database);
    arena_free(scratch->arena);
    free(scratch);
    return 0;
}
