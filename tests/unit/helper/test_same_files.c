/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Two folders, made by the words of each row: "name=content" of the first, then of the second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/same_files.h"

enum { FILES = 3 };

static bool counts(const char *name)
{
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".ndb") == 0;
}

static const struct row {
    const char *a[FILES], *b[FILES]; /* name, '=', content; NULL: no more */
    bool is_same;
} rows[] = {
    { { "x.ndb=1" }, { "x.ndb=1" }, true },
    { { "x.ndb=1", "note=a" }, { "x.ndb=1", "note=b" }, true },
    { { "x.ndb=1", "y.ndb=2" }, { "y.ndb=2", "x.ndb=1" }, true },
    { { "x.ndb=" }, { "x.ndb=" }, true },
    { { "x.ndb=1" }, { "x.ndb=2" }, false },
    { { "x.ndb=1" }, { "x.ndb=12" }, false },
    { { "x.ndb=12" }, { "x.ndb=1" }, false },
    { { "x.ndb=1" }, { "y.ndb=1" }, false },
    { { "x.ndb=1" }, { "x.ndb=1", "y.ndb=1" }, false },
    { { "x.ndb=1", "y.ndb=1" }, { "x.ndb=1" }, false },
    { { "note=1" }, { "note=1" }, false }, /* nothing that counts was brought */
    { { NULL }, { NULL }, false },
};

static void files_make(int parent, const char *folder, const char *const *words)
{
    mkdirat(parent, folder, 0700);
    int at = openat(parent, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < FILES && words[i]; i++) {
        char name[20] = "";
        const char *content = strchr(words[i], '=') + 1;
        memcpy(name, words[i], (size_t)(content - 1 - words[i]));
        int file = openat(at, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_int_equal(write(file, content, strlen(content)), strlen(content));
        close(file);
    }
    close(at);
}

static void test_rows(void **state)
{
    (void)state;
    char place[] = "/tmp/same-files-XXXXXX";
    assert_non_null(mkdtemp(place));
    int parent = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char a[20], b[20];
        snprintf(a, sizeof a, "%zu.a", i);
        snprintf(b, sizeof b, "%zu.b", i);
        files_make(parent, a, rows[i].a);
        files_make(parent, b, rows[i].b);
        if (same_files(parent, a, b, counts) != rows[i].is_same) fail_msg("row %zu", i);
    }
    assert_false(same_files(parent, "0.a", "not there", counts));
    assert_false(same_files(parent, "not there", "0.a", counts));
    assert_true(mkdirat(parent, "folders", 0700) == 0 && mkdirat(parent, "folders/x.ndb", 0700) == 0);
    assert_false(same_files(parent, "folders", "folders", counts));
    close(parent);
    char command[60];
    snprintf(command, sizeof command, "rm -r %s", place);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
