/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The journal keeps what it acknowledged: through reopening, cuts, flipped bits, failed syncs, a full disk.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ipc/ask_queue.h"
#include "ipc/event.h"
#include "queue/journal/crc32c.h"
#include "rig.h"

enum { SEGMENT = 64 * 1024 };

static void assert_counts_agree(const struct rig *rig)
{
    struct queue_counters counters = journal_counters(rig->journal);
    uint64_t ended = 0;
    for (int i = 0; i < 8; i++) ended += counters.ended[i];
    assert_int_equal(counters.accepted, ended + counters.live);
    assert_int_equal(counters.messages_live, rig->message_index->count);
}

static void commit(struct rig *rig)
{
    assert_int_equal(journal_commit(rig->journal), COMMIT_DONE);
}

static void test_checksum(void **state)
{
    assert_int_equal(crc32c(0, TEXT("123456789")), 0xE3069283);
    char bytes[300];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * 37);
    for (size_t from = 0; from < 9; from++)
        for (size_t length = 0; length < sizeof bytes - 9; length++) {
            struct text text = text_from(bytes + from, length);
            assert_int_equal(crc32c(77, text), crc32c_by_table(77, text));
        }
}

static void test_kept_survives(void **state)
{
    struct rig rig;
    rig_make(&rig, SEGMENT);
    assert_true(rig_open(&rig, NULL));
    for (uint64_t id = 1; id <= 10; id++) {
        rig_keep(&rig, id, 3, 0);
        if (id % 3 == 0)
            commit(&rig);
        else
            assert_false(message_index_was_kept(rig.message_index, id));
    }
    commit(&rig);
    for (int round = 0; round < 4; round++) { /* by records first, then by index */
        if (round == 2) rig_seal(&rig);
        rig_close(&rig);
        assert_true(rig_open(&rig, NULL));
        assert_int_equal(rig.found.torn + rig.found.damaged, 0);
        assert_int_equal(rig.found.messages, 10);
        assert_int_equal(rig.found.records, round < 2 ? 10 : 1); /* of what came and went to seal it */
        for (uint64_t id = 1; id <= 10; id++) assert_true(rig_is_whole(&rig, id));
        assert_true(message_index_was_kept(rig.message_index, 7));
        assert_false(message_index_was_kept(rig.message_index, 11));
        assert_counts_agree(&rig);
    }
    rig_free(&rig);
}

static void change_hold(struct rig *rig, struct message *message, uint32_t number, uint8_t hold)
{
    struct changed_recipient changed = { number, 0, hold, 0 };
    struct change change = { .count = 1, .recipients = &changed, .reply = TEXT("virus") };
    journal_change(rig->journal, hold ? RECORD_HOLD : RECORD_RELEASE, message, &change);
}

static void assert_changes_hold(struct rig *rig)
{
    assert_null(message_index_find(rig->message_index, 1));
    assert_true(message_index_was_kept(rig->message_index, 1));
    struct message *deferred = message_index_find(rig->message_index, 2);
    assert_non_null(deferred);
    assert_int_equal(deferred->due_ms, 777);
    assert_int_equal(deferred->recipients[1].attempts, 2);
    struct text reason = string_pool_text(rig->message_index->reasons, deferred->recipients[0].reason);
    assert_true(text_equal(reason, TEXT("451 later")));
    struct message *held = message_index_find(rig->message_index, 3);
    assert_non_null(held);
    assert_int_equal(held->recipients[0].hold, HOLD_QUARANTINE);
    assert_int_equal(held->recipients[1].hold, HOLD_NONE);
    assert_int_equal(message_held(held), 1);
    struct queue_counters counters = journal_counters(rig->journal);
    assert_int_equal(counters.held, 1);
    assert_int_equal(counters.live, 4);
    assert_int_equal(counters.ended[ENDING_DELIVERED], 2);
    assert_counts_agree(rig);
}

