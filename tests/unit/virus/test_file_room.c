/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: a library whose calls by path mean a file room finds there what a file system would show it, and what
   the room does not know fails aloud. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/temp_files.h"
#include "virus/path_calls.h"

enum { MAKE, DROP, NEW, OLD, KEEP, GONE, IS, ROOM = 64 << 20 };

/* One after the other in one room: what is done, and its errno (0: good). */
static const struct {
    int what;
    const char *path;
    int error;
} rows[] = {
    { MAKE, "./a", 0 },
    { MAKE, "a", EEXIST },
    { MAKE, ".", EEXIST },
    { MAKE, "b/c", ENOENT },
    { MAKE, "a/./b//", 0 },
    { NEW, "./a/b/file", 0 },
    { NEW, "a//b/file", EEXIST },
    { KEEP, "a/b/file", 0 }, /* O_CREAT without O_EXCL */
    { OLD, "a/b/file", 0 },
    { OLD, "a/b/other", ENOENT },
    { OLD, "a/b", EISDIR },
    { NEW, "nowhere/file", ENOENT },
    { NEW, "a/b/file/below", ENOTDIR },
    { IS, "a/b/file", 0 },
    { IS, "a/c", ENOENT },
    { DROP, "a", ENOTEMPTY },
    { DROP, "a/b/file", ENOTDIR },
    { GONE, "a/b", EISDIR },
    { GONE, "a/b/file", 0 },
    { GONE, "a/b/file", ENOENT },
    { DROP, "a/b", 0 },
    { DROP, "a", 0 },
    { DROP, "a", ENOENT },
    { IS, "", ENOENT },
    { NEW, "../outside", EACCES },
    { MAKE, "a/../../b", EACCES },
};

static int file_do(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
    return fd < 0 ? -1 : 0;
}

static int act(int what, const char *path)
{
    switch (what) {
    case MAKE:
        return mkdir(path, 0700);
    case DROP:
        return rmdir(path);
    case NEW:
        return file_do(path, O_RDWR | O_CREAT | O_EXCL | O_TRUNC);
    case KEEP:
        return file_do(path, O_WRONLY | O_CREAT);
    case OLD:
        return file_do(path, O_RDONLY);
    case GONE:
        return unlink(path);
    default:
        return access(path, R_OK);
    }
}

static void test_calls(void **state)
{
    struct file_room *room = file_room_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        path_calls_begin(room);
        errno = 0;
        int answer = act(rows[i].what, rows[i].path), error = errno;
        const char *astray = path_calls_end();
        if (answer != (rows[i].error ? -1 : 0) || (rows[i].error && error != rows[i].error))
            fail_msg("row %zu, %s: %d, %s", i, rows[i].path, answer, strerror(error));
        assert_int_equal(astray != NULL, rows[i].error == EACCES);
    }
    assert_false(file_room_was_short(room));
    assert_int_equal(file_room_clear(room), 0);
    file_room_free(room);
}

/* Outside begin and end, and for absolute paths, they are libc's. */
static void test_libc(void **state)
{
    struct file_room *room = file_room_new();
    struct stat facts;
    assert_int_equal(mkdir("real", 0700), 0);
    path_calls_begin(room);
    assert_int_equal(stat("real", &facts), -1);
    assert_int_equal(stat("/proc/self", &facts), 0);
    assert_int_equal(file_do("/dev/null", O_RDONLY), 0);
    assert_null(path_calls_end());
    assert_int_equal(rmdir("real"), 0);
    file_room_free(room);
}

/* A file that is removed while it is open stays what it is: no other one of that scan has its bytes. */
static void test_open_and_removed(void **state)
{
    struct file_room *room = file_room_new();
    char got[8] = "";
    path_calls_begin(room);
    int first = open("a", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(first, "first", 5), 5);
    assert_int_equal(unlink("a"), 0);
    int second = open("b", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(second, "2", 1), 1);
    assert_int_equal(pread(first, got, sizeof got, 0), 5);
    assert_string_equal(got, "first");
    close(first);
    close(second);
    assert_null(path_calls_end());
    assert_int_equal(file_room_clear(room), 1);
    file_room_free(room);
}

/* Rust's library asks for the facts of nothing, to see whether the kernel has the call. */
static void test_no_path(void **state)
{
    struct file_room *room = file_room_new();
    /* by a pointer: libc's header forbids what is tried */
    int (*volatile call)(int, const char *, int, unsigned, struct statx *) = statx;
    path_calls_begin(room);
    assert_int_equal(call(0, NULL, 0, STATX_BASIC_STATS, NULL), -1);
    assert_int_equal(errno, EFAULT);
    assert_null(path_calls_end());
    file_room_free(room);
}

