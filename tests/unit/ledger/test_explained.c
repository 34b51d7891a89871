/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Explanations from the ring to the day's file and back: bounded, cut anywhere, damaged, without room, and
   forgotten day by day. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc/message_id.h"
#include "ledger/ingest.h"

#define DAY_MS EXPLAINED_DAY_MS
#define NOW_MS (UINT64_C(20000) * DAY_MS + 5000)

struct bench {
    char folder[64];
    struct config config;
    struct explained_store *store;
};

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    snprintf(bench->folder, sizeof bench->folder, "/tmp/explained-test-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    bench->config.ledger.explanations_ms = 2 * DAY_MS;
    bench->store = explained_store_new(bench->folder);
    explained_store_set_config(bench->store, &bench->config);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    char command[128];
    explained_store_free(bench->store);
    snprintf(command, sizeof command, "rm -r %s", bench->folder);
    assert_int_equal(system(command), 0);
    free(bench);
    return 0;
}

static uint64_t id_at(uint64_t ms)
{
    struct message_id_source source = { 0 };
    return message_id_next(&source, ms);
}

static void event_make(uint64_t id, struct text evidence, struct buffer *out)
{
    struct buffer record = { 0 };
    const struct explanation explanation = { .id = id,
                                             .score = 7.5,
                                             .signal_count = 1,
                                             .signals = { { TEXT("GTUBE"), 7.5 } },
                                             .evidence_version = evidence.length ? EVIDENCE_VERSION : 0,
                                             .evidence = evidence };
    explanation_put(&explanation, &record);
    explanation_event_put(buffer_text(&record), out);
    buffer_free(&record);
}

static void add(struct bench *bench, uint64_t id, struct text evidence)
{
    struct buffer event = { 0 };
    event_make(id, evidence, &event);
    assert_true(explained_store_add(bench->store, buffer_text(&event)));
    buffer_free(&event);
}

static uint64_t file_bytes(const struct bench *bench, uint64_t ms)
{
    char path[200], name[EXPLAINED_NAME_SIZE];
    struct stat facts;
    snprintf(path, sizeof path, "%s/%s", bench->folder, explained_name(ms, name));
    return stat(path, &facts) == 0 ? (uint64_t)facts.st_size : 0;
}

static bool find(const struct bench *bench, uint64_t id, struct explanation *out)
{
    static struct buffer record;
    buffer_clear(&record);
    enum explained_outcome outcome = explained_find(bench->folder, id, &record);
    assert_int_not_equal(outcome, EXPLAINED_FAILED);
    return outcome == EXPLAINED_FOUND && explanation_get(buffer_text(&record), out) && out->id == id;
}

static void test_kept_and_found(void **state)
{
    struct bench *bench = *state;
    struct explanation found;
    uint64_t late = id_at(NOW_MS + DAY_MS - 5001); /* judged behind midnight */
    for (uint64_t i = 0; i < 100; i++) add(bench, id_at(NOW_MS + i), TEXT("evidence"));
    assert_false(find(bench, id_at(NOW_MS), &found));
    explained_store_write(bench->store, NOW_MS, 1);
    add(bench, late, TEXT_NONE);
    explained_store_write(bench->store, NOW_MS + DAY_MS, 2);
    for (uint64_t i = 0; i < 100; i++) assert_true(find(bench, id_at(NOW_MS + i), &found));
    assert_true(text_equal(found.evidence, TEXT("evidence")) && found.score == 7.5);
    assert_true(find(bench, late, &found));
    assert_false(find(bench, id_at(NOW_MS + 200), &found));
    assert_true(file_bytes(bench, NOW_MS) < 3000 && file_bytes(bench, NOW_MS + DAY_MS) > 0);
    assert_int_equal(explained_store_counts(bench->store, 2).kept, 101);
    /* a batch that failed comes again */
    add(bench, id_at(NOW_MS + 300), TEXT_NONE);
    explained_store_again(bench->store);
    explained_store_write(bench->store, NOW_MS, 3);
    assert_false(find(bench, id_at(NOW_MS + 300), &found));
}

/* Whatever scan says of a message. */
static void test_a_message_has_its_bound(void **state)
{
    struct bench *bench = *state;
    struct explanation found;
    static char noise[6 * 1024];
    for (size_t i = 0; i < sizeof noise; i++) noise[i] = (char)random();
    add(bench, id_at(NOW_MS), text_from(noise, sizeof noise));
    explained_store_write(bench->store, NOW_MS, 1);
    assert_true(file_bytes(bench, NOW_MS) <= EXPLANATION_STORED_MOST);
    assert_true(find(bench, id_at(NOW_MS), &found));
    assert_int_equal(found.evidence_version, 0);
    memset(noise, 'x', sizeof noise);
    add(bench, id_at(NOW_MS + 1), text_from(noise, sizeof noise));
    explained_store_write(bench->store, NOW_MS, 1);
    assert_true(find(bench, id_at(NOW_MS + 1), &found) && found.evidence.length == sizeof noise);
    struct buffer event = { 0 };
    put_u8(&event, EVENT_EXPLAINED);
    assert_false(explained_store_add(bench->store, buffer_text(&event)));
    put_text(&event, text_from(noise, sizeof noise));
    assert_false(explained_store_add(bench->store, buffer_text(&event)));
    buffer_free(&event);
}

static struct text file_of(const struct bench *bench, char *room, size_t size)
{
    char path[200], name[EXPLAINED_NAME_SIZE];
    snprintf(path, sizeof path, "%s/%s", bench->folder, explained_name(NOW_MS, name));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = read(fd, room, size);
    close(fd);
    assert_true(got > 0);
    return text_from(room, (size_t)got);
}

