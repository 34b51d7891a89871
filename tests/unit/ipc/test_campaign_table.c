/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The table of campaigns: what is counted, what decays, what gives way, what strangers cannot do, and that it
   outlives its process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "ipc/campaign_table.h"

enum { LIST_END = 11 << 20 /* behind it stands the index, which is made anew */ };
enum { START_MS = 1000000, HOUR_MS = 3600 * 1000, DAY_MS = 24 * HOUR_MS };

static char *room;
static struct campaign_table *table;

static int begin_empty(void **state)
{
    struct campaign_table_found found;
    room = memory_alloc(CAMPAIGN_FILE_BYTES);
    table = campaign_table_open(room, &found);
    return found.count || found.damaged || found.is_other;
}

static int end(void **state)
{
    campaign_table_free(table);
    free(room);
    return 0;
}

/* As another process opens it. */
static struct campaign_table_found open_again(void)
{
    struct campaign_table_found found;
    campaign_table_free(table);
    table = campaign_table_open(room, &found);
    return found;
}

/* A text of its own for each number. */
static struct campaign_sketch text_number(uint64_t number)
{
    struct campaign_sketch sketch = { 0 };
    for (unsigned i = 0; i < CAMPAIGN_BANDS; i++) sketch.bands[i] = number * 1000 + i + 1;
    return sketch;
}

/* From 10.NETWORK/16, or further than that; by a sender and to a recipient of its own. */
static void count_from(const struct campaign_sketch *sketch, unsigned network, uint64_t id, uint64_t now_ms)
{
    char sender[40], address[40];
    snprintf(sender, sizeof sender, "a@s%u.example", network);
    snprintf(address, sizeof address, "r%u@example.test", network);
    struct text recipient = text_of(address);
    uint8_t v4[4] = { (uint8_t)(10 + network / 256), (uint8_t)network, 1, (uint8_t)id };
    struct campaign_message message = {
        .id = id, .sender = text_of(sender), .recipients = &recipient, .recipient_count = 1, .is_taken = true
    };
    address_from_bytes(v4, sizeof v4, &message.client);
    campaign_table_count(table, sketch, &message, now_ms);
}

static struct campaign_answer look(const struct campaign_sketch *sketch, uint64_t now_ms)
{
    struct campaign_answer answer;
    campaign_table_look(table, sketch, NULL, 0, now_ms, &answer);
    return answer;
}

/* Linear counting is off by some 5 per cent. */
static bool is_about(uint32_t count, uint32_t wanted)
{
    return count * 4 >= wanted * 3 && count * 4 <= wanted * 5;
}

static void test_distinct_ones_count(void **state)
{
    struct campaign_sketch sketch = text_number(1);
    for (unsigned network = 0; network < 57; network++)
        for (unsigned copy = 0; copy < 5; copy++) count_from(&sketch, network, copy + 1, START_MS + network);
    struct campaign_answer answer = look(&sketch, START_MS + HOUR_MS);
    assert_int_equal(answer.count, 285);
    assert_true(is_about(answer.networks, 57) && is_about(answer.senders, 57) &&
                is_about(answer.recipients, 57));
    assert_true(answer.since_ms == START_MS);
    assert_int_equal(look(&(struct campaign_sketch){ .line = 1 }, START_MS).id, 0);
}

static void test_networks(void **state)
{
    static const struct {
        const char *client, *network;
    } rows[] = { { "192.0.2.1", "192.0.0.0" }, { "2001:db8:1:2::3", "2001:db8::" }, { "::1", "::" } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct address client, network;
        assert_true(address_parse(text_of(rows[i].client), &client));
        assert_true(address_parse(text_of(rows[i].network), &network));
        client = campaign_network(&client);
        assert_true(address_equal(&client, &network));
    }
}

/* How many keys two texts share. */
static void test_near_ones_are_one(void **state)
{
    struct campaign_sketch first = text_number(1);
    count_from(&first, 1, 1, START_MS);
    for (unsigned changed = 0; changed <= CAMPAIGN_BANDS; changed++) {
        struct campaign_sketch near = first;
        for (unsigned i = 0; i < changed; i++) near.bands[i] = 77000 + changed * 100 + i;
        bool is_one = CAMPAIGN_BANDS - changed >= CAMPAIGN_BANDS_LEAST;
        if ((look(&near, START_MS).id != 0) != is_one) fail_msg("%u keys differ", changed);
    }
}

