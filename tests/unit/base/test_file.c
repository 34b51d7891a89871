/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Files written whole, on a kernel that interrupts, writes short and fails where a row says so. */
#include <errno.h>
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

#include "base/file.h"

enum { WHOLE = 0, INTERRUPTED = -EINTR, FULL = -ENOSPC, BROKEN = -EIO, NOTHING = 1 << 20 };

/* What the next calls do: so many bytes at most, an errno below 0, NOTHING: 0 is returned. */
static struct {
    const int *writes;
    int fsync, renameat;
} kernel;

ssize_t __real_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);
ssize_t __real_pwrite64(int fd, const void *bytes, size_t length, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t length, off_t offset);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_renameat(int from, const char *old, int to, const char *name);
int __wrap_renameat(int from, const char *old, int to, const char *name);

static bool goes_through(size_t *length, ssize_t *result)
{
    int step = kernel.writes && *kernel.writes != WHOLE ? *kernel.writes++ : WHOLE;
    if (step > 0 && step < NOTHING && (size_t)step < *length) *length = (size_t)step;
    *result = step < 0 ? -1 : 0;
    if (step < 0) errno = -step;
    return step >= 0 && step != NOTHING;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
    ssize_t result;
    return goes_through(&length, &result) ? __real_write(fd, bytes, length) : result;
}

ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t length, off_t offset)
{
    ssize_t result;
    return goes_through(&length, &result) ? __real_pwrite64(fd, bytes, length, offset) : result;
}

int __wrap_fsync(int fd)
{
    if (!kernel.fsync) return __real_fsync(fd);
    errno = kernel.fsync;
    return -1;
}

int __wrap_renameat(int from, const char *old, int to, const char *name)
{
    if (!kernel.renameat) return __real_renameat(from, old, to, name);
    errno = kernel.renameat;
    return -1;
}

static int folder_make(void **state)
{
    static int fd;
    char path[] = "/tmp/sekimori-file-XXXXXX";
    if (!mkdtemp(path) || (fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) return -1;
    *state = &fd;
    memset(&kernel, 0, sizeof kernel);
    return 0;
}

static int folder_drop(void **state)
{
    int fd = *(int *)*state;
    char link[64], path[256] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    static const char *const names[] = { "name", "name.new", "made" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unlinkat(fd, names[i], 0);
    ssize_t length = readlink(link, path, sizeof path - 1);
    close(fd);
    return length > 0 ? rmdir(path) : -1;
}

static bool holds(int folder, const char *name, struct text expected)
{
    char room[64];
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t got = read(fd, room, sizeof room);
    close(fd);
    return got >= 0 && text_equal(text_from(room, (size_t)got), expected);
}

static bool is_there(int folder, const char *name)
{
    struct stat facts;
    return fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) == 0;
}

static const struct {
    int writes[6];
    int error; /* 0: all is written */
} rows[] = {
    { { WHOLE }, 0 },
    { { INTERRUPTED }, 0 },
    { { INTERRUPTED, INTERRUPTED, 3, INTERRUPTED, 1 }, 0 },
    { { 1, 1, 1, 1, 1 }, 0 },
    { { FULL }, ENOSPC },
    { { 4, FULL }, ENOSPC },
    { { 4, NOTHING }, ENOSPC },
    { { INTERRUPTED, BROKEN }, EIO },
};

static void all_is_written(void **state)
{
    int folder = *(int *)*state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int at = 0; at < 2; at++) {
            int fd = openat(folder, "made", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
            assert_true(fd >= 0 && file_write_all(fd, TEXT("ab")));
            kernel.writes = rows[i].writes;
            errno = 0;
            bool is_good =
                at ? file_write_at(fd, TEXT("0123456789"), 2) : file_write_all(fd, TEXT("0123456789"));
            kernel.writes = NULL;
            close(fd);
            if (is_good != (rows[i].error == 0)) fail_msg("row %zu: %d", i, is_good);
            if (is_good) assert_true(holds(folder, "made", TEXT("ab0123456789")));
            if (!is_good) assert_int_equal(errno, rows[i].error);
        }
    assert_true(file_write_all(-1, TEXT_NONE));
    assert_false(file_write_all(-1, TEXT("x")) || errno != EBADF);
}

/* The older content or the newer, never a part; nothing is left beside. */
static void replaced_whole_or_not(void **state)
{
    int folder = *(int *)*state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(file_replace(folder, "name", TEXT("older"), 0640));
        kernel.writes = rows[i].writes;
        bool is_good = file_replace(folder, "name", TEXT("0123456789"), 0640);
        kernel.writes = NULL;
        if (is_good != (rows[i].error == 0)) fail_msg("row %zu: %d", i, is_good);
        if (!is_good) assert_int_equal(errno, rows[i].error);
        assert_true(holds(folder, "name", is_good ? TEXT("0123456789") : TEXT("older")));
        assert_false(is_there(folder, "name.new"));
    }
    kernel.fsync = EIO;
    assert_false(file_replace(folder, "name", TEXT("newer"), 0640) || errno != EIO);
    kernel.fsync = 0;
    kernel.renameat = EROFS;
    assert_false(file_replace(folder, "name", TEXT("newer"), 0640) || errno != EROFS);
    kernel.renameat = 0;
    assert_true(holds(folder, "name", TEXT("older")) && !is_there(folder, "name.new"));
}

