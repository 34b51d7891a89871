/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Files of the quarantine: what is read is what was written, a damaged one is never taken for a message. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zstd.h>

#include "ipc/message_id.h"
#include "ledger/quarantine/quarantine_header.h"
#include "ledger/quarantine/quarantine_store.h"

#define ID (1790000000000ull << 22)

struct bench {
    char path[64];
    int folder, segment;
    struct quarantine_store *store;
    struct recipient recipients[2];
    struct held_recipient held[2];
    struct held_offer offer;
};

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    snprintf(bench->path, sizeof bench->path, "/tmp/vault-test-XXXXXX");
    assert_non_null(mkdtemp(bench->path));
    bench->folder = open(bench->path, O_RDONLY | O_DIRECTORY);
    bench->segment = openat(bench->folder, "segment", O_RDWR | O_CREAT, 0600);
    bench->store = quarantine_store_new(bench->folder);
    bench->recipients[0] =
        (struct recipient){ TEXT("a@example.jp"), TEXT("rfc822;a@example.jp"), NOTIFY_NEVER };
    bench->recipients[1] = (struct recipient){ TEXT("b@example.jp"), TEXT_NONE, 0 };
    bench->held[0] = (struct held_recipient){ 3, HOLD_QUARANTINE, 1, TEXT("by verdict") };
    bench->held[1] = (struct held_recipient){ 7, HOLD_UNDELIVERABLE, 0, TEXT_NONE };
    bench->offer = (struct held_offer){ .id = ID,
                                        .arrived_ms = 5,
                                        .direction = DIRECTION_OUT,
                                        .authenticated = 1,
                                        .content = CONTENT_LONG_LINE,
                                        .prefix_length = 9,
                                        .edits_count = 2,
                                        .edits = { TEXT("none"), TEXT("some\0more") },
                                        .envelope = { .sender = TEXT("s@example.net"),
                                                      .smtputf8 = true,
                                                      .recipient_count = 2,
                                                      .recipients = bench->recipients },
                                        .recipients = bench->held };
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    char command[128];
    quarantine_store_free(bench->store);
    close(bench->segment);
    close(bench->folder);
    snprintf(command, sizeof command, "rm -r %s", bench->path);
    assert_int_equal(system(command), 0);
    free(bench);
    return 0;
}

/* `length` bytes at `offset` of the segment, that do not shrink to nothing. */
static void segment_fill(struct bench *bench, uint64_t offset, uint64_t length)
{
    uint32_t number = 1;
    char *bytes = malloc(length + 1);
    for (uint64_t i = 0; i < length; i++) bytes[i] = (char)((number = number * 1664525 + 1013904223) >> 24);
    assert_int_equal(pwrite(bench->segment, bytes, length, (off_t)offset), length);
    bench->offer.offset = offset;
    bench->offer.length = length;
    free(bytes);
}

static void assert_same(struct bench *bench)
{
    struct stored_message message;
    assert_int_equal(quarantine_store_read(bench->store, ID, &message), QUARANTINE_STORE_DONE);
    char *bytes = malloc(bench->offer.length + 1);
    assert_int_equal(pread(bench->segment, bytes, bench->offer.length, (off_t)bench->offer.offset),
                     bench->offer.length);
    assert_true(text_equal(message.content, text_from(bytes, bench->offer.length)));
    const struct held_offer *facts = &message.facts;
    assert_int_equal(facts->direction, DIRECTION_OUT);
    assert_int_equal(facts->content, CONTENT_LONG_LINE);
    assert_int_equal(facts->prefix_length, 9);
    assert_true(text_equal(facts->edits[1], TEXT("some\0more")));
    assert_true(text_equal(facts->envelope.sender, TEXT("s@example.net")));
    assert_int_equal(facts->envelope.recipients[0].notify, NOTIFY_NEVER);
    assert_int_equal(facts->recipients[1].number, 7);
    stored_message_free(&message);
    free(bytes);
}

