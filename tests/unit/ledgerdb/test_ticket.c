/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Tickets: only what the key has signed, as it was signed, in its time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "ledgerdb/ticket.h"

static const struct ticket_key key = { { 1, 2, 3 } }, other = { { 1, 2, 4 } };
static const struct ticket ticket = { UINT64_C(0x1234567890ABCDEF), 70000, 2000000000 };

static void test_good(void **state)
{
    char room[TICKET_SIZE];
    struct ticket out;
    struct text text = text_of(ticket_print(&key, &ticket, room));
    assert_int_equal(text.length, TICKET_SIZE - 1);
    assert_int_equal(ticket_check(&key, text, 1999999999, &out), TICKET_GOOD);
    assert_true(out.message == ticket.message && out.number == ticket.number &&
                out.until_s == ticket.until_s);
    for (size_t i = 0; i < text.length; i++)
        if (char_is_alpha(room[i])) room[i] = char_lower(room[i]); /* mail programs do such things */
    assert_int_equal(ticket_check(&key, text, 1999999999, &out), TICKET_GOOD);
    assert_int_equal(ticket_check(&key, text, 2000000000, &out), TICKET_OLD);
}

/* Each character changed to each other one, each end cut off. */
static void test_false(void **state)
{
    char room[TICKET_SIZE + 1];
    struct ticket out;
    ticket_print(&key, &ticket, room);
    assert_int_equal(ticket_check(&other, text_of(room), 1, &out), TICKET_FALSE);
    for (size_t i = 0; i < TICKET_SIZE - 1; i++) {
        char kept = room[i];
        for (int c = 0; c < 256; c++) {
            room[i] = (char)c;
            if (c == kept || (char_is_alpha(kept) && c == (kept ^ 32))) continue;
            assert_int_equal(ticket_check(&key, text_from(room, TICKET_SIZE - 1), 1, &out), TICKET_FALSE);
        }
        room[i] = kept;
        assert_int_equal(ticket_check(&key, text_from(room, i), 1, &out), TICKET_FALSE);
    }
    room[TICKET_SIZE - 1] = '0';
    assert_int_equal(ticket_check(&key, text_from(room, TICKET_SIZE), 1, &out), TICKET_FALSE);
}

static void test_key(void **state)
{
    char folder[] = "/tmp/ticket-test-XXXXXX", path[128], command[128];
    struct ticket_key made, again;
    struct stat facts;
    assert_non_null(mkdtemp(folder));
    assert_false(ticket_key_open(folder, false, &made));
    mode_t before = umask(0077); /* as ledger has it where nobody else reads its folder */
    assert_true(ticket_key_open(folder, true, &made));
    umask(before);
    assert_true(ticket_key_open(folder, true, &again));
    assert_memory_equal(&made, &again, sizeof made);
    snprintf(path, sizeof path, "%s/ticket.key", folder);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    snprintf(command, sizeof command, "printf short > %s/ticket.key", folder);
    assert_int_equal(system(command), 0);
    assert_false(ticket_key_open(folder, true, &made)); /* a damaged one is not replaced in silence */
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_good), cmocka_unit_test(test_false),
                                        cmocka_unit_test(test_key) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