/* The days after which so much is known of ten copies on the first day and of ten on the third. */
static void test_what_was_is_forgotten(void **state)
{
    static const struct {
        unsigned day, count;
    } rows[] = { { 0, 10 }, { 1, 10 }, { 3, 20 }, { 4, 10 }, { 5, 10 }, { 6, 0 }, { 30, 0 } };
    struct campaign_sketch sketch = text_number(1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t now_ms = START_MS + (uint64_t)rows[i].day * DAY_MS + HOUR_MS;
        for (unsigned network = 0; rows[i].day % 3 == 0 && rows[i].day < 4 && network < 10; network++)
            count_from(&sketch, network, 1, now_ms - HOUR_MS / 2);
        struct campaign_answer answer = look(&sketch, now_ms);
        if (answer.count != rows[i].count || (answer.networks > 0) != (rows[i].count > 0))
            fail_msg("day %u: %u from %u", rows[i].day, answer.count, answer.networks);
    }
}

/* By a clock that was a year ahead and is set right: nothing lasts for longer than it would have. */
static void test_a_clock_that_is_set_back(void **state)
{
    const uint64_t year_ms = UINT64_C(365) * DAY_MS;
    struct campaign_sketch sketch = text_number(1);
    for (unsigned network = 0; network < 10; network++) count_from(&sketch, network, 1, START_MS + year_ms);
    campaign_table_report(table, &sketch, TEXT("boss@example.test"), 0, true, START_MS + year_ms);
    assert_int_equal(look(&sketch, START_MS).count, 10);
    assert_false(look(&sketch, START_MS).is_stopped);
    count_from(&sketch, 3, 1, START_MS);
    assert_int_equal(look(&sketch, START_MS + 5 * DAY_MS).count, 0);
}

/* One network, fifty thousand texts: others' campaigns stay, and so does one of its set that has spread.
 */
static void test_one_network_floods(void **state)
{
    struct campaign_sketch real = text_number(1), own = text_number(2);
    for (unsigned network = 1; network < 6; network++) count_from(&real, network, 1, START_MS);
    for (unsigned network = 200; network < 204; network++)
        count_from(&own, network, 1, START_MS); /* first: 200 */
    for (unsigned i = 0; i < 50000; i++) {
        struct campaign_sketch junk = text_number(100 + i);
        count_from(&junk, 200, 1, START_MS + i);
    }
    assert_true(look(&real, START_MS).networks >= 4 && look(&own, START_MS).networks >= 3);
    assert_true(campaign_table_count_all(table) <= CAMPAIGN_WAYS + 1);
}

/* Many networks, each with texts of its own: the table is full, and what has spread is still there. */
static void test_many_networks_flood(void **state)
{
    struct campaign_sketch real = text_number(1), stopped = text_number(2);
    for (unsigned network = 0; network < 20; network++) count_from(&real, network, 1, START_MS);
    campaign_table_report(table, &stopped, TEXT("boss@example.test"), 0, true, START_MS);
    for (unsigned i = 0; i < 100000; i++) {
        struct campaign_sketch junk = text_number(100 + i);
        count_from(&junk, i % 5000, 1, START_MS + i);
    }
    assert_true(look(&real, START_MS).networks >= 15);
    assert_true(look(&stopped, START_MS).is_stopped);
    assert_true(campaign_table_count_all(table) <= CAMPAIGN_MOST);
    struct campaign_table_found found = open_again();
    assert_int_equal(found.damaged, 0);
    assert_int_equal(found.count, campaign_table_count_all(table));
    assert_true(look(&real, START_MS).networks >= 15);
}

/* Of equal spread the oldest gives way. */
static void test_the_oldest_gives_way(void **state)
{
    for (unsigned i = 0; i <= CAMPAIGN_WAYS; i++) {
        struct campaign_sketch sketch = text_number(i + 1);
        count_from(&sketch, 7, 1, START_MS + i);
    }
    struct campaign_sketch first = text_number(1), second = text_number(2),
                           last = text_number(CAMPAIGN_WAYS + 1);
    assert_true(look(&first, START_MS).id == 0 && look(&second, START_MS).id && look(&last, START_MS).id);
}

