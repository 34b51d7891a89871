/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: an entry is in force and on disk once it is said to be, and ends by itself; numbers are never given
   twice; a damaged file loses the damaged lines alone; what cannot be written changes nothing; uses are
   counted and kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "ledger/sender_entries.h"

struct node {
    char path[40];
    int folder;
    FILE *file;
    struct entry_page *page; /* as scan sees it */
    struct sender_entries *entries;
    struct arena *arena;
};

static void node_start(struct node *node, uint64_t now_ms)
{
    node->entries = sender_entries_new(entry_page_map(fileno(node->file), true));
    sender_entries_start(node->entries, node->folder, now_ms);
}

static void node_open(struct node *node)
{
    strcpy(node->path, "/tmp/entries-XXXXXX");
    assert_non_null(mkdtemp(node->path));
    node->folder = open(node->path, O_RDONLY | O_DIRECTORY);
    node->file = tmpfile();
    assert_int_equal(ftruncate(fileno(node->file), ENTRY_PAGE_BYTES), 0);
    node->page = entry_page_map(fileno(node->file), false);
    node->arena = arena_new(0);
    node_start(node, 0);
}

static void node_restart(struct node *node, uint64_t now_ms)
{
    sender_entries_free(node->entries);
    node_start(node, now_ms);
}

static void node_close(struct node *node)
{
    sender_entries_free(node->entries);
    entry_page_unmap(node->page);
    unlinkat(node->folder, "entries", 0);
    close(node->folder);
    rmdir(node->path);
    fclose(node->file);
    arena_free(node->arena);
}

static enum entry_outcome add(struct node *node, const char *words, uint64_t expires_ms, uint32_t *out_number)
{
    struct kept_entry kept = { .by = TEXT("root"), .note = TEXT("a note - with words"), .made_ms = 7 };
    const char *why;
    assert_true(sender_entry_read(node->arena, ENTRY_BLOCK, text_of(words), &kept.entry, &why));
    kept.entry.expires_ms = expires_ms;
    return sender_entries_add(node->entries, &kept, out_number);
}

static bool is_in_force(const struct node *node, const char *domain)
{
    struct entry_cursor cursor;
    struct sender_entry entry;
    entry_image_seek(entry_page_read(node->page), ENTRY_DOMAIN, text_of(domain), &cursor);
    return entry_image_next(&cursor, &entry);
}

static void in_force_and_on_disk(void **state)
{
    (void)state;
    struct node node;
    uint32_t number = 0;
    node_open(&node);
    assert_int_equal(add(&node, "a.test --tag --envelope --to x@on.test", 0, &number), ENTRY_DONE);
    assert_int_equal(number, 1);
    assert_int_equal(add(&node, "a.test --envelope --to x@on.test", 0, &number), ENTRY_KNOWN);
    assert_int_equal(add(&node, "b.test", 0, &number), ENTRY_DONE);
    assert_int_equal(add(&node, "192.0.2.0/24", 0, &number), ENTRY_DONE);
    for (int life = 0; life < 2; life++) {
        assert_true(is_in_force(&node, "a.test") && is_in_force(&node, "b.test"));
        assert_int_equal(sender_entries_count(node.entries), 3);
        const struct kept_entry *first = sender_entries_find(node.entries, 1);
        assert_true(text_equal(first->note, TEXT("a note - with words")) && first->made_ms == 7 &&
                    text_equal(first->by, TEXT("root")) && first->entry.action == ACTION_TAG &&
                    first->entry.is_envelope && text_equal(first->entry.to, TEXT("x@on.test")));
        node_restart(&node, 0);
    }
    assert_int_equal(sender_entries_remove(node.entries, 3, TEXT("root"), 9), ENTRY_DONE);
    assert_int_equal(sender_entries_remove(node.entries, 3, TEXT("root"), 9), ENTRY_MISSING);
    node_restart(&node, 0);
    assert_int_equal(add(&node, "c.test", 0, &number), ENTRY_DONE);
    assert_int_equal(number, 4); /* 3 was another one */
    node_close(&node);
}

static void ends_by_itself(void **state)
{
    (void)state;
    struct node node;
    uint32_t number;
    node_open(&node);
    assert_int_equal(add(&node, "a.test", 1000, &number), ENTRY_DONE);
    assert_int_equal(add(&node, "b.test", 2000, &number), ENTRY_DONE);
    sender_entries_look(node.entries, 999, false);
    assert_true(is_in_force(&node, "a.test"));
    sender_entries_look(node.entries, 1000, false);
    assert_true(!is_in_force(&node, "a.test") && is_in_force(&node, "b.test"));
    node_restart(&node, 1500);
    assert_int_equal(sender_entries_count(node.entries), 1);
    node_restart(&node, 5000); /* its time went by meanwhile */
    assert_int_equal(sender_entries_count(node.entries), 0);
    assert_false(is_in_force(&node, "b.test"));
    node_close(&node);
}

