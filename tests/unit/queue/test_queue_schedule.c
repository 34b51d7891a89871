/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The schedule: back-off, fairness, limits, age. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "ipc/ask_queue.h"
#include "ipc/event.h"
#include "queue/schedule.h"

enum { FIRST = 1000, MOST = 60000, RECENT = 1024 };

struct bed {
    struct message_index *message_index;
    struct schedule *schedule;
    uint64_t last_id;
    uint32_t limit;
};

static struct schedule_route route(void *context, struct text domain)
{
    const struct bed *bed = context;
    return (struct schedule_route){ bed->limit, text_starts(domain, TEXT("static")) };
}

static void bed_make(struct bed *bed, uint32_t limit, uint32_t all, uint32_t dynamic)
{
    *bed = (struct bed){ .message_index = message_index_new(RECENT), .limit = limit };
    struct schedule_policy policy = { FIRST, MOST, all, dynamic, bed, route };
    bed->schedule = schedule_new(bed->message_index, &policy, 42);
}

static void bed_free(struct bed *bed)
{
    schedule_free(bed->schedule);
    message_index_free(bed->message_index);
}

static struct message *add(struct bed *bed, const char *domain, uint64_t now)
{
    struct message *message = memory_alloc(sizeof *message + sizeof(struct queued_recipient));
    message->id = ++bed->last_id;
    message->arrived_ms = now;
    message->recipient_count = message->live_count = 1;
    message->recipients[0].domain = string_pool_hold(bed->message_index->domains, text_of(domain));
    message_index_add(bed->message_index, message);
    schedule_add(bed->schedule, message, now);
    return message;
}

static struct text domain_of(const struct bed *bed, const struct delivery *delivery)
{
    return string_pool_text(bed->message_index->domains, delivery->message->recipients[0].domain);
}

static void done(struct bed *bed, struct delivery *delivery)
{
    struct message *message = delivery->message;
    message->recipients[0].ending = ENDING_DELIVERED;
    schedule_done(bed->schedule, delivery);
    schedule_forget(bed->schedule, message);
    message_index_remove(bed->message_index, message);
}

static void test_back_off(void **state)
{
    static const struct {
        unsigned attempt;
        uint64_t least, most;
    } rows[] = { { 1, 750, 1000 },     { 2, 1500, 2000 },    { 3, 3000, 4000 },   { 4, 6000, 8000 },
                 { 5, 12000, 16000 },  { 6, 24000, 32000 },  { 7, 45000, 60000 }, { 8, 45000, 60000 },
                 { 20, 45000, 60000 }, { 300, 45000, 60000 } };
    struct bed bed;
    bed_make(&bed, 5, 10, 10);
    add(&bed, "a.example", 0);
    uint64_t now = 0;
    unsigned attempt = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t wait = 0;
        while (attempt < rows[i].attempt) {
            struct delivery *delivery = schedule_next(bed.schedule, now);
            assert_non_null(delivery);
            uint64_t due = schedule_defer(bed.schedule, delivery, now);
            assert_null(schedule_next(bed.schedule, due - 1));
            assert_int_equal(schedule_wake_ms(bed.schedule), due);
            wait = due - now;
            now = due;
            attempt++;
        }
        if (wait < rows[i].least || wait > rows[i].most)
            fail_msg("attempt %u waits %llu", attempt, (unsigned long long)wait);
    }
    bed_free(&bed);
}

/* Ten destinations with a hundred messages each: each gets its turn. */
static void test_turns(void **state)
{
    struct bed bed;
    bed_make(&bed, 1000, 1000, 1000);
    char name[20];
    for (int i = 0; i < 10; i++)
        for (int k = 0; k < 100; k++) {
            snprintf(name, sizeof name, "d%d.example", i);
            add(&bed, name, 0);
        }
    for (int round = 0; round < 100; round++) {
        unsigned seen = 0;
        for (int i = 0; i < 10; i++)
            seen |= 1u << (domain_of(&bed, schedule_next(bed.schedule, 0)).at[1] - '0');
        assert_int_equal(seen, 1023);
    }
    assert_null(schedule_next(bed.schedule, 0));
    bed_free(&bed);
}

static void test_first_in_first_out(void **state)
{
    struct bed bed;
    bed_make(&bed, 100, 100, 100);
    for (int i = 0; i < 5; i++) add(&bed, "a.example", 0);
    struct delivery *first = schedule_next(bed.schedule, 0);
    assert_int_equal(first->message->id, 1);
    schedule_give_back(bed.schedule, first); /* not tried: it keeps its place */
    for (uint64_t id = 1; id <= 5; id++) assert_int_equal(schedule_next(bed.schedule, 0)->message->id, id);
    bed_free(&bed);
}