static void left_over_and_links(void **state)
{
    int folder = *(int *)*state;
    int fd = file_begin(folder, "name.new", 0600);
    assert_true(file_write_all(fd, TEXT("what a crash left, longer than what comes")));
    close(fd);
    assert_true(file_replace(folder, "name", TEXT("new"), 0600) && holds(folder, "name", TEXT("new")));
    assert_int_equal(symlinkat("/dev/null", folder, "name.new"), 0);
    assert_false(file_replace(folder, "name", TEXT("newer"), 0600) || errno != ELOOP);
    assert_true(holds(folder, "name", TEXT("new")));
}

static void finished_by_the_caller(void **state)
{
    int folder = *(int *)*state;
    struct stat facts;
    int fd = file_begin(folder, "made", 0600);
    assert_true(file_write_all(fd, TEXT("good")));
    assert_true(file_finish(fd, true, folder, "made", "name") && holds(folder, "name", TEXT("good")));
    assert_int_equal(fstatat(folder, "name", &facts, 0), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    fd = file_begin(folder, "made", 0600);
    errno = ENODATA;
    assert_false(file_finish(fd, false, folder, "made", "name") || errno != ENODATA);
    assert_true(holds(folder, "name", TEXT("good")) && !is_there(folder, "made"));
    errno = EACCES;
    assert_false(file_finish(-1, false, folder, "made", "name") || errno != EACCES);
    assert_int_equal(file_begin(folder, "none/made", 0600), -1);
    char longest[300];
    memset(longest, 'n', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_false(file_replace(folder, longest, TEXT("x"), 0600) || errno != ENAMETOOLONG);
}

static void folders_are_synced(void **state)
{
    int folder = *(int *)*state;
    assert_true(file_sync_folder(folder, ".") && file_sync_folder(AT_FDCWD, "/tmp"));
    assert_false(file_sync_folder(folder, "none") || errno != ENOENT);
    assert_true(file_replace(folder, "name", TEXT("x"), 0600));
    assert_false(file_sync_folder(folder, "name") || errno != ENOTDIR);
    kernel.fsync = EIO;
    assert_false(file_sync_folder(folder, ".") || errno != EIO);
    kernel.fsync = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_is_written, folder_make, folder_drop),
        cmocka_unit_test_setup_teardown(replaced_whole_or_not, folder_make, folder_drop),
        cmocka_unit_test_setup_teardown(left_over_and_links, folder_make, folder_drop),
        cmocka_unit_test_setup_teardown(finished_by_the_caller, folder_make, folder_drop),
        cmocka_unit_test_setup_teardown(folders_are_synced, folder_make, folder_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