/* What the library has no reason to do: it fails, and is told of. */
static void test_astray(void **state)
{
    struct file_room *room = file_room_new();
    struct stat facts;
    char out[10];
    for (int i = 0; i < 6; i++) {
        int answer = -1;
        path_calls_begin(room);
        if (i == 0) answer = rename("a", "b");
        if (i == 1) answer = fopen("a", "r+") ? 0 : -1;
        if (i == 2) answer = fstatat(AT_FDCWD, "a", &facts, 0);
        if (i == 3) answer = (int)readlink("a", out, sizeof out);
        if (i == 4) answer = unlinkat(AT_FDCWD, "a", 0);
        if (i == 5) answer = openat(5, "a", O_RDONLY | O_CLOEXEC);
        int error = errno;
        assert_non_null(path_calls_end());
        assert_int_equal(answer, -1);
        assert_int_equal(error, EACCES);
    }
    file_room_free(room);
}

static void file_write(const char *path, const char *content)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

/* A name never shows what another one held, however often its file is used again; two descriptors of one file
   have offsets of their own. */
static void test_content(void **state)
{
    struct file_room *room = file_room_new();
    char read_back[100], name[20];
    struct stat facts;
    path_calls_begin(room);
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "file%d", i);
        file_write(name, i % 2 ? "short" : "a long content");
        assert_int_equal(stat(name, &facts), 0);
        assert_true(S_ISREG(facts.st_mode));
        assert_int_equal(facts.st_size, i % 2 ? 5 : 14);
        int one = open(name, O_RDONLY | O_CLOEXEC), other = open(name, O_RDONLY | O_CLOEXEC);
        assert_int_equal(read(one, read_back, 100), i % 2 ? 5 : 14);
        assert_int_equal(read(other, read_back, 2), 2);
        close(one);
        close(other);
        if (i % 3) assert_int_equal(remove(name), 0);
    }
    assert_null(path_calls_end());
    assert_int_equal(file_room_clear(room), 14);
    file_room_free(room);
}

/* The newest first; what is removed on the way neither comes nor ends the walk. */
static void test_walk(void **state)
{
    static const char *const order[] = { "3", "below", "1" };
    struct file_room *room = file_room_new();
    path_calls_begin(room);
    assert_int_equal(mkdir("folder", 0700), 0);
    file_write("folder/1", "");
    assert_int_equal(mkdir("folder/below", 0700), 0);
    file_write("folder/2", "");
    file_write("folder/3", "");
    assert_null(opendir("folder/1"));
    DIR *walk = opendir("folder");
    const struct dirent *entry = NULL;
    for (size_t i = 0; i < 3; i++) {
        entry = readdir(walk);
        assert_non_null(entry);
        assert_string_equal(entry->d_name, order[i]);
        assert_int_equal(entry->d_type, i == 1 ? DT_DIR : DT_REG);
        if (i == 0) assert_int_equal(unlink("folder/2"), 0);
    }
    assert_null(readdir(walk));
    rewinddir(walk);
    assert_string_equal(readdir(walk)->d_name, "3");
    assert_int_equal(closedir(walk), 0);
    assert_null(path_calls_end());
    assert_int_equal(file_room_clear(room), 4);
    file_room_free(room);
}

/* Names are bounded, and that there was one too many is told once. */
static void test_bounds(void **state)
{
    struct file_room *room = file_room_new();
    char name[300];
    memset(name, 'x', sizeof name);
    name[299] = '\0';
    path_calls_begin(room);
    assert_int_equal(mkdir(name, 0700), -1);
    assert_int_equal(errno, ENAMETOOLONG);
    int made = 0;
    for (int i = 0; i < 70000; i++) {
        snprintf(name, sizeof name, "%d", i);
        made += mkdir(name, 0700) == 0;
    }
    assert_int_equal(made, 65536);
    assert_null(path_calls_end());
    assert_true(file_room_was_short(room));
    assert_false(file_room_was_short(room));
    assert_int_equal(file_room_clear(room), 65536);
    file_room_free(room);
}

static int enter(void **state)
{
    char why[200];
    return temporary_prepare(why, sizeof why) && temporary_enter(ROOM, why, sizeof why) >= 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_libc),
        cmocka_unit_test(test_open_and_removed),
        cmocka_unit_test(test_no_path),
        cmocka_unit_test(test_astray),
        cmocka_unit_test(test_content),
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, enter, NULL);
}