static unsigned walk(struct text bytes)
{
    struct explained_walk walk;
    struct explanation found;
    unsigned count = 0;
    explained_walk_begin(&walk, bytes, 0);
    while (explained_walk_next(&walk, &found)) count++;
    explained_walk_end(&walk);
    return count;
}

static void test_damage_costs_its_frame(void **state)
{
    struct bench *bench = *state;
    char room[4000];
    for (unsigned frame = 0; frame < 3; frame++) {
        add(bench, id_at(NOW_MS + frame), TEXT("evidence"));
        explained_store_write(bench->store, NOW_MS, 1);
    }
    struct text bytes = file_of(bench, room, sizeof room);
    assert_int_equal(walk(bytes), 3);
    for (size_t length = 0; length < bytes.length; length++)
        if (walk(text_slice(bytes, 0, length)) > 2) fail_msg("cut at %zu", length);
    for (size_t i = 0; i < bytes.length; i++) {
        room[i] ^= 0x55;
        if (walk(bytes) != 2) fail_msg("%u of 3 with byte %zu wrong", walk(bytes), i);
        room[i] ^= 0x55;
    }
}

static void test_no_room(void **state)
{
    struct bench *bench = *state;
    struct explanation found;
    bench->config.queue.free_bytes = UINT64_MAX / 4;
    for (uint64_t i = 0; i < 3; i++) add(bench, id_at(NOW_MS + i), TEXT_NONE);
    explained_store_write(bench->store, NOW_MS, 1000);
    struct explained_counts counts = explained_store_counts(bench->store, 1000);
    assert_true(counts.is_dropping && counts.dropped == 3 && counts.kept == 0);
    assert_false(find(bench, id_at(NOW_MS), &found));
    bench->config.queue.free_bytes = 0;
    add(bench, id_at(NOW_MS + 9), TEXT_NONE);
    explained_store_write(bench->store, NOW_MS, 2000);
    assert_true(find(bench, id_at(NOW_MS + 9), &found));
    assert_false(explained_store_counts(bench->store, 1001 + EXPLAINED_DROPPING_MS).is_dropping);
}

static void test_days_are_forgotten(void **state)
{
    struct bench *bench = *state;
    for (uint64_t day = 0; day < 4; day++) {
        add(bench, id_at(NOW_MS + day * DAY_MS), TEXT_NONE);
        explained_store_write(bench->store, NOW_MS + day * DAY_MS, 1);
    }
    explained_store_forget(bench->store, NOW_MS + 3 * DAY_MS);
    for (uint64_t day = 0; day < 4; day++)
        assert_int_equal(file_bytes(bench, NOW_MS + day * DAY_MS) > 0, day > 0);
    bench->config.ledger.explanations_ms = 0;
    add(bench, id_at(NOW_MS), TEXT_NONE);
    explained_store_write(bench->store, NOW_MS, 1);
    explained_store_forget(bench->store, NOW_MS + 3 * DAY_MS);
    for (uint64_t day = 0; day < 4; day++) assert_int_equal(file_bytes(bench, NOW_MS + day * DAY_MS), 0);
}

static void test_names(void **state)
{
    char room[EXPLAINED_NAME_SIZE];
    uint64_t ms;
    assert_string_equal(explained_name(NOW_MS, room), "explained.20241004");
    assert_true(explained_name_read(room, &ms) && ms == NOW_MS - 5000);
    static const char *const bad[] = { "explained.",
                                       "explained.2024100",
                                       "explained.20241332",
                                       "explained.20241004x",
                                       "ledger.db",
                                       "explained.99999999",
                                       "" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(explained_name_read(bad[i], &ms));
}

/* They take a quarter of the ring, and what the account is made of has the rest. */
static void test_through_the_ring(void **state)
{
    struct bench *bench = *state;
    struct explanation found;
    int fd = memfd_create("ring", MFD_CLOEXEC);
    struct ring *ring = ring_map(fd);
    struct loop *loop = loop_new();
    struct ingest *ingest = ingest_new(loop, bench->folder);
    struct buffer event = { 0 };
    ingest_add_ring(ingest, ring_map(fd), 5);
    ingest_set_config(ingest, &bench->config, NULL);
    ingest_start(ingest);
    uint64_t now = loop_wall_ms(loop), told = 0;
    for (;; told++) {
        buffer_clear(&event);
        event_make(id_at(now + told), TEXT("evidence"), &event);
        if (!ring_append_spare(ring, buffer_text(&event))) break;
    }
    assert_true(ring_fill_percent(ring) <= 25 && ring_lost_spare(ring) == 1 && ring_lost(ring) == 0);
    while (ingest_poll(ingest)) continue;
    struct explained_counts counts = ingest_explained(ingest);
    assert_true(counts.kept == told && counts.dropped == 1);
    assert_true(find(bench, id_at(now), &found) && find(bench, id_at(now + told - 1), &found));
    struct ingest_counts all;
    ingest_counts(ingest, &all);
    assert_true(all.malformed == 0 && all.lost.events == 0);
    buffer_clear(&event);
    put_u8(&event, EVENT_EXPLAINED);
    assert_true(ring_append(ring, buffer_text(&event)));
    ingest_poll(ingest);
    ingest_counts(ingest, &all);
    assert_int_equal(all.malformed, 1);
    ingest_free(ingest);
    loop_free(loop);
    ring_unmap(ring);
    close(fd);
    buffer_free(&event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kept_and_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_message_has_its_bound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damage_costs_its_frame, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_days_are_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_through_the_ring, set_up, tear_down),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