static void test_changes_survive(void **state)
{
    struct rig rig;
    rig_make(&rig, SEGMENT);
    assert_true(rig_open(&rig, NULL));
    for (uint64_t id = 1; id <= 3; id++) rig_keep(&rig, id, 2, 0);
    commit(&rig);
    rig_end(&rig, message_index_find(rig.message_index, 1), ENDING_DELIVERED);
    rig_defer(&rig, message_index_find(rig.message_index, 2), 555, "450 soon");
    commit(&rig);
    change_hold(&rig, message_index_find(rig.message_index, 3), 0, HOLD_QUARANTINE);
    change_hold(&rig, message_index_find(rig.message_index, 3), 1, HOLD_ADMIN);
    change_hold(&rig, message_index_find(rig.message_index, 3), 1, HOLD_NONE);
    rig_defer(&rig, message_index_find(rig.message_index, 2), 777, "451 later");
    commit(&rig);
    for (int round = 0; round < 3; round++) {
        assert_changes_hold(&rig);
        if (round == 1) rig_seal(&rig);
        rig_close(&rig);
        assert_true(rig_open(&rig, NULL));
    }
    assert_changes_hold(&rig);
    rig_free(&rig);
}

/* A message whose recipients end one by one in the same batch. */
static void test_ended_in_pieces(void **state)
{
    struct rig rig;
    rig_make(&rig, SEGMENT);
    assert_true(rig_open(&rig, NULL));
    struct message *message = rig_keep(&rig, 1, 3, 0);
    commit(&rig);
    for (uint32_t number = 0; number < 3; number++) {
        struct changed_recipient changed = { number, ENDING_DELIVERED, 0, 1 };
        struct change change = { .count = 1, .recipients = &changed };
        journal_change(rig.journal, RECORD_OUTCOME, message, &change);
    }
    commit(&rig);
    assert_int_equal(rig.message_index->count, 0);
    assert_counts_agree(&rig);
    rig_close(&rig);
    assert_true(rig_open(&rig, NULL));
    assert_int_equal(rig.message_index->count, 0);
    assert_counts_agree(&rig);
    rig_free(&rig);
}

/* Three batches: messages 1 and 2; 3 and 4; 5 and the end of 1. Where each batch begins is block 1, 2, 3. */
static void small_journal(struct rig *rig)
{
    rig_make(rig, SEGMENT);
    assert_true(rig_open(rig, NULL));
    rig_keep(rig, 1, 1, 100);
    rig_keep(rig, 2, 2, 200);
    commit(rig);
    rig_keep(rig, 3, 1, 100);
    rig_keep(rig, 4, 1, 150);
    commit(rig);
    rig_keep(rig, 5, 1, 100);
    rig_end(rig, message_index_find(rig->message_index, 1), ENDING_DELIVERED);
    commit(rig);
    rig_close(rig);
}

static void test_every_truncation(void **state)
{
    struct rig rig, cut;
    small_journal(&rig);
    rig_make(&cut, SEGMENT);
    struct buffer bytes = { 0 };
    rig_file_read(&rig, "00000001.seg", &bytes);
    for (size_t length = 4096; length < 4096 * 4; length += length % 4096 < 1200 || length % 64 ? 1 : 64) {
        rig_files_copy(&rig, &cut);
        rig_file_write(&cut, "00000001.seg", text_slice(buffer_text(&bytes), 0, length));
        assert_true(rig_open(&cut, NULL));
        for (uint64_t id = 1; id <= 5; id++) {
            size_t batch_end = 4096 * (id < 3 ? 2 : id < 5 ? 3 : 4);
            struct message *message = message_index_find(cut.message_index, id);
            if (message) assert_true(rig_is_whole(&cut, id));
            if (length >= batch_end && id != 1) assert_non_null(message);
        }
        assert_int_equal(cut.found.damaged, 0);
        assert_counts_agree(&cut);
        size_t tail = length % 4096;
        if (tail == 1 || tail == 40)
            assert_null(message_index_find(cut.message_index, length < 8192 ? 1 : length < 12288 ? 3 : 5));
        if (tail == 120) assert_int_equal(cut.found.torn, 1);
        rig_close(&cut);
    }
    buffer_free(&bytes);
    rig_free(&cut);
    rig_free(&rig);
}