static void test_reports(void **state)
{
    static const struct text users[] = { { "a@example.test", 14 }, { "b@example.test", 14 } };
    struct campaign_sketch sketch = text_number(1);
    struct campaign_answer answer;
    assert_true(campaign_table_report(table, &sketch, TEXT("A@Example.test"), 0, false, START_MS));
    assert_true(campaign_table_report(table, &sketch, TEXT("a@example.test"), 0, false, START_MS + DAY_MS));
    campaign_table_look(table, &sketch, users, 1, START_MS, &answer);
    assert_true(answer.reporters == 1 && answer.is_told_by_all && !answer.is_stopped && answer.count == 0);
    campaign_table_look(table, &sketch, users, 2, START_MS, &answer);
    assert_false(answer.is_told_by_all);
    campaign_table_report(table, &sketch, TEXT("b@example.test"), 0, false, START_MS + 3 * DAY_MS);
    campaign_table_look(table, &sketch, users, 2, START_MS + 3 * DAY_MS, &answer);
    assert_true(answer.reporters == 2 && answer.is_told_by_all);
    assert_int_equal(look(&sketch, START_MS + 9 * DAY_MS).reporters, 1); /* seven days each */
    assert_int_equal(look(&sketch, START_MS + 10 * DAY_MS).reporters, 0);
    for (unsigned i = 0; i < 100; i++) {
        char address[40];
        snprintf(address, sizeof address, "u%u@example.test", i);
        campaign_table_report(table, &sketch, text_of(address), 0, false, START_MS);
    }
    assert_int_equal(look(&sketch, START_MS).reporters, CAMPAIGN_REPORTERS_MOST);
    assert_false(
        campaign_table_report(table, &(struct campaign_sketch){ 0 }, TEXT("a@b"), 0, true, START_MS));
}

/* Few things in few bits are never told as more than there were. */
static void test_no_more_than_came(void **state)
{
    for (unsigned messages = 1; messages < 120; messages++) {
        struct campaign_sketch sketch = text_number(messages);
        for (unsigned i = 0; i < messages; i++) count_from(&sketch, messages * 3 + i, 0, START_MS);
        struct campaign_answer answer = look(&sketch, START_MS);
        if (answer.count != messages || answer.networks > messages || answer.senders > messages ||
            answer.recipients > messages)
            fail_msg("%u messages: %u networks, %u senders, %u recipients", messages, answer.networks,
                     answer.senders, answer.recipients);
    }
}

/* His own stop ends with his word, nobody else's does. */
static void test_a_report_taken_back(void **state)
{
    struct campaign_sketch sketch = text_number(1);
    struct campaign_answer answer;
    uint32_t number;
    uint64_t id = campaign_table_report(table, &sketch, TEXT("boss@a.test"), 7, true, START_MS);
    assert_true(look(&sketch, START_MS).is_stopped_by_user);
    assert_true(campaign_table_find(table, 0, 7, &number)); /* the message that it is about */
    campaign_table_report(table, &sketch, TEXT("user@a.test"), 0, false, START_MS);
    campaign_table_report(table, &sketch, TEXT("chief@a.test"), 7, true, START_MS);
    assert_int_equal(campaign_table_withdraw(table, &sketch, TEXT("chief@a.test"), START_MS), 0);
    assert_true(campaign_table_withdraw(table, &sketch, TEXT("user@a.test"), START_MS) == id);
    answer = look(&sketch, START_MS);
    assert_true(answer.is_stopped && answer.reporters == 0);
    assert_true(campaign_table_withdraw(table, &sketch, TEXT("Boss@A.test"), START_MS) == id);
    assert_int_equal(look(&sketch, START_MS).id, 0);
    /* an administrator's stop */
    campaign_table_report(table, &sketch, TEXT("user@a.test"), 0, false, START_MS);
    assert_true(campaign_table_find(table, look(&sketch, START_MS).id, 0, &number));
    campaign_table_stop(table, number, START_MS);
    campaign_table_report(table, &sketch, TEXT("boss@a.test"), 0, true, START_MS);
    campaign_table_withdraw(table, &sketch, TEXT("boss@a.test"), START_MS);
    answer = look(&sketch, START_MS);
    assert_true(answer.is_stopped && !answer.is_stopped_by_user);
}

/* Beside its text a report says nothing of a file; alone it does. */
static void test_a_report_of_a_file(void **state)
{
    struct campaign_sketch both = text_number(1), file = { .file_count = 1, .files = { 5 } };
    both.file_count = 1;
    both.files[0] = 5;
    campaign_table_report(table, &both, TEXT("a@b"), 0, true, START_MS);
    assert_false(look(&file, START_MS).is_stopped);
    campaign_table_report(table, &file, TEXT("a@b"), 0, true, START_MS);
    assert_true(look(&file, START_MS).is_stopped);
}

