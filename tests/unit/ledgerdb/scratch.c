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

void scratch_open(char folder[SCRATCH_FOLDER_BYTES], struct database **out_database)
{
    bool is_damaged;
    setenv("TZ", "Asia/Tokyo", 1);
    tzset();
    snprintf(folder, SCRATCH_FOLDER_BYTES, "/tmp/ledgerdb-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(database_open(folder, out_database, &is_damaged), LEDGERDB_DONE);
    assert_false(is_damaged);
}

void scratch_close(const char *folder, struct database *database)
{
    char command[SCRATCH_FOLDER_BYTES + 16];
    database_close(database);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}