/* One flipped byte costs at most the record it stands in; in a batch before the last it is damage. */
static void test_every_flip(void **state)
{
    struct rig rig, bad;
    small_journal(&rig);
    rig_make(&bad, SEGMENT);
    struct buffer bytes = { 0 };
    rig_file_read(&rig, "00000001.seg", &bytes);
    unsigned lost_once = 0, alarms = 0;
    for (size_t at = 0; at < 4096 * 4; at += at < 1200 || at % 4096 < 1300 || at % 64 ? 1 : 64) {
        rig_files_copy(&rig, &bad);
        bytes.memory[bytes.start + at] ^= 0x10;
        rig_file_write(&bad, "00000001.seg", buffer_text(&bytes));
        bytes.memory[bytes.start + at] ^= 0x10;
        assert_true(rig_open(&bad, NULL));
        unsigned lost = 0;
        for (uint64_t id = 2; id <= 5; id++) lost += !rig_is_whole(&bad, id);
        if (message_index_find(bad.message_index, 1)) assert_true(rig_is_whole(&bad, 1));
        if (lost) {
            assert_true(lost == 1);
            assert_true(bad.found.damaged + bad.found.torn > 0);
            if (at < 4096 * 3) assert_int_equal(bad.found.damaged, 1);
        }
        if (bad.found.damaged) {
            assert_true(rig_has_file(&bad, "00000001.damaged"));
            assert_false(rig_has_file(&bad, "00000001.seg"));
        }
        lost_once += lost;
        alarms += bad.found.damaged > 0;
        struct queue_counters before = journal_counters(bad.journal);
        rig_close(&bad);
        assert_true(rig_open(&bad, NULL)); /* what was salvaged is whole, and there is no second alarm */
        assert_int_equal(bad.found.damaged, 0);
        assert_int_equal(journal_counters(bad.journal).live, before.live);
        rig_close(&bad);
    }
    assert_true(lost_once > 400 && alarms > 400);
    buffer_free(&bytes);
    rig_free(&bad);
    rig_free(&rig);
}

static void test_failed_sync(void **state)
{
    struct rig rig;
    rig_make(&rig, SEGMENT);
    assert_true(rig_open(&rig, NULL));
    rig_keep(&rig, 1, 1, 0);
    rig_keep(&rig, 2, 1, 0);
    commit(&rig);
    rig_keep(&rig, 3, 1, 0);
    rig_end(&rig, message_index_find(rig.message_index, 1), ENDING_DELIVERED);
    rig.fail_sync_after = 0;
    assert_int_equal(journal_commit(rig.journal), COMMIT_SYNC_FAILED);
    assert_non_null(strstr(journal_error(rig.journal), "00000001"));
    assert_null(message_index_find(rig.message_index, 3));
    assert_false(message_index_was_kept(rig.message_index, 3));
    assert_null(message_index_find(rig.message_index, 1)); /* the change went into the next segment at once */
    assert_false(journal_has_batch(rig.journal));
    rig_keep(&rig, 4, 1, 0);
    commit(&rig);
    assert_counts_agree(&rig);
    for (int round = 0; round < 2; round++) {
        rig_close(&rig);
        assert_true(rig_open(&rig, NULL));
        assert_null(message_index_find(rig.message_index, 1));
        assert_true(rig_is_whole(&rig, 2));
        assert_null(message_index_find(rig.message_index, 3));
        assert_true(rig_is_whole(&rig, 4));
        assert_counts_agree(&rig);
    }
    rig_free(&rig);
}

/* The sync fails, and so does everything that would write the failed segment's index: then the cut says it.
 */
static void test_failed_sync_and_index(void **state)
{
    struct rig rig;
    rig_make(&rig, SEGMENT);
    assert_true(rig_open(&rig, NULL));
    rig_keep(&rig, 1, 1, 0);
    commit(&rig);
    rig_keep(&rig, 2, 1, 0);
    rig.fail_sync_after = 0;
    rig.fault_count = 2;
    assert_int_equal(journal_commit(rig.journal), COMMIT_SYNC_FAILED);
    assert_false(rig_has_file(&rig, "00000001.idx"));
    rig_keep(&rig, 3, 1, 0);
    commit(&rig);
    for (int round = 0; round < 3; round++) {
        rig_close(&rig);
        assert_true(rig_open(&rig, NULL));
        assert_true(rig_is_whole(&rig, 1));
        assert_null(message_index_find(rig.message_index, 2));
        assert_true(rig_is_whole(&rig, 3));
    }
    rig_free(&rig);
}

