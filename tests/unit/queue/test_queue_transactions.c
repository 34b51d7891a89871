/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: what a node sends again is known until its reply is known to have been heard, or until it is old. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "mail/envelope.h"
#include "queue/journal/transactions.h"

static char room[TRANSACTION_BYTES];

static struct text name(uint32_t number)
{
    memset(room, 'x', sizeof room);
    memcpy(room + 8, &number, sizeof number);
    return text_from(room, sizeof room); /* all in one chain: the first bytes are alike */
}

static void known_until_heard(void **state)
{
    struct transactions *transactions = transactions_new();
    (void)state;
    assert_int_equal(transactions_find(transactions, name(1), 1000), 0);
    transactions_add(transactions, name(1), 11, 1000);
    transactions_add(transactions, name(2), 12, 1000);
    transactions_add(transactions, name(3), 13, 1000);
    assert_int_equal(transactions_find(transactions, name(2), 2000), 12);
    transactions_forget(transactions, 12);
    assert_int_equal(transactions_find(transactions, name(2), 2000), 0);
    assert_int_equal(transactions_find(transactions, name(1), 2000), 11);
    assert_int_equal(transactions_find(transactions, name(3), 2000), 13);
    transactions_forget(transactions, 99);
    transactions_add(transactions, name(2), 22, 3000); /* meant: it is a message of its own */
    assert_int_equal(transactions_find(transactions, name(2), 3000), 22);
    transactions_free(transactions);
}

static void old_ones_are_new_messages(void **state)
{
    struct transactions *transactions = transactions_new();
    (void)state;
    transactions_add(transactions, name(1), 11, 1000);
    assert_int_equal(transactions_find(transactions, name(1), 999 + TRANSACTION_LIFE_MS), 11);
    assert_int_equal(transactions_find(transactions, name(1), 1000 + TRANSACTION_LIFE_MS), 0);
    transactions_free(transactions);
}

static void after_a_start_only_the_last_may_be_unheard(void **state)
{
    const uint64_t end = 10 * TRANSACTION_OPEN_MS;
    struct transactions *transactions = transactions_new();
    (void)state;
    transactions_forget_heard(transactions);
    transactions_add(transactions, name(1), 11, end - TRANSACTION_OPEN_MS - 1);
    transactions_add(transactions, name(2), 12, end);
    transactions_add(transactions, name(3), 13, end - TRANSACTION_OPEN_MS);
    transactions_forget_heard(transactions);
    assert_int_equal(transactions_find(transactions, name(1), end), 0);
    assert_int_equal(transactions_find(transactions, name(2), end), 12);
    assert_int_equal(transactions_find(transactions, name(3), end), 13);
    transactions_free(transactions);
}

static void no_name_is_no_transaction(void **state)
{
    struct transactions *transactions = transactions_new();
    (void)state;
    transactions_add(transactions, TEXT_NONE, 11, 1000);
    assert_int_equal(transactions_find(transactions, TEXT_NONE, 1000), 0);
    transactions_free(transactions);
}

static void the_oldest_gives_way(void **state)
{
    struct transactions *transactions = transactions_new();
    (void)state;
    for (uint32_t i = 0; i < TRANSACTIONS_MOST + 10; i++) {
        struct text one = name(i);
        memcpy(room, &i, sizeof i); /* spread over the chains */
        transactions_add(transactions, one, i + 1, 1000);
    }
    for (uint32_t i = 0; i < TRANSACTIONS_MOST + 10; i += 5) {
        struct text one = name(i);
        memcpy(room, &i, sizeof i);
        assert_int_equal(transactions_find(transactions, one, 1000), i < 10 ? 0 : i + 1);
    }
    transactions_free(transactions);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_until_heard),
        cmocka_unit_test(old_ones_are_new_messages),
        cmocka_unit_test(after_a_start_only_the_last_may_be_unheard),
        cmocka_unit_test(no_name_is_no_transaction),
        cmocka_unit_test(the_oldest_gives_way),
    };
    return cmocka_run_group_tests_name("queue transactions", tests, NULL, NULL);
}
