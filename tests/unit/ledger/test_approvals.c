/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: an approval is in force and on disk once it is said to be, for whom it was given and nobody else;
   there is an end to how many; a damaged file loses the damaged lines alone; what cannot be written changes
   nothing. */
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
#include "ledger/approvals.h"

struct node {
    char path[40];
    int folder;
    FILE *file;
    struct fingerprint_page *page; /* as scan sees it */
    struct approvals *approvals;
};

static void node_open(struct node *node)
{
    strcpy(node->path, "/tmp/approvals-XXXXXX");
    assert_non_null(mkdtemp(node->path));
    node->folder = open(node->path, O_RDONLY | O_DIRECTORY);
    node->file = tmpfile();
    assert_int_equal(ftruncate(fileno(node->file), FINGERPRINT_PAGE_BYTES), 0);
    node->page = fingerprint_page_map(fileno(node->file), false);
    node->approvals = approvals_new(fingerprint_page_map(fileno(node->file), true));
    approvals_start(node->approvals, node->folder);
}

static void node_restart(struct node *node)
{
    approvals_free(node->approvals);
    node->approvals = approvals_new(fingerprint_page_map(fileno(node->file), true));
    approvals_start(node->approvals, node->folder);
}

static void node_close(struct node *node)
{
    approvals_free(node->approvals);
    fingerprint_page_unmap(node->page);
    unlinkat(node->folder, "newsletters", 0);
    close(node->folder);
    rmdir(node->path);
    fclose(node->file);
}

static struct approval approval_of(const char *name, const char *recipient)
{
    return (struct approval){ text_of(name), TEXT("shop.test"), text_of(recipient), TEXT("root"), 7 };
}

static enum approval_outcome add(struct node *node, const char *name, const char *recipient)
{
    struct approval approval = approval_of(name, recipient);
    return approvals_add(node->approvals, &approval);
}

static bool is_in_force(const struct node *node, const char *name, const char *recipient)
{
    return fingerprint_page_has(
        node->page, fingerprint_of_approval(text_of(name), TEXT("shop.test"), text_of(recipient)));
}

static void in_force_and_on_disk(void **state)
{
    (void)state;
    struct node node;
    node_open(&node);
    assert_int_equal(add(&node, "w.test", "a@on.test"), APPROVAL_DONE);
    assert_int_equal(add(&node, "w.test", "a@on.test"), APPROVAL_KNOWN);
    assert_int_equal(add(&node, "v.test", ""), APPROVAL_DONE);
    for (int life = 0; life < 2; life++) {
        assert_true(is_in_force(&node, "w.test", "a@on.test") && is_in_force(&node, "v.test", ""));
        assert_false(is_in_force(&node, "w.test", "b@on.test") || is_in_force(&node, "w.test", ""));
        assert_int_equal(approvals_count(node.approvals), 2);
        node_restart(&node);
    }
    struct approval gone = approval_of("w.test", "a@on.test");
    assert_int_equal(approvals_forget(node.approvals, &gone), APPROVAL_DONE);
    assert_int_equal(approvals_forget(node.approvals, &gone), APPROVAL_KNOWN);
    assert_false(is_in_force(&node, "w.test", "a@on.test"));
    node_restart(&node);
    assert_int_equal(approvals_count(node.approvals), 1);
    assert_true(text_equal(approvals_nth(node.approvals, 0)->name, TEXT("v.test")));
    node_close(&node);
}

static void what_is_none(void **state)
{
    (void)state;
    struct node node;
    node_open(&node);
    static const char *const bad[][2] = {
        { "", "" },        { "a b", "" },           { "a\nb", "" },
        { "w.test", "a" }, { "w.test", "a b@c" },   { "w.test", "a\x7f@c" },
        { "\xff", "" },    { "a\xc2\x9b[31m", "" }, { "\xe2\x80\xaey", "" }
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(add(&node, bad[i][0], bad[i][1]), APPROVAL_BAD);
    assert_int_equal(approvals_count(node.approvals), 0);
    node_close(&node);
}

static void there_is_an_end(void **state)
{
    (void)state;
    struct node node;
    char name[40];
    node_open(&node);
    for (int i = 0; i < APPROVALS_OF_ONE_MOST; i++) {
        snprintf(name, sizeof name, "n%d.test", i);
        assert_int_equal(add(&node, name, "a@on.test"), APPROVAL_DONE);
    }
    assert_int_equal(add(&node, "more.test", "a@on.test"), APPROVAL_FULL);
    assert_int_equal(add(&node, "more.test", "b@on.test"), APPROVAL_DONE);
    node_close(&node);
}

static void a_damaged_file(void **state)
{
    (void)state;
    struct node node;
    node_open(&node);
    assert_true(file_replace(node.folder, "newsletters",
                             TEXT("1 w.test shop.test a@on.test root\nnonsense\n\0\xff\n"
                                  "x w.test shop.test * root\n2 v.test shop.test * by-mail\n3 cut.test sh"),
                             0600));
    node_restart(&node);
    assert_int_equal(approvals_count(node.approvals), 2);
    assert_true(is_in_force(&node, "w.test", "a@on.test") && is_in_force(&node, "v.test", ""));
    node_close(&node);
}

static void what_cannot_be_written(void **state)
{
    (void)state;
    struct node node;
    node_open(&node);
    assert_int_equal(add(&node, "w.test", "a@on.test"), APPROVAL_DONE);
    assert_int_equal(mkdirat(node.folder, "newsletters.new", 0700), 0); /* where the new file should be */
    struct approval known = approval_of("w.test", "a@on.test");
    assert_int_equal(add(&node, "v.test", ""), APPROVAL_UNSAVED);
    assert_int_equal(approvals_forget(node.approvals, &known), APPROVAL_UNSAVED);
    assert_true(is_in_force(&node, "w.test", "a@on.test") && !is_in_force(&node, "v.test", ""));
    assert_int_equal(approvals_count(node.approvals), 1);
    unlinkat(node.folder, "newsletters.new", AT_REMOVEDIR);
    node_close(&node);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(in_force_and_on_disk),
                                        cmocka_unit_test(what_is_none), cmocka_unit_test(there_is_an_end),
                                        cmocka_unit_test(a_damaged_file),
                                        cmocka_unit_test(what_cannot_be_written) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