static void test_outcome_waits_for_a_working_disk(void **state)
{
    struct rig rig;
    rig_make(&rig, SEGMENT);
    assert_true(rig_open(&rig, NULL));
    rig_keep(&rig, 1, 1, 0);
    commit(&rig);
    rig_end(&rig, message_index_find(rig.message_index, 1), ENDING_DELIVERED);
    rig.fail_sync_after = 0;
    rig.fault_count = 1000;
    assert_int_equal(journal_commit(rig.journal), COMMIT_SYNC_FAILED);
    assert_true(journal_has_batch(rig.journal));
    assert_int_not_equal(journal_commit(rig.journal), COMMIT_DONE);
    assert_int_equal(journal_counters(rig.journal).ended[ENDING_DELIVERED], 0);
    rig.fail_sync_after = -1;
    commit(&rig);
    assert_null(message_index_find(rig.message_index, 1));
    assert_int_equal(journal_counters(rig.journal).ended[ENDING_DELIVERED], 1);
    rig_close(&rig);
    assert_true(rig_open(&rig, NULL));
    assert_null(message_index_find(rig.message_index, 1));
    assert_counts_agree(&rig);
    rig_free(&rig);
}

/* The administrator reads whether room is wanting, or the folder. */
static void test_why_full(void **state)
{
    static const int errors[][2] = { { ENOSPC, ENOSPC }, { EDQUOT, ENOSPC }, { ENOENT, ENOENT } };
    for (size_t i = 0; i < 3; i++) {
        struct rig rig;
        rig_make(&rig, SEGMENT);
        assert_true(rig_open(&rig, NULL));
        rig.no_space = true;
        rig.why_no_space = errors[i][0];
        for (uint64_t id = 1; !journal_is_full(rig.journal); id++) {
            assert_true(id < 100);
            rig_keep(&rig, id, 1, 2000);
            journal_commit(rig.journal);
            journal_tidy(rig.journal);
        }
        assert_int_equal(journal_full_error(rig.journal), errors[i][1]);
        rig_free(&rig);
    }
}

static void test_full_disk(void **state)
{
    struct rig rig;
    rig_make(&rig, SEGMENT);
    assert_true(rig_open(&rig, NULL));
    assert_false(journal_is_full(rig.journal));
    rig.free_bytes = 999;
    assert_true(journal_is_full(rig.journal));
    rig.free_bytes = 1000;
    assert_false(journal_is_full(rig.journal));
    uint64_t id = 1;
    rig_keep(&rig, id, 1, 0);
    commit(&rig);
    rig.no_space = true;
    enum commit outcome = COMMIT_DONE;
    while (outcome == COMMIT_DONE) {
        rig_keep(&rig, ++id, 1, 2000);
        outcome = journal_commit(rig.journal);
        assert_true(id < 100);
    }
    assert_int_equal(outcome, COMMIT_DISK_FULL);
    assert_null(message_index_find(rig.message_index, id));
    assert_true(rig_is_whole(&rig, id - 1));
    rig.no_space = false;
    rig_keep(&rig, id, 1, 0);
    commit(&rig);
    rig_close(&rig);
    assert_true(rig_open(&rig, NULL));
    for (uint64_t one = 1; one <= id; one++) assert_true(rig_is_whole(&rig, one));
    assert_counts_agree(&rig);
    rig_free(&rig);
}

/* No file can be made any more: outcomes still find their place, since dead segments become spare. */
static void test_outcomes_on_a_full_disk(void **state)
{
    enum { COUNT = 300 };
    struct rig rig;
    rig_make(&rig, SEGMENT);
    assert_true(rig_open(&rig, NULL));
    for (uint64_t id = 1; id <= COUNT; id++) {
        rig_keep(&rig, id, 1, 3000);
        commit(&rig);
    }
    rig.no_space = true;
    for (uint64_t id = 1; id <= COUNT; id++) {
        rig_end(&rig, message_index_find(rig.message_index, id), ENDING_DELIVERED);
        commit(&rig);
        for (int i = 0; i < 3; i++) journal_tidy(rig.journal);
    }
    assert_int_equal(rig.message_index->count, 0);
    assert_counts_agree(&rig);
    rig_close(&rig);
    assert_true(rig_open(&rig, NULL));
    assert_int_equal(rig.message_index->count, 0);
    assert_counts_agree(&rig);
    rig_free(&rig);
}

/* Fills the journal as far as it lets itself be filled; returns the last id that was kept. */
static uint64_t fill(struct rig *rig)
{
    uint64_t id = 0;
    assert_true(rig_open(rig, NULL));
    for (; id < 100; id++) {
        rig_keep(rig, id + 1, 1, 3000);
        commit(rig);
        while (journal_tidy(rig->journal)) {
        }
    }
    rig->no_space = true;
    enum commit outcome;
    do {
        rig_keep(rig, ++id, 1, 3000);
        outcome = journal_commit(rig->journal);
        journal_tidy(rig->journal);
        assert_true(id < 10000);
    } while (outcome == COMMIT_DONE);
    assert_int_equal(outcome, COMMIT_DISK_FULL);
    return id - 1;
}

