/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A folder is emptied, whatever was left in it; what is beside it, and what links lead to, stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/scratch.h"

static char place[] = "/tmp/unit-scratch-XXXXXX";

static void file_make(int folder, const char *name)
{
    int fd = openat(folder, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0000);
    assert_true(fd >= 0);
    close(fd);
}

static int folder_make(int above, const char *name)
{
    assert_int_equal(mkdirat(above, name, 0700), 0);
    int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static size_t entries_of(int folder)
{
    size_t count = 0;
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fdopendir(fd);
    while (readdir(list)) count++;
    closedir(list);
    return count - 2;
}

static void test_empty(void **state)
{
    int root = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC), room = folder_make(root, "room");
    assert_true(scratch_clear(room));
    assert_true(scratch_clear(room));
    close(room);
    close(root);
}

static void test_wide_and_deep(void **state)
{
    char name[201] = { 0 };
    int root = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int room = openat(root, "room", O_RDONLY | O_DIRECTORY | O_CLOEXEC), at = dup(room);
    file_make(root, "beside");
    memset(name, 'd', 200);
    for (int depth = 0; depth < 200; depth++) { /* longer than a path may be */
        int below = folder_make(at, name);
        file_make(below, ".1");
        file_make(below, "...");
        close(at);
        at = below;
    }
    close(at);
    at = folder_make(room, "shut");
    file_make(at, "a\nb");
    assert_int_equal(mkdirat(at, "shut", 0000), 0);
    assert_int_equal(symlinkat("..", at, "up"), 0);
    assert_int_equal(symlinkat(place, room, "link"), 0);
    assert_int_equal(mkfifoat(room, "pipe", 0600), 0);
    assert_int_equal(fchmod(at, 0000), 0);
    close(at);
    assert_true(scratch_clear(room));
    assert_int_equal(entries_of(room), 0);
    assert_int_equal(entries_of(root), 2);
    unlinkat(root, "beside", 0);
    unlinkat(root, "room", AT_REMOVEDIR);
    close(room);
    close(root);
}

static int setup(void **state)
{
    return mkdtemp(place) ? 0 : -1;
}

static int teardown(void **state)
{
    return rmdir(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_empty), cmocka_unit_test(test_wide_and_deep) };
    return cmocka_run_group_tests(tests, setup, teardown);
}