static void test_limits(void **state)
{
    static const struct {
        uint32_t each, all, dynamic;
        unsigned at_dynamic, at_static; /* deliveries out: two dynamic destinations, one static */
    } rows[] = { { 3, 100, 100, 6, 3 },
                 { 3, 4, 100, 0, 0 },
                 { 3, 8, 5, 5, 3 },
                 { 10, 12, 4, 4, 8 },
                 { 1, 100, 100, 2, 1 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bed bed;
        bed_make(&bed, rows[i].each, rows[i].all, rows[i].dynamic);
        for (int k = 0; k < 20; k++) {
            add(&bed, "a.example", 0);
            add(&bed, "b.example", 0);
            add(&bed, "static.example", 0);
        }
        unsigned dynamic = 0, fixed = 0;
        for (struct delivery *one; (one = schedule_next(bed.schedule, 0));)
            *(text_starts(domain_of(&bed, one), TEXT("static")) ? &fixed : &dynamic) += 1;
        if (rows[i].at_dynamic) {
            assert_int_equal(dynamic, rows[i].at_dynamic);
            assert_int_equal(fixed, rows[i].at_static);
        }
        assert_int_equal(dynamic + fixed,
                         rows[i].at_dynamic ? rows[i].at_dynamic + rows[i].at_static : rows[i].all);
        bed_free(&bed);
    }
}

/* 100,000 messages for a dead destination: one job each back-off, and others flow. */
static void test_dead_destination(void **state)
{
    struct bed bed;
    bed_make(&bed, 20, 100, 100);
    for (int i = 0; i < 100000; i++) add(&bed, "dead.example", 0);
    struct delivery *out[20];
    for (int i = 0; i < 20; i++) out[i] = schedule_next(bed.schedule, 0);
    assert_null(schedule_next(bed.schedule, 0));
    uint64_t until = 0;
    for (int i = 0; i < 20; i++) { /* all twenty fail at once: that is one failure */
        uint64_t one = schedule_destination_down(bed.schedule, out[i], TEXT("refused"), 10);
        assert_true(i == 0 || one == until);
        until = one;
        schedule_give_back(bed.schedule, out[i]);
    }
    assert_true(until >= 760 && until <= 1010);
    assert_null(schedule_next(bed.schedule, until - 1));
    assert_int_equal(schedule_waits_until(out[0]), until);
    add(&bed, "live.example", 0);
    struct delivery *live = schedule_next(bed.schedule, 20);
    assert_true(text_equal(domain_of(&bed, live), TEXT("live.example")));
    done(&bed, live);
    for (int probe = 0; probe < 10; probe++) {
        struct delivery *one = schedule_next(bed.schedule, until);
        assert_non_null(one);
        assert_true(text_equal(schedule_down_reason(bed.schedule, one), TEXT("refused")));
        assert_null(schedule_next(bed.schedule, until));
        uint64_t next = schedule_destination_down(bed.schedule, one, TEXT("refused"), until);
        assert_true(next > until && next <= until + MOST);
        schedule_give_back(bed.schedule, one);
        until = next;
    }
    assert_int_equal(schedule_facts(bed.schedule).destinations_down, 1);
    struct delivery *one = schedule_next(bed.schedule, until);
    schedule_destination_up(bed.schedule, one, until);
    done(&bed, one);
    unsigned flowing = 0;
    while (schedule_next(bed.schedule, until)) flowing++;
    assert_int_equal(flowing, 20);
    assert_int_equal(schedule_facts(bed.schedule).destinations_down, 0);
    bed_free(&bed);
}

static void test_retry_now(void **state)
{
    struct bed bed;
    bed_make(&bed, 20, 100, 100);
    struct message *first = add(&bed, "a.example", 0);
    add(&bed, "a.example", 0);
    add(&bed, "b.example", 0);
    for (int i = 0; i < 3; i++) schedule_defer(bed.schedule, schedule_next(bed.schedule, 0), 0);
    assert_null(schedule_next(bed.schedule, 1));
    schedule_retry_message(bed.schedule, first, 1);
    assert_ptr_equal(schedule_next(bed.schedule, 1)->message, first);
    assert_null(schedule_next(bed.schedule, 1));
    schedule_retry_domain(bed.schedule, TEXT("b.example"), 1);
    assert_true(text_equal(domain_of(&bed, schedule_next(bed.schedule, 1)), TEXT("b.example")));
    schedule_retry_domain(bed.schedule, TEXT("unknown.example"), 1);
    assert_null(schedule_next(bed.schedule, 1));
    schedule_retry_all(bed.schedule, 1);
    assert_non_null(schedule_next(bed.schedule, 1));
    bed_free(&bed);
}

/* One message, recipients of two domains, two of them with other edits, one held. */
static void test_deliveries_of_a_message(void **state)
{
    struct bed bed;
    bed_make(&bed, 20, 100, 100);
    struct message *message = memory_alloc(sizeof *message + 5 * sizeof(struct queued_recipient));
    static const struct {
        const char *domain;
        uint8_t edits, hold;
    } rows[] = { { "a.example", 0, 0 },
                 { "b.example", 0, 0 },
                 { "a.example", 1, 0 },
                 { "a.example", 0, 0 },
                 { "c.example", 0, HOLD_QUARANTINE } };
    message->id = 1;
    message->recipient_count = message->live_count = 5;
    for (int i = 0; i < 5; i++) {
        message->recipients[i].domain = string_pool_hold(bed.message_index->domains, text_of(rows[i].domain));
        message->recipients[i].edits = rows[i].edits;
        message->recipients[i].hold = rows[i].hold;
    }
    message_index_add(bed.message_index, message);
    schedule_add(bed.schedule, message, 0);
    schedule_add(bed.schedule, message, 0); /* twice is once */
    unsigned deliveries = 0, recipients = 0;
    for (struct delivery *one; (one = schedule_next(bed.schedule, 0)); deliveries++)
        for (int i = 0; i < 5; i++) recipients += delivery_serves(one, &message->recipients[i]);
    assert_int_equal(deliveries, 3);
    assert_int_equal(recipients, 4);
    assert_int_equal(message->jobs, 3);
    message->recipients[4].hold = HOLD_NONE;
    schedule_add(bed.schedule, message, 0);
    assert_true(text_equal(string_pool_text(bed.message_index->domains, message->recipients[4].domain),
                           TEXT("c.example")));
    assert_non_null(schedule_next(bed.schedule, 0));
    bed_free(&bed);
}

static void test_after_a_restart(void **state)
{
    static const struct {
        uint64_t due;
        uint8_t attempts;
        uint64_t expected;
    } rows[] = {
        { 0, 0, 5000 }, { 9000, 0, 5000 }, { 9000, 3, 9000 }, { 4000, 3, 5000 }, { 900000, 3, 5000 + MOST }
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bed bed;
        bed_make(&bed, 20, 100, 100);
        struct message *message = memory_alloc(sizeof *message + sizeof(struct queued_recipient));
        message->id = 1;
        message->due_ms = rows[i].due;
        message->recipient_count = message->live_count = 1;
        message->recipients[0].attempts = rows[i].attempts;
        message->recipients[0].domain = string_pool_hold(bed.message_index->domains, TEXT("a.example"));
        message_index_add(bed.message_index, message);
        schedule_add(bed.schedule, message, 5000);
        if (rows[i].expected > 5000) assert_null(schedule_next(bed.schedule, rows[i].expected - 1));
        assert_non_null(schedule_next(bed.schedule, rows[i].expected));
        bed_free(&bed);
    }
}

static void test_age(void **state)
{
    struct bed bed;
    bed_make(&bed, 20, 100, 100);
    struct message *late = add(&bed, "a.example", 0), *early = add(&bed, "a.example", 0);
    schedule_watch(bed.schedule, late, 500);
    schedule_watch(bed.schedule, early, 300);
    assert_int_equal(schedule_wake_ms(bed.schedule), 300);
    assert_null(schedule_aged(bed.schedule, 299));
    assert_ptr_equal(schedule_aged(bed.schedule, 600), early);
    assert_ptr_equal(schedule_aged(bed.schedule, 600), late);
    assert_null(schedule_aged(bed.schedule, 600));
    schedule_watch(bed.schedule, late, 700);
    late->recipients[0].ending = ENDING_REMOVED;
    assert_true(schedule_trim(bed.schedule, late));
    assert_null(schedule_aged(bed.schedule, 800));
    bed_free(&bed);
}

static void test_heap(void **state)
{
    enum { ITEMS = 2000 };
    struct heap heap = { 0 };
    struct heap_item *items = memory_alloc(ITEMS * sizeof *items);
    uint64_t random = 1;
    for (int i = 0; i < ITEMS * 3; i++) {
        random = random * 6364136223846793005u + 1;
        struct heap_item *item = &items[(random >> 33) % ITEMS];
        if (random >> 60 < 5)
            heap_remove(&heap, item);
        else
            heap_set(&heap, item, random >> 20 & 0xffff);
    }
    uint64_t last = 0;
    for (struct heap_item *item; (item = heap_first(&heap));) {
        assert_true(item->key >= last);
        last = item->key;
        heap_remove(&heap, item);
    }
    for (int i = 0; i < ITEMS; i++) assert_int_equal(items[i].place, 0);
    heap_free(&heap);
    free(items);
}

static void test_string_pool(void **state)
{
    struct string_pool *pool = string_pool_new();
    uint32_t numbers[500];
    char text[20];
    for (int i = 0; i < 500; i++) {
        snprintf(text, sizeof text, "name %d", i);
        numbers[i] = string_pool_hold(pool, text_of(text));
        assert_int_equal(string_pool_hold(pool, text_of(text)), numbers[i]);
    }
    for (int i = 0; i < 500; i++) {
        snprintf(text, sizeof text, "name %d", i);
        assert_int_equal(string_pool_find(pool, text_of(text)), numbers[i]);
        string_pool_drop(pool, numbers[i]);
        if (i % 2) string_pool_drop(pool, numbers[i]);
        assert_int_equal(string_pool_find(pool, text_of(text)), i % 2 ? 0 : numbers[i]);
    }
    assert_int_equal(string_pool_hold(pool, TEXT("")), 0);
    assert_true(string_pool_hold(pool, TEXT("another")) < string_pool_limit(pool));
    string_pool_free(pool);
}

/* Catalogue: found, gone, remembered. */
static void test_message_index(void **state)
{
    struct bed bed;
    bed_make(&bed, 1, 1, 1);
    for (int i = 0; i < 5000; i++) add(&bed, "a.example", 0);
    for (uint64_t id = 1; id <= 5000; id += 3) {
        struct message *message = message_index_find(bed.message_index, id);
        schedule_forget(bed.schedule, message);
        message_index_remove(bed.message_index, message);
    }
    for (uint64_t id = 1; id <= 5000; id++)
        assert_int_equal(message_index_find(bed.message_index, id) != NULL, id % 3 != 1);
    for (uint64_t id = 10000; id < 10000 + RECENT + 10; id++)
        message_index_remember(bed.message_index, id);
    assert_false(message_index_was_kept(bed.message_index, 10009));
    assert_true(message_index_was_kept(bed.message_index, 10010));
    assert_true(message_index_was_kept(bed.message_index, 10000 + RECENT + 9));
    assert_true(message_index_was_kept(bed.message_index, 2));
    assert_false(message_index_was_kept(bed.message_index, 1));
    bed_free(&bed);
}

/* The last attempt goes out at once; a destination that is found down meanwhile counts for all who wait for
 * it. */
static void test_last_try(void **state)
{
    struct bed bed;
    bed_make(&bed, 4, 10, 10);
    struct message *waits = add(&bed, "a.example", 0), *other = add(&bed, "a.example", 0);
    struct delivery *first = schedule_next(bed.schedule, 0), *second = schedule_next(bed.schedule, 0);
    uint64_t until = schedule_destination_down(bed.schedule, first, TEXT("refused"), 0);
    schedule_give_back(bed.schedule, first);
    schedule_give_back(bed.schedule, second);
    assert_null(schedule_next(bed.schedule, until / 2));
    assert_false(schedule_last_try(bed.schedule, waits->deliveries));
    assert_false(schedule_last_try(bed.schedule, waits->deliveries)); /* it has not been tried yet */
    assert_false(schedule_last_try(bed.schedule, other->deliveries));
    struct delivery *out = schedule_next(bed.schedule, until / 2);
    assert_non_null(out);
    assert_null(schedule_next(bed.schedule, until / 2)); /* a probe goes alone */
    assert_false(schedule_last_try(bed.schedule, out));  /* it is under way */
    schedule_destination_down(bed.schedule, out, TEXT("refused"), until / 2);
    schedule_give_back(bed.schedule, out);
    assert_true(schedule_last_try(bed.schedule, waits->deliveries));
    assert_true(schedule_last_try(bed.schedule, other->deliveries));
    bed_free(&bed);
}

static void test_out_recipients(void **state)
{
    struct bed bed;
    bed_make(&bed, 4, 10, 10);
    add(&bed, "a.example", 0);
    struct message *two = add(&bed, "b.example", 0);
    struct delivery *first = schedule_next(bed.schedule, 0), *second = schedule_next(bed.schedule, 0);
    assert_int_equal(schedule_facts(bed.schedule).out_recipients, 2);
    schedule_give_back(bed.schedule, first);
    assert_int_equal(schedule_facts(bed.schedule).out_recipients, 1);
    schedule_defer(bed.schedule, second, 0);
    assert_int_equal(schedule_facts(bed.schedule).out_recipients, 0);
    assert_non_null(two);
    bed_free(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_back_off),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_first_in_first_out),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_dead_destination),
        cmocka_unit_test(test_retry_now),
        cmocka_unit_test(test_deliveries_of_a_message),
        cmocka_unit_test(test_after_a_restart),
        cmocka_unit_test(test_age),
        cmocka_unit_test(test_last_try),
        cmocka_unit_test(test_out_recipients),
        cmocka_unit_test(test_heap),
        cmocka_unit_test(test_string_pool),
        cmocka_unit_test(test_message_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