static void restart(struct rig *rig, bool in_order)
{
    if (in_order) {
        journal_mark_clean(rig->journal);
        commit(rig);
    }
    rig_close(rig);
    assert_true(rig_open(rig, NULL));
    assert_int_equal(rig->found.torn + rig->found.damaged, 0);
}

/* Whoever filled the disk: a start costs nothing, each outcome has its place, and none comes back. */
static void test_restarts_on_a_full_disk(void **state)
{
    struct rig rig;
    rig_make(&rig, SEGMENT);
    uint64_t last = fill(&rig);
    struct journal_facts before = journal_facts(rig.journal);
    uint64_t room = journal_room(rig.journal);
    assert_true(room >= before.claimed);
    for (int i = 0; i < 20; i++) restart(&rig, i % 2);
    struct journal_facts after = journal_facts(rig.journal);
    assert_int_equal(after.segments, before.segments);
    assert_int_equal(after.spares, before.spares);
    assert_true(room - journal_room(rig.journal) <= 4096); /* one mark of an orderly stop */
    for (uint64_t id = 1; id <= last; id++) {
        assert_true(journal_has_place(rig.journal, journal_outcome_bytes(1, 1)));
        rig_end(&rig, message_index_find(rig.message_index, id), ENDING_DELIVERED);
        commit(&rig);
        if (id % 8 == 0) restart(&rig, id % 16 == 0);
        assert_null(message_index_find(rig.message_index, id));
        assert_counts_agree(&rig);
        if (id % 4 == 0) journal_tidy(rig.journal);
    }
    assert_int_equal(rig.message_index->count, 0);
    rig.no_space = false;
    assert_false(journal_is_full(rig.journal));
    rig_keep(&rig, last + 1, 1, 0);
    commit(&rig);
    assert_true(rig_is_whole(&rig, last + 1));
    rig_free(&rig);
}

/* The journal's last segment by number. */
static void last_segment(const struct rig *rig, char name[16])
{
    uint32_t number = 0;
    for (uint32_t i = 1; i < 1000; i++) {
        snprintf(name, 16, "%08u.seg", i);
        if (rig_has_file(rig, name)) number = i;
    }
    snprintf(name, 16, "%08u.seg", number);
}

/* Outcomes of two messages in one batch, of which the second half is missing afterwards. */
static void tear_outcomes(struct rig *rig, uint64_t first)
{
    char name[16];
    struct buffer before = { 0 }, after = { 0 };
    last_segment(rig, name);
    rig_file_read(rig, name, &before);
    for (uint64_t id = first; id < first + 2; id++)
        rig_end(rig, message_index_find(rig->message_index, id), ENDING_DELIVERED);
    commit(rig);
    rig_close(rig);
    rig_file_read(rig, name, &after);
    char *old = before.memory + before.start, *fresh = after.memory + after.start;
    size_t from = 0, until = buffer_length(&after);
    while (from < until && old[from] == fresh[from]) from++;
    while (until > from && old[until - 1] == fresh[until - 1]) until--;
    size_t middle = (from + (until - from) / 2) / 8 * 8;
    memcpy(fresh + middle, old + middle, until - middle);
    rig_file_write(rig, name, buffer_text(&after));
    buffer_free(&before);
    buffer_free(&after);
}

/* Torn outcomes cost no room either: their blocks are used again, and nothing of them shows up behind. */
static void test_torn_outcomes_on_a_full_disk(void **state)
{
    struct rig rig;
    rig_make(&rig, SEGMENT);
    uint64_t last = fill(&rig);
    restart(&rig, false); /* from here on the last segment is open */
    uint64_t room = journal_room(rig.journal);
    for (int round = 0; round < 12; round++) {
        tear_outcomes(&rig, 1);
        assert_true(rig_open(&rig, NULL));
        assert_int_equal(rig.found.torn, 1);
        assert_int_equal(rig.found.damaged, 0);
        assert_non_null(message_index_find(rig.message_index, 1));
        assert_int_equal(journal_room(rig.journal), room);
        restart(&rig, false);
    }
    for (uint64_t id = 1; id <= last; id++) {
        rig_end(&rig, message_index_find(rig.message_index, id), ENDING_DELIVERED);
        commit(&rig);
        if (id % 10 == 0) restart(&rig, false);
    }
    restart(&rig, true);
    assert_int_equal(rig.message_index->count, 0);
    assert_counts_agree(&rig);
    rig_free(&rig);
}