static void test_stop_and_forget(void **state)
{
    struct campaign_sketch sketch = text_number(1);
    struct campaign_view view;
    uint32_t number, again;
    for (unsigned i = 0; i < CAMPAIGN_MESSAGES_MOST + 8; i++) count_from(&sketch, i, 1000 + i, START_MS);
    uint64_t id = look(&sketch, START_MS).id;
    assert_true(campaign_table_find(table, id, 0, &number));
    assert_true(campaign_table_find(table, 0, 1020, &again) && again == number); /* by a message */
    assert_false(campaign_table_find(table, 0, 1001, &again));                   /* no longer named */
    campaign_table_stop(table, number, START_MS);
    assert_true(campaign_table_view(table, number, START_MS, &view));
    assert_true(view.message_count == CAMPAIGN_MESSAGES_MOST &&
                view.messages[0] == 1000 + CAMPAIGN_MESSAGES_MOST + 7);
    assert_true(look(&sketch, START_MS + 7 * DAY_MS - 1).is_stopped);
    assert_false(look(&sketch, START_MS + 7 * DAY_MS).is_stopped);
    open_again();
    assert_true(look(&sketch, START_MS).is_stopped);
    campaign_table_forget(table, number);
    assert_int_equal(look(&sketch, START_MS).id, 0);
    assert_false(campaign_table_view(table, number, START_MS, &view));
    assert_int_equal(campaign_table_count_all(table), 0);
}

/* Any byte of what is kept: the campaign that has it is forgotten, and the other is not. */
static void test_damage(void **state)
{
    struct campaign_sketch one = text_number(1), two = text_number(2);
    count_from(&one, 1, 1, START_MS);
    count_from(&two, 99, 1, START_MS);
    char *whole = memory_alloc(CAMPAIGN_FILE_BYTES);
    memcpy(whole, room, CAMPAIGN_FILE_BYTES);
    size_t tried = 0;
    for (size_t at = 16; at < LIST_END; at++) {
        if (whole[at] == 0 || tried++ % 4) continue;
        memcpy(room, whole, CAMPAIGN_FILE_BYTES);
        room[at] ^= 0x55;
        struct campaign_table_found found = open_again();
        if (found.damaged != 1 || found.count != 1) fail_msg("byte %zu: %u are whole", at, found.count);
        assert_true((look(&one, START_MS).id == 0) != (look(&two, START_MS).id == 0));
    }
    assert_true(tried > 40);
    free(whole);
}

/* Who only reads finds what is written meanwhile; nothing of what is half written, or leads elsewhere. */
static void test_another_reads(void **state)
{
    struct campaign_sketch one = text_number(1), two = text_number(2);
    struct campaign_table *reader = campaign_table_read(room);
    struct campaign_answer answer;
    count_from(&one, 1, 1, START_MS);
    campaign_table_look(reader, &one, NULL, 0, START_MS, &answer);
    assert_int_equal(answer.count, 1);
    size_t at = CAMPAIGN_FILE_BYTES; /* a byte of the campaign: its id, as the answer has it */
    for (size_t i = 0; i + 8 < CAMPAIGN_FILE_BYTES && at == CAMPAIGN_FILE_BYTES; i += 8)
        if (memcmp(room + i, &answer.id, 8) == 0) at = i;
    room[at] ^= 1;
    campaign_table_look(reader, &one, NULL, 0, START_MS, &answer);
    assert_int_equal(answer.id, 0);
    memset(room + 16, 0xA5, CAMPAIGN_FILE_BYTES - 16);
    campaign_table_look(reader, &two, NULL, 0, START_MS, &answer);
    assert_int_equal(answer.id, 0);
    memset(room, 0, CAMPAIGN_FILE_BYTES); /* not yet begun */
    campaign_table_look(reader, &two, NULL, 0, START_MS, &answer);
    assert_int_equal(answer.id, 0);
    campaign_table_free(reader);
}

static void test_another_version(void **state)
{
    struct campaign_sketch one = text_number(1);
    count_from(&one, 1, 1, START_MS);
    room[0] ^= 1;
    struct campaign_table_found found = open_again();
    assert_true(found.is_other && found.count == 0 && look(&one, START_MS).id == 0);
    found = open_again();
    assert_false(found.is_other || found.damaged);
}

/* A power loss may leave zeros for the head, and anything behind it. */
static void test_head_of_zeros(void **state)
{
    struct campaign_sketch one = text_number(1);
    memset(room + 16, 0xA5, CAMPAIGN_FILE_BYTES - 16);
    memset(room, 0, 16);
    struct campaign_table_found found = open_again();
    assert_true(found.is_other && found.count == 0 && campaign_table_count_all(table) == 0);
    count_from(&one, 1, 1, START_MS);
    assert_int_equal(look(&one, START_MS).count, 1);
    found = open_again();
    assert_true(found.count == 1 && !found.damaged && !found.is_other);
}