static void uses_are_counted(void **state)
{
    (void)state;
    struct node node;
    uint32_t number;
    const struct event_signal signals[] = {
        { TEXT("BLOCKED_1"), 0 },  { TEXT("ALLOWED_77"), 0 }, { TEXT("ENTRY_OVERRULED_2"), 0 },
        { TEXT("BLOCKED_C2"), 0 }, { TEXT("BLOCKED_"), 0 },   { TEXT("BLOCKED_99999999999"), 0 }
    };
    const struct event_judgement judgement = { .is_judged = true, .signals = signals, .signal_count = 6 };
    const uint64_t noon = UINT64_C(1796032800000), day = UINT64_C(86400000); /* 2026-11-30 10:00 UTC */
    node_open(&node);
    assert_int_equal(add(&node, "a.test", 0, &number), ENTRY_DONE);
    assert_int_equal(add(&node, "b.test", 0, &number), ENTRY_DONE);
    sender_entries_count_use(node.entries, &judgement, noon + day);
    sender_entries_count_use(node.entries, &judgement, noon);
    sender_entries_count_use(node.entries, &judgement, noon + day + 1);
    sender_entries_count_use(node.entries, &judgement, noon - 30 * day);
    sender_entries_look(node.entries, 0, true);
    node_restart(&node, 0);
    assert_int_equal(sender_entries_find(node.entries, 1)->used, 4);
    const struct kept_entry *first = sender_entries_find(node.entries, 1);
    assert_int_equal(first->last_ms, noon + day + 1);
    assert_int_equal(kept_entry_uses_on(first, 20261201, 20261202), 2);
    assert_int_equal(kept_entry_uses_on(first, 20261130, 20261201), 1);
    assert_int_equal(kept_entry_uses_on(first, 20261129, 20261130), 0);
    assert_true(!kept_entry_is_unused_since(first, noon) &&
                kept_entry_is_unused_since(first, noon + 2 * day));
    assert_int_equal(sender_entries_find(node.entries, 2)->used, 0);
    node_close(&node);
}

static void a_damaged_file(void **state)
{
    (void)state;
    struct node node;
    uint32_t number;
    node_open(&node);
    assert_true(file_replace(
        node.folder, "entries",
        TEXT("next 9\nblock 1 7 0 0 0 a.test * root - \nnonsense\n\0\xff\nblock 1 7 0 0 0 twice.test * root "
             "- x\n"
             "block 0 7 0 0 0 zero.test * root - \nblock 2 7 0 0 0 0.0.0.0/0 * root - \nnext x\n"
             "allow 3 7 0 0 0 b.test * root tag - \nallow 5 7 0 4 9 b.test on.test root unproven - y\n"
             "block 6 7 0 0 0 cut.test * ro"),
        0600));
    node_restart(&node, 0);
    assert_int_equal(sender_entries_count(node.entries), 2);
    assert_true(is_in_force(&node, "a.test") && is_in_force(&node, "b.test") &&
                !is_in_force(&node, "cut.test"));
    assert_true(sender_entries_find(node.entries, 5)->entry.is_unproven);
    assert_int_equal(add(&node, "c.test", 0, &number), ENTRY_DONE);
    assert_int_equal(number, 9);
    node_close(&node);
}

static void what_cannot_be_written(void **state)
{
    (void)state;
    struct node node;
    uint32_t number;
    node_open(&node);
    assert_int_equal(add(&node, "a.test", 0, &number), ENTRY_DONE);
    assert_int_equal(mkdirat(node.folder, "entries.new", 0700), 0); /* where the new file should be */
    assert_int_equal(add(&node, "b.test", 0, &number), ENTRY_UNSAVED);
    assert_int_equal(sender_entries_remove(node.entries, 1, TEXT("root"), 9), ENTRY_UNSAVED);
    assert_true(is_in_force(&node, "a.test") && !is_in_force(&node, "b.test"));
    assert_int_equal(sender_entries_count(node.entries), 1);
    unlinkat(node.folder, "entries.new", AT_REMOVEDIR);
    node_close(&node);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(in_force_and_on_disk),
                                        cmocka_unit_test(ends_by_itself), cmocka_unit_test(uses_are_counted),
                                        cmocka_unit_test(a_damaged_file),
                                        cmocka_unit_test(what_cannot_be_written) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