/* What may wait is not written where only outcomes have room; it holds in memory all the same. */
static void test_deferrals_leave_room(void **state)
{
    struct rig rig;
    rig_make(&rig, SEGMENT);
    fill(&rig);
    assert_true(journal_is_full(rig.journal));
    struct message *message = message_index_find(rig.message_index, 1);
    uint64_t most = journal_room(rig.journal) - journal_facts(rig.journal).claimed;
    assert_true(journal_has_room(rig.journal, most));
    assert_false(journal_has_room(rig.journal, most + 1));
    struct changed_recipient changed = { 0, 0, 0, 3 };
    struct change change = { .due_ms = 99, .count = 1, .recipients = &changed, .reply = TEXT("450 busy") };
    journal_change_in_memory(rig.journal, message, &change);
    assert_false(journal_has_batch(rig.journal));
    assert_int_equal(message->due_ms, 99);
    assert_int_equal(message->recipients[0].attempts, 3);
    rig_free(&rig);
}

static void test_tidy_keeps_the_folder_small(void **state)
{
    struct rig rig;
    rig_make(&rig, SEGMENT);
    assert_true(rig_open(&rig, NULL));
    rig_keep(&rig, 1, 1, 0);
    rig_keep(&rig, 2, 2, 0);
    commit(&rig);
    for (uint64_t id = 3; id < 3000; id++) {
        struct message *message = rig_keep(&rig, id, 1, 3000);
        commit(&rig);
        if (id % 50 == 0) rig_defer(&rig, message_index_find(rig.message_index, 1), id, "busy");
        rig_end(&rig, message, ENDING_DELIVERED);
        commit(&rig);
        for (int i = 0; i < 5 && journal_tidy(rig.journal); i++) {
        }
    }
    struct journal_facts facts = journal_facts(rig.journal);
    assert_true(facts.segments < 10);
    assert_true(facts.recycled > 100);
    assert_true(facts.compacted > 3);
    assert_true(rig_is_whole(&rig, 1) && rig_is_whole(&rig, 2));
    assert_counts_agree(&rig);
    rig_close(&rig);
    assert_true(rig_open(&rig, NULL));
    assert_int_equal(rig.message_index->count, 2);
    assert_true(rig_is_whole(&rig, 1) && rig_is_whole(&rig, 2));
    assert_int_equal(message_index_find(rig.message_index, 1)->due_ms, 2950);
    assert_true(message_index_was_kept(rig.message_index, 2999));
    assert_counts_agree(&rig);
    rig_free(&rig);
}

/* A segment that deliver reads from stays, however dead. */
static void test_used_segment_stays(void **state)
{
    struct rig rig;
    rig_make(&rig, SEGMENT);
    assert_true(rig_open(&rig, NULL));
    struct message *first = rig_keep(&rig, 1, 1, 0);
    commit(&rig);
    uint32_t number = first->segment;
    journal_segment_use(rig.journal, number, 1);
    rig_end(&rig, first, ENDING_DELIVERED);
    for (uint64_t id = 2; id < 300; id++) {
        struct message *message = rig_keep(&rig, id, 1, 3000);
        commit(&rig);
        rig_end(&rig, message, ENDING_DELIVERED);
        commit(&rig);
        while (journal_tidy(rig.journal)) {
        }
    }
    assert_true(journal_segment_fd(rig.journal, number) >= 0);
    journal_segment_use(rig.journal, number, -1);
    while (journal_tidy(rig.journal)) {
    }
    assert_int_equal(journal_segment_fd(rig.journal, number), -1);
    rig_free(&rig);
}

static void test_large_message(void **state)
{
    struct rig rig;
    rig_make(&rig, SEGMENT);
    assert_true(rig_open(&rig, NULL));
    struct lead_recipient recipient = { .domain = TEXT("d.example") };
    struct lead lead = {
        .recipient_count = 1, .recipients = &recipient, .edits_count = 1, .envelope = TEXT("envelope")
    };
    struct buffer body = { 0 };
    rig_body(9, 300000, &body);
    rig_keep(&rig, 8, 1, 0);
    assert_non_null(journal_keep(rig.journal, 9, &lead, TEXT(""), buffer_text(&body)));
    rig_keep(&rig, 10, 1, 0);
    commit(&rig);
    buffer_free(&body);
    rig_close(&rig);
    assert_true(rig_open(&rig, NULL));
    for (uint64_t id = 8; id <= 10; id++) assert_true(rig_is_whole(&rig, id));
    rig_free(&rig);
}

