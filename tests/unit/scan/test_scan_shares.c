/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Who is next among the requests that wait for a worker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "scan/fair_shares.h"

enum { KIB = 1024, MIB = 1024 * 1024 };

/* As receive sends it, but for the size. */
static struct request *request(const char *client, uint32_t ipv6_prefix, uint64_t bytes, uint64_t id)
{
    struct occasion occasion = { .id = id, .helo = TEXT("a.test") };
    struct buffer payload = { 0 };
    assert_true(address_parse(text_of(client), &occasion.client));
    occasion_put(&occasion, &payload);
    struct frame frame = { .type = SCAN_READ, .id = id, .payload = buffer_text(&payload) };
    struct request *made = request_new(NULL, &frame, ipv6_prefix, 0);
    buffer_free(&payload);
    made->bytes = bytes;
    made->weight = bytes > REQUEST_SMALL_MOST ? REQUEST_LARGE : REQUEST_SMALL;
    return made;
}

static void add(struct shares *waiting, const char *client, uint64_t bytes, uint64_t id)
{
    assert_true(shares_add(waiting, request(client, 64, bytes, id)));
}

/* Given and answered at once. */
static uint64_t next(struct shares *waiting, enum request_weight weight)
{
    struct request *given = shares_give(waiting, weight);
    if (!given) return 0;
    uint64_t id = given->id;
    shares_end(waiting, given);
    request_free(given);
    return id;
}