static void test_sizes(void **state)
{
    struct bench *bench = *state;
    static const uint64_t sizes[] = { 9, 4096, 131072, 131073, 3000000 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint64_t bytes = 0;
        segment_fill(bench, 4096 * i, sizes[i]);
        assert_int_equal(
            quarantine_store_write(bench->store, &bench->offer, TEXT("about"), bench->segment, &bytes),
            QUARANTINE_STORE_DONE);
        assert_true(quarantine_store_sync(bench->store));
        assert_int_equal(quarantine_store_file_bytes(bench->store, ID), bytes);
        assert_same(bench);
    }
    struct stat facts;
    char name[128], id[MESSAGE_ID_SIZE];
    snprintf(name, sizeof name, "20260921/%s.zst", message_id_print(ID, id));
    assert_int_equal(fstatat(bench->folder, name, &facts, 0), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
}

/* More than are kept open, and one of them twice: they have their names after the sync, and not before. */
static void test_many(void **state)
{
    enum { MANY = 70 };
    struct bench *bench = *state;
    uint64_t bytes;
    segment_fill(bench, 0, 300);
    bench->offer.id = ID + MANY - 1;
    for (int i = 0; i <= MANY; i++) {
        assert_int_equal(
            quarantine_store_write(bench->store, &bench->offer, TEXT("about"), bench->segment, &bytes),
            QUARANTINE_STORE_DONE);
        bench->offer.id = ID + (uint64_t)i;
    }
    bench->offer.id = ID;
    assert_int_not_equal(quarantine_store_file_bytes(bench->store, ID + MANY - 1), 0);
    assert_int_equal(quarantine_store_file_bytes(bench->store, ID + MANY - 2), 0);
    assert_true(quarantine_store_sync(bench->store));
    for (uint64_t i = 0; i < MANY; i++)
        assert_int_not_equal(quarantine_store_file_bytes(bench->store, ID + i), 0);
    assert_same(bench);
}

/* What is lost before the sync is told of by the sync, though others came behind it. */
static void test_lost_before_sync(void **state)
{
    struct bench *bench = *state;
    uint64_t bytes;
    char name[128], id[MESSAGE_ID_SIZE];
    segment_fill(bench, 0, 300);
    assert_int_equal(
        quarantine_store_write(bench->store, &bench->offer, TEXT("about"), bench->segment, &bytes),
        QUARANTINE_STORE_DONE);
    snprintf(name, sizeof name, "20260921/%s.tmp", message_id_print(ID, id));
    assert_int_equal(unlinkat(bench->folder, name, 0), 0);
    assert_int_equal(
        quarantine_store_write(bench->store, &bench->offer, TEXT("about"), bench->segment, &bytes),
        QUARANTINE_STORE_FAILED);
    bench->offer.id = ID + 1;
    assert_int_equal(
        quarantine_store_write(bench->store, &bench->offer, TEXT("about"), bench->segment, &bytes),
        QUARANTINE_STORE_DONE);
    assert_false(quarantine_store_sync(bench->store));
    assert_true(quarantine_store_sync(bench->store));
}

/* A folder that cannot be synced, though it is not the last one. */
static void test_lost_among_days(void **state)
{
    enum { DAYS = 40 };
    static const uint64_t day = 86400ull * 1000 << 22;
    struct bench *bench = *state;
    uint64_t bytes;
    segment_fill(bench, 0, 300);
    assert_true(quarantine_store_keep(bench->store, ID - day)); /* there is no such folder */
    for (uint64_t i = 0; i < DAYS; i++) {
        bench->offer.id = ID + i * day;
        quarantine_store_write(bench->store, &bench->offer, TEXT("about"), bench->segment, &bytes);
    }
    assert_false(quarantine_store_sync(bench->store));
    assert_true(quarantine_store_keep(bench->store, ID));
    assert_true(quarantine_store_sync(bench->store));
    assert_true(quarantine_store_keep(bench->store, ID - day));
    assert_false(quarantine_store_sync(bench->store));
}

static void test_short_segment(void **state)
{
    struct bench *bench = *state;
    uint64_t bytes;
    segment_fill(bench, 0, 5000);
    bench->offer.length = 6000;
    assert_int_equal(
        quarantine_store_write(bench->store, &bench->offer, TEXT("about"), bench->segment, &bytes),
        QUARANTINE_STORE_FAILED);
    assert_int_equal(quarantine_store_file_bytes(bench->store, ID), 0);
}

/* Each byte changed, each end cut off. */
static void test_damage(void **state)
{
    struct bench *bench = *state;
    struct stored_message message;
    uint64_t bytes;
    char name[128], id[MESSAGE_ID_SIZE];
    segment_fill(bench, 0, 300);
    assert_int_equal(
        quarantine_store_write(bench->store, &bench->offer, TEXT("about"), bench->segment, &bytes),
        QUARANTINE_STORE_DONE);
    assert_true(quarantine_store_sync(bench->store));
    snprintf(name, sizeof name, "20260921/%s.zst", message_id_print(ID, id));
    int fd = openat(bench->folder, name, O_RDWR);
    for (uint64_t i = 0; i < bytes; i++) {
        char byte, other;
        assert_int_equal(pread(fd, &byte, 1, (off_t)i), 1);
        other = (char)(byte ^ 0x10);
        assert_int_equal(pwrite(fd, &other, 1, (off_t)i), 1);
        enum quarantine_store_outcome outcome = quarantine_store_read(bench->store, ID, &message);
        if (outcome ==
            QUARANTINE_STORE_DONE) { /* a bit of the frame's header that says nothing of the content */
            stored_message_free(&message);
            assert_same(bench);
        }
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)i), 1);
    }
    assert_same(bench);
    for (uint64_t length = bytes; length-- > 0;) {
        assert_int_equal(ftruncate(fd, (off_t)length), 0);
        assert_int_equal(quarantine_store_read(bench->store, ID, &message), QUARANTINE_STORE_DAMAGED);
    }
    close(fd);
    assert_int_equal(quarantine_store_read(bench->store, ID + 1, &message), QUARANTINE_STORE_FAILED);
}