struct told {
    unsigned messages, changes;
};

static void told_message(void *context, uint64_t id, const struct lead *lead, uint64_t size)
{
    ((struct told *)context)->messages++;
    assert_true(size > 0 && lead->recipient_count == 1);
}

static void told_change(void *context, enum record_type type, uint64_t id, const struct change *change)
{
    ((struct told *)context)->changes++;
    assert_true(text_equal(change->reply, TEXT("ok")));
}

static void test_told_again_until_the_clean_mark(void **state)
{
    static const struct {
        bool is_clean;
        unsigned messages, changes;
    } rows[] = { { true, 0, 0 }, { false, 2, 1 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig rig;
        rig_make(&rig, SEGMENT);
        assert_true(rig_open(&rig, NULL));
        rig_keep(&rig, 1, 1, 0);
        rig_keep(&rig, 2, 1, 0);
        commit(&rig);
        rig_end(&rig, message_index_find(rig.message_index, 1), ENDING_DELIVERED);
        if (rows[i].is_clean) journal_mark_clean(rig.journal);
        commit(&rig);
        rig_close(&rig);
        struct told told = { 0 };
        struct journal_listener listener = { &told, told_message, told_change };
        assert_true(rig_open(&rig, &listener));
        assert_int_equal(rig.found.was_clean, rows[i].is_clean);
        assert_int_equal(told.messages, rows[i].messages);
        assert_int_equal(told.changes, rows[i].changes);
        rig_free(&rig);
    }
}

static void test_foreign_files(void **state)
{
    struct rig rig;
    small_journal(&rig);
    rig_file_write(&rig, "00000007.seg", TEXT("no segment at all"));
    rig_file_write(&rig, "00000001.tmp", TEXT("half an index"));
    rig_file_write(&rig, "00000001.idx", TEXT("not an index"));
    rig_file_write(&rig, "spare-00000002.tmp", TEXT("short"));
    rig_file_write(&rig, "README", TEXT("left alone"));
    assert_true(rig_open(&rig, NULL));
    assert_int_equal(rig.found.damaged, 1);
    assert_true(rig_has_file(&rig, "00000007.damaged"));
    assert_false(rig_has_file(&rig, "00000001.tmp"));
    assert_false(rig_has_file(&rig, "spare-00000002.tmp"));
    assert_true(rig_has_file(&rig, "README"));
    for (uint64_t id = 2; id <= 5; id++) assert_true(rig_is_whole(&rig, id));
    rig_free(&rig);
}

/* A journal of a later version is left as it is, and the start is refused with a reason. */
static void test_another_version(void **state)
{
    struct rig rig;
    small_journal(&rig);
    struct buffer bytes = { 0 };
    rig_file_read(&rig, "00000001.seg", &bytes);
    bytes.memory[bytes.start + 8] = 2;
    bytes.memory[bytes.start + 2048 + 8] = 2;
    rig_file_write(&rig, "00000001.seg", buffer_text(&bytes));
    assert_false(rig_open(&rig, NULL));
    assert_non_null(strstr(rig.error, "another version"));
    assert_true(rig_has_file(&rig, "00000001.seg"));
    buffer_free(&bytes);
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checksum),
        cmocka_unit_test(test_kept_survives),
        cmocka_unit_test(test_changes_survive),
        cmocka_unit_test(test_ended_in_pieces),
        cmocka_unit_test(test_failed_sync),
        cmocka_unit_test(test_failed_sync_and_index),
        cmocka_unit_test(test_outcome_waits_for_a_working_disk),
        cmocka_unit_test(test_why_full),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_outcomes_on_a_full_disk),
        cmocka_unit_test(test_restarts_on_a_full_disk),
        cmocka_unit_test(test_torn_outcomes_on_a_full_disk),
        cmocka_unit_test(test_deferrals_leave_room),
        cmocka_unit_test(test_tidy_keeps_the_folder_small),
        cmocka_unit_test(test_used_segment_stays),
        cmocka_unit_test(test_large_message),
        cmocka_unit_test(test_told_again_until_the_clean_mark),
        cmocka_unit_test(test_foreign_files),
        cmocka_unit_test(test_another_version),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_flip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