/* What is added, as "client size" in the order of coming, and the order in which it goes. */
static void order(void **state)
{
    static const struct {
        const char *what;
        struct {
            const char *client;
            uint64_t bytes;
        } come[8];
        enum request_weight weight;
        uint64_t go[9];
    } rows[] = {
        { "one client: as they came",
          { { "192.0.2.1", 4 * KIB }, { "192.0.2.1", 200 * KIB }, { "192.0.2.1", KIB } },
          REQUEST_SMALL,
          { 1, 2, 3 } },
        { "two clients take turns",
          { { "192.0.2.1", 4 * KIB },
            { "192.0.2.1", 4 * KIB },
            { "192.0.2.1", 4 * KIB },
            { "192.0.2.2", 4 * KIB } },
          REQUEST_SMALL,
          { 1, 4, 2, 3 } },
        { "by bytes, not by messages",
          { { "192.0.2.1", 200 * KIB },
            { "192.0.2.1", 200 * KIB },
            { "192.0.2.2", 4 * KIB },
            { "192.0.2.2", 4 * KIB },
            { "192.0.2.2", 4 * KIB } },
          REQUEST_SMALL,
          { 1, 3, 4, 5, 2 } },
        { "large ones have a line of their own",
          { { "192.0.2.1", 40 * MIB }, { "192.0.2.1", 40 * MIB }, { "192.0.2.1", 4 * KIB } },
          REQUEST_SMALL,
          { 3 } },
        { "and take turns in it",
          { { "192.0.2.1", 40 * MIB },
            { "192.0.2.1", 40 * MIB },
            { "192.0.2.2", 40 * MIB },
            { "192.0.2.3", MIB } },
          REQUEST_LARGE,
          { 1, 3, 4, 2 } },
        { "a /64 is one client",
          { { "2001:db8::1", 4 * KIB }, { "2001:db8::2", 4 * KIB }, { "2001:db8:0:1::1", 4 * KIB } },
          REQUEST_SMALL,
          { 1, 3, 2 } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct shares waiting = { 0 };
        uint64_t count = 0;
        for (; count < 8 && rows[i].come[count].client; count++)
            add(&waiting, rows[i].come[count].client, rows[i].come[count].bytes, count + 1);
        for (size_t k = 0; k < 9; k++) {
            uint64_t id = next(&waiting, rows[i].weight);
            if (id != rows[i].go[k]) fail_msg("%s: %zu is %d", rows[i].what, k, (int)id);
        }
        while (next(&waiting, !rows[i].weight)) {
        }
        assert_int_equal(waiting.count, 0);
        assert_int_equal(waiting.bytes, 0);
    }
}

/* What a worker has counts: who sends the next one when the last is given gains nothing by that. */
static void given_counts(void **state)
{
    struct shares waiting = { 0 };
    add(&waiting, "192.0.2.1", 40 * MIB, 1);
    add(&waiting, "192.0.2.2", 40 * MIB, 2);
    struct request *given = shares_give(&waiting, REQUEST_LARGE);
    assert_int_equal(given->id, 1);
    add(&waiting, "192.0.2.1", 40 * MIB, 3);
    add(&waiting, "192.0.2.3", 40 * MIB, 4);
    assert_int_equal(next(&waiting, REQUEST_LARGE), 2);
    assert_int_equal(next(&waiting, REQUEST_LARGE), 4);
    assert_int_equal(next(&waiting, REQUEST_LARGE), 3);
    shares_end(&waiting, given);
    request_free(given);
}

/* Who used an idle scanner alone owes nothing for it once others come. */
static void no_debt(void **state)
{
    struct shares waiting = { 0 };
    for (uint64_t i = 1; i <= 100; i++) {
        add(&waiting, "192.0.2.1", 100 * KIB, i);
        assert_int_equal(next(&waiting, REQUEST_SMALL), i);
    }
    add(&waiting, "192.0.2.1", 4 * KIB, 101);
    add(&waiting, "192.0.2.2", 4 * KIB, 102);
    add(&waiting, "192.0.2.2", 4 * KIB, 103);
    assert_int_equal(next(&waiting, REQUEST_SMALL), 101);
    assert_int_equal(next(&waiting, REQUEST_SMALL), 102);
    assert_int_equal(next(&waiting, REQUEST_SMALL), 103);
}

/* Given, and answered after so many milliseconds of a worker. */
static uint64_t next_spending(struct shares *waiting, enum request_weight weight, uint64_t spent_ms)
{
    struct request *given = shares_give(waiting, weight);
    if (!given) return 0;
    uint64_t id = given->id;
    shares_spent(waiting, given, spent_ms);
    shares_end(waiting, given);
    request_free(given);
    return id;
}

/* Whose small message was dear goes with the large from then on, with all that waits, behind who is cheap
   there; and comes back with cheap ones. */
static void dear_go_with_the_large(void **state)
{
    struct shares waiting = { 0 };
    for (uint64_t id = 1; id <= 3; id++) add(&waiting, "192.0.2.1", 200 * KIB, id);
    add(&waiting, "192.0.2.2", 200 * KIB, 4);
    assert_int_equal(next_spending(&waiting, REQUEST_SMALL, 260), 1);
    assert_int_equal(next(&waiting, REQUEST_SMALL), 4);
    assert_int_equal(next(&waiting, REQUEST_SMALL), 0);
    add(&waiting, "192.0.2.3", 4 * MIB, 5);
    add(&waiting, "192.0.2.3", 3 * MIB, 6);
    assert_int_equal(next_spending(&waiting, REQUEST_LARGE, 0), 2);
    assert_int_equal(next(&waiting, REQUEST_LARGE), 5);
    assert_int_equal(next(&waiting, REQUEST_LARGE), 6);
    assert_int_equal(next_spending(&waiting, REQUEST_LARGE, 0), 3);
    for (uint64_t id = 7; id <= 9; id++) {
        add(&waiting, "192.0.2.1", KIB, id);
        assert_int_equal(next_spending(&waiting, REQUEST_LARGE, 1), id);
    }
    add(&waiting, "192.0.2.1", KIB, 10);
    assert_int_equal(next_spending(&waiting, REQUEST_SMALL, 1), 10);
    assert_int_equal(waiting.count, 0);
    assert_int_equal(waiting.bytes, 0);
}

/* While a worker takes long over a message, what else its client sends waits elsewhere, and no longer. */
static void late_go_with_the_large(void **state)
{
    struct shares waiting = { 0 };
    for (uint64_t id = 1; id <= 3; id++) add(&waiting, "192.0.2.1", KIB, id);
    add(&waiting, "192.0.2.2", KIB, 4);
    struct request *late = shares_give(&waiting, REQUEST_SMALL);
    shares_late(&waiting, late);
    add(&waiting, "192.0.2.1", KIB, 5);
    assert_int_equal(next(&waiting, REQUEST_SMALL), 4);
    assert_int_equal(next(&waiting, REQUEST_SMALL), 0);
    for (uint64_t id = 2; id <= 5; id += id == 3 ? 2 : 1) assert_int_equal(next(&waiting, REQUEST_LARGE), id);
    shares_end(&waiting, late);
    request_free(late);
    add(&waiting, "192.0.2.1", KIB, 6);
    assert_int_equal(next(&waiting, REQUEST_SMALL), 6);
}

/* Large mail is as dear as it is: the small of the same client stay small. So do small ones that are cheap,
   and those of a client that was forgotten for others. */
static void others_stay(void **state)
{
    struct shares waiting = { 0 };
    add(&waiting, "192.0.2.1", 4 * MIB, 1);
    assert_int_equal(next_spending(&waiting, REQUEST_LARGE, 5000), 1);
    add(&waiting, "192.0.2.1", KIB, 2);
    assert_int_equal(next_spending(&waiting, REQUEST_SMALL, DEAR_MS - 1), 2);
    for (uint64_t id = 3; id < 3 + DEAR_CLIENTS + 1; id++) {
        char client[24];
        snprintf(client, sizeof client, "10.0.%d.%d", (int)id / 256, (int)id % 256);
        add(&waiting, client, KIB, id);
        assert_int_equal(next_spending(&waiting, REQUEST_SMALL, DEAR_MS), id);
    }
    add(&waiting, "10.0.0.3", KIB, 1000);
    add(&waiting, "10.0.0.4", KIB, 1001);
    assert_int_equal(next(&waiting, REQUEST_SMALL), 1000);
    assert_int_equal(next(&waiting, REQUEST_LARGE), 1001);
}

static void taken_back_is_first(void **state)
{
    struct shares waiting = { 0 };
    add(&waiting, "192.0.2.1", 4 * KIB, 1);
    add(&waiting, "192.0.2.2", 4 * KIB, 2);
    struct request *given = shares_give(&waiting, REQUEST_SMALL);
    shares_take_back(&waiting, given);
    assert_int_equal(waiting.count, 2);
    assert_int_equal(next(&waiting, REQUEST_SMALL), 1);
    assert_int_equal(next(&waiting, REQUEST_SMALL), 2);
    assert_null(shares_any(&waiting));
}

/* Two hosts of a /48 are one client only where the prefix says so: then the stranger between them goes first.
 */
static void prefix_is_settable(void **state)
{
    static const char *clients[] = { "2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:1::1" };
    static const struct {
        uint32_t prefix;
        uint64_t go[3];
    } rows[] = { { 64, { 1, 2, 3 } }, { 48, { 1, 3, 2 } } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct shares waiting = { 0 };
        for (uint64_t k = 0; k < 3; k++)
            assert_true(shares_add(&waiting, request(clients[k], rows[i].prefix, KIB, k + 1)));
        for (int k = 0; k < 3; k++) assert_int_equal(next(&waiting, REQUEST_SMALL), rows[i].go[k]);
    }
}

static void bounds(void **state)
{
    struct shares waiting = { 0 };
    for (uint64_t i = 0; i < WAITING_MOST; i++) add(&waiting, "192.0.2.1", KIB, i + 1);
    struct request *one = request("192.0.2.1", 64, KIB, 1);
    assert_false(shares_add(&waiting, one));
    request_free(one);
    while (next(&waiting, REQUEST_SMALL)) {
    }
    one = request("192.0.2.1", 64, KIB, 1);
    buffer_reserve(&one->payload, WAITING_BYTES_MOST + 1);
    buffer_commit(&one->payload, WAITING_BYTES_MOST + 1);
    assert_false(shares_add(&waiting, one));
    request_free(one);
    assert_int_equal(waiting.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(order),
                                        cmocka_unit_test(given_counts),
                                        cmocka_unit_test(no_debt),
                                        cmocka_unit_test(dear_go_with_the_large),
                                        cmocka_unit_test(late_go_with_the_large),
                                        cmocka_unit_test(others_stay),
                                        cmocka_unit_test(taken_back_is_first),
                                        cmocka_unit_test(prefix_is_settable),
                                        cmocka_unit_test(bounds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