static void one_seen(void *context, uint64_t id)
{
    *(uint64_t *)context += id - ID + 1;
}

/* A file without a note, with one, a note alone, and what was never finished. */
static void test_walk(void **state)
{
    struct bench *bench = *state;
    uint64_t bytes, seen = 0;
    struct buffer note = { 0 };
    char name[128], id[MESSAGE_ID_SIZE];
    segment_fill(bench, 0, 300);
    for (bench->offer.id = ID; bench->offer.id < ID + 2; bench->offer.id++)
        assert_int_equal(
            quarantine_store_write(bench->store, &bench->offer, TEXT("about"), bench->segment, &bytes),
            QUARANTINE_STORE_DONE);
    assert_true(quarantine_store_note_write(bench->store, ID + 1, TEXT("what became of it")));
    assert_true(quarantine_store_note_write(bench->store, ID + 2, TEXT("of a file that is gone")));
    snprintf(name, sizeof name, "20260921/%s.tmp", message_id_print(ID + 3, id));
    close(openat(bench->folder, name, O_WRONLY | O_CREAT, 0600));
    quarantine_store_walk(bench->store, one_seen, &seen);
    assert_int_equal(seen, 1 + 2);
    assert_int_not_equal(faccessat(bench->folder, name, F_OK, 0), 0);
    assert_false(quarantine_store_note_read(bench->store, ID, &note));
    assert_false(quarantine_store_note_read(bench->store, ID + 2, &note));
    assert_true(quarantine_store_note_read(bench->store, ID + 1, &note));
    assert_true(text_equal(buffer_text(&note), TEXT("what became of it")));
    buffer_free(&note);
    assert_true(quarantine_store_note_write(bench->store, ID + 1, TEXT_NONE));
    assert_false(quarantine_store_note_read(bench->store, ID + 1, &note));
    assert_true(quarantine_store_note_write(bench->store, ID + 1, TEXT("again")));
    assert_true(quarantine_store_remove(bench->store, ID + 1));
    assert_false(quarantine_store_note_read(bench->store, ID + 1, &note));
}

static void assert_facts(struct bench *bench, struct text about)
{
    struct stored_message message;
    assert_int_equal(quarantine_store_read_facts(bench->store, ID, &message), QUARANTINE_STORE_DONE);
    assert_true(text_equal(message.about, about));
    assert_true(text_equal(message.facts.envelope.recipients[1].address, TEXT("b@example.jp")));
    assert_int_equal(message.content.length, 0);
    stored_message_free(&message);
}

/* Large, so that it is not read to its end. */
static void test_facts_alone(void **state)
{
    struct bench *bench = *state;
    uint64_t bytes;
    segment_fill(bench, 0, 3000000);
    assert_int_equal(
        quarantine_store_write(bench->store, &bench->offer, TEXT("about"), bench->segment, &bytes),
        QUARANTINE_STORE_DONE);
    assert_true(quarantine_store_sync(bench->store));
    char name[128], id[MESSAGE_ID_SIZE];
    snprintf(name, sizeof name, "20260921/%s.zst", message_id_print(ID, id));
    int fd = openat(bench->folder, name, O_RDWR);
    assert_int_equal(ftruncate(fd, 1000000), 0);
    close(fd);
    assert_facts(bench, TEXT("about"));
}