/* What is damaged while it is in use is shown to nobody, and named by no id. */
static void test_damage_in_use(void **state)
{
    struct campaign_view view;
    uint32_t number;
    memset(room + 16, 0xA5, LIST_END - 16);
    for (uint32_t i = 0; i < CAMPAIGN_MOST; i++) assert_false(campaign_table_view(table, i, START_MS, &view));
    assert_false(campaign_table_find(table, UINT64_C(0xA5A5A5A5A5A5A5A5), 0, &number));
    assert_false(campaign_table_find(table, 0, UINT64_C(0xA5A5A5A5A5A5A5A5), &number));
}

static struct campaign_ruling ruling_of(const struct campaign_sketch *sketch, bool is_stopped,
                                        uint64_t time_ms)
{
    return (struct campaign_ruling){ .sketch = *sketch,
                                     .is_stopped = is_stopped,
                                     .is_by_user = true,
                                     .time_ms = time_ms,
                                     .by = TEXT("a@b.test") };
}

/* Of another node: of a text that never passed here, in its time, and until its own time is over. */
static void test_rulings(void **state)
{
    struct campaign_sketch one = text_number(1), two = text_number(2), known;
    struct campaign_ruling stop = ruling_of(&one, true, START_MS), forget = ruling_of(&one, false, START_MS);
    uint32_t number;
    assert_int_equal(campaign_table_rule(table, &forget, START_MS), 0);
    assert_int_equal(campaign_table_count_all(table), 0);
    assert_true(campaign_table_rule(table, &stop, START_MS + DAY_MS) != 0);
    assert_int_equal(campaign_table_rule(table, &stop, START_MS + DAY_MS), 0); /* twice is once */
    assert_true(look(&one, START_MS + DAY_MS).is_stopped_by_user);
    assert_true(campaign_table_seek(table, &one, &number));
    campaign_table_sketch(table, number, &known);
    assert_memory_equal(&known, &one, sizeof one);
    assert_true(look(&one, START_MS + CAMPAIGN_REPORT_MS - 1).is_stopped);
    assert_false(look(&one, START_MS + CAMPAIGN_REPORT_MS).is_stopped); /* counted from when it was said */
    /* Who stopped it takes it back here, too. */
    assert_true(campaign_table_withdraw(table, &one, TEXT("A@b.test"), START_MS + DAY_MS) != 0);
    assert_false(campaign_table_seek(table, &one, &number));
    /* One that nobody stopped is not forgotten for an end of long ago. */
    count_from(&two, 1, 1, START_MS);
    forget.sketch = stop.sketch = two;
    assert_int_equal(campaign_table_rule(table, &forget, START_MS), 0);
    assert_int_equal(look(&two, START_MS).count, 1);
    assert_true(campaign_table_rule(table, &stop, START_MS) != 0);
    assert_true(campaign_table_rule(table, &forget, START_MS) != 0);
    assert_false(campaign_table_seek(table, &two, &number));
    /* A clock ahead of ours; a stop that is over. */
    stop.time_ms = START_MS + DAY_MS;
    assert_true(campaign_table_rule(table, &stop, START_MS) != 0);
    assert_false(look(&two, START_MS + CAMPAIGN_REPORT_MS).is_stopped);
    stop.sketch = one;
    stop.time_ms = START_MS;
    assert_int_equal(campaign_table_rule(table, &stop, START_MS + CAMPAIGN_REPORT_MS), 0);
}

int main(void)
{
#define ON_EMPTY(name) cmocka_unit_test_setup_teardown(name, begin_empty, end)
    const struct CMUnitTest tests[] = {
        ON_EMPTY(test_distinct_ones_count),
        ON_EMPTY(test_networks),
        ON_EMPTY(test_near_ones_are_one),
        ON_EMPTY(test_what_was_is_forgotten),
        ON_EMPTY(test_one_network_floods),
        ON_EMPTY(test_many_networks_flood),
        ON_EMPTY(test_the_oldest_gives_way),
        ON_EMPTY(test_reports),
        ON_EMPTY(test_no_more_than_came),
        ON_EMPTY(test_a_report_taken_back),
        ON_EMPTY(test_a_report_of_a_file),
        ON_EMPTY(test_stop_and_forget),
        ON_EMPTY(test_rulings),
        ON_EMPTY(test_a_clock_that_is_set_back),
        ON_EMPTY(test_another_reads),
        ON_EMPTY(test_damage),
        ON_EMPTY(test_another_version),
        ON_EMPTY(test_head_of_zeros),
        ON_EMPTY(test_damage_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