/* As files were before they said anything about the message. */
static void test_first_version(void **state)
{
    struct bench *bench = *state;
    struct buffer facts = { 0 }, file = { 0 };
    char packed[4096], name[128], id[MESSAGE_ID_SIZE], content[300];
    segment_fill(bench, 0, sizeof content);
    assert_int_equal(pread(bench->segment, content, sizeof content, 0), sizeof content);
    held_offer_put(&bench->offer, &facts);
    put_u8(&file, 1);
    put_text(&file, buffer_text(&facts));
    buffer_add(&file, content, sizeof content);
    size_t length = ZSTD_compress(packed, sizeof packed, buffer_text(&file).at, buffer_length(&file), 3);
    assert_false(ZSTD_isError(length));
    assert_int_equal(mkdirat(bench->folder, "20260921", 0700), 0);
    snprintf(name, sizeof name, "20260921/%s.zst", message_id_print(ID, id));
    int fd = openat(bench->folder, name, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, packed, length), length);
    close(fd);
    assert_facts(bench, TEXT_NONE);
    assert_same(bench);
    buffer_free(&facts);
    buffer_free(&file);
}

static void test_removing(void **state)
{
    struct bench *bench = *state;
    uint64_t bytes;
    segment_fill(bench, 0, 300);
    for (bench->offer.id = ID; bench->offer.id < ID + 4; bench->offer.id++)
        assert_int_equal(
            quarantine_store_write(bench->store, &bench->offer, TEXT("about"), bench->segment, &bytes),
            QUARANTINE_STORE_DONE);
    assert_true(quarantine_store_sync(bench->store));
    assert_true(quarantine_store_remove(bench->store, ID));
    assert_true(quarantine_store_remove(bench->store, ID + 2));
    assert_int_equal(quarantine_store_file_bytes(bench->store, ID), 0);
    assert_int_not_equal(quarantine_store_file_bytes(bench->store, ID + 1), 0);
    assert_true(quarantine_store_remove(bench->store, ID + 1));
    assert_true(quarantine_store_remove(bench->store, ID + 1));
    assert_int_equal(faccessat(bench->folder, "20260921", F_OK, 0), 0);
    assert_true(quarantine_store_remove(bench->store, ID + 3));
    assert_int_not_equal(faccessat(bench->folder, "20260921", F_OK, 0), 0); /* with its last file */
}

/* What is cut off anywhere is no note, and nothing of it is believed. */
static void test_header(void **state)
{
    struct arena *arena = arena_new(0);
    struct buffer bytes = { 0 };
    enum held_class classes[] = { HELD_SPAM, HELD_UNDELIVERABLE };
    struct quarantine_header about = { .stored_ms = 7,
                                       .classes = classes,
                                       .count = 2,
                                       .message = { .id = ID } },
                             back;
    about.message.time_ms = 5;
    about.message.judgement.is_judged = true;
    about.message.judgement.class = CLASS_SPAM;
    about.message.judgement.subject = TEXT("a subject");
    quarantine_header_put(&about, &bytes);
    assert_true(quarantine_header_get(arena, buffer_text(&bytes), &back));
    assert_int_equal(back.stored_ms, 7);
    assert_int_equal(back.classes[1], HELD_UNDELIVERABLE);
    assert_true(back.message.id == ID);
    assert_true(text_equal(back.message.judgement.subject, TEXT("a subject")));
    for (size_t length = 0; length < buffer_length(&bytes); length++)
        assert_false(quarantine_header_get(arena, text_slice(buffer_text(&bytes), 0, length), &back));
    buffer_clear(&bytes);
    struct held_row items[] = {
        { .number = 3, .class = HELD_VIRUS, .state = HELD_RELEASING, .release = ID + 1 },
        { .number = 9, .class = HELD_SPAM, .state = HELD_DELETED, .by = TEXT("x") }
    };
    struct held_rows rows = { items, 2 }, found;
    quarantine_rows_put(&rows, &bytes);
    assert_true(quarantine_rows_get(arena, buffer_text(&bytes), ID, &found));
    assert_int_equal(found.count, 2);
    assert_true(found.items[0].release == ID + 1 && found.items[0].message == ID);
    assert_int_equal(found.items[1].state, HELD_DELETED);
    assert_true(text_equal(found.items[1].by, TEXT("x")));
    for (size_t length = 0; length < buffer_length(&bytes); length++)
        assert_false(quarantine_rows_get(arena, text_slice(buffer_text(&bytes), 0, length), ID, &found));
    items[0].state = HELD_STATES;
    buffer_clear(&bytes);
    quarantine_rows_put(&rows, &bytes);
    assert_false(quarantine_rows_get(arena, buffer_text(&bytes), ID, &found));
    buffer_free(&bytes);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sizes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lost_before_sync, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lost_among_days, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_short_segment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_removing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_walk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_facts_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_first_version, set_up, tear_down),
        cmocka_unit_test(test_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
