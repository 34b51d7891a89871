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
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
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

/* --- what is open --- */

/* The same file in the file system and in the room, and one descriptor of each. */
struct twins {
    struct file_room *room;
    int real, ours;
};

enum { STEPS = 60, LIVES = 400, LARGE = 150 << 10 };

static char sent[LARGE], got_real[LARGE], got_ours[LARGE];

static uint32_t dice(uint32_t below)
{
    static uint32_t state = 11;
    state = state * 1664525 + 1013904223;
    return (state >> 8) % below;
}

/* What the call of that number comes to: its answer, or minus errno. Reads into `out`. */
static long call(int which, int fd, uint32_t size, long at, char *out)
{
    static const int froms[] = { SEEK_SET, SEEK_CUR, SEEK_END, 99 };
    struct iovec pieces[] = { { sent, size / 2 }, { sent + size / 2, size - size / 2 } };
    struct stat facts;
    long answer = 0;
    errno = 0;
    switch (which) {
    case 0:
    case 1:
        answer = write(fd, sent, size);
        break;
    case 2:
    case 3:
        answer = read(fd, out, size);
        break;
    case 4:
        answer = pread(fd, out, size, at);
        break;
    case 5:
    case 6:
        answer = lseek(fd, at, froms[size % 4]);
        break;
    case 7:
        answer = fstat(fd, &facts) ? -1 : facts.st_size + (S_ISREG(facts.st_mode) ? 0 : 1 << 30);
        break;
    case 8:
        answer = writev(fd, pieces, 2); /* settles */
        break;
    case 9:
        answer = pwrite(fd, sent, size, at < 0 ? 0 : at); /* likewise */
        break;
    default:
        break;
    }
    return answer < 0 ? -errno : answer;
}

static void both(const struct twins *twins, int which)
{
    uint32_t size = dice(8) ? dice(5000) : dice(LARGE);
    long at = (long)dice(20000) - 100;
    long real = call(which, twins->real, size, at, got_real);
    path_calls_begin(twins->room);
    long ours = call(which, twins->ours, size, at, got_ours);
    assert_null(path_calls_end());
    if (real != ours)
        fail_msg("call %d, %u bytes at %ld: %ld, but %ld in the room", which, size, at, real, ours);
    if (which >= 2 && which <= 4 && real > 0) assert_memory_equal(got_real, got_ours, real);
}

static void both_open(struct twins *twins, int flags)
{
    twins->real = open("real", flags | O_CLOEXEC, 0600);
    path_calls_begin(twins->room);
    twins->ours = open("ours", flags | O_CLOEXEC, 0600);
    assert_null(path_calls_end());
    assert_true(twins->real >= 0 && twins->ours >= 0);
}

static void both_close(struct twins *twins)
{
    path_calls_begin(twins->room);
    assert_int_equal(close(twins->ours), 0);
    assert_null(path_calls_end());
    assert_int_equal(close(twins->real), 0);
}

/* A file in memory is like one of the file system, whatever is done with it, and when it is settled on the
 * way. */
static void test_twins(void **state)
{
    static const int flags[] = { O_RDWR | O_CREAT | O_TRUNC, O_RDWR | O_CREAT, O_WRONLY | O_CREAT | O_TRUNC,
                                 O_RDONLY };
    struct twins twins = { .room = file_room_new() };
    for (size_t i = 0; i < sizeof sent; i++) sent[i] = (char)dice(256);
    for (int life = 0; life < LIVES; life++) {
        both_open(&twins, flags[life % 4]);
        int calls = life % 3 ? 8 : 10; /* with those that settle */
        for (int step = 0; step < STEPS; step++) both(&twins, (int)dice((uint32_t)calls));
        both_close(&twins);
        if (life % 4 < 3) continue;
        path_calls_begin(twins.room);
        assert_int_equal(unlink("ours"), 0);
        assert_null(path_calls_end());
        assert_int_equal(unlink("real"), 0);
    }
    assert_false(file_room_was_short(twins.room));
    file_room_free(twins.room);
}

/* Small files are none of the file system; what asks for the kernel makes them so, under the same number. */
static void test_settling(void **state)
{
    struct file_room *room = file_room_new();
    char got[8] = "";
    path_calls_begin(room);
    int fd = open("a", O_RDWR | O_CREAT | O_CLOEXEC, 0600), other = open("a", O_RDONLY | O_CLOEXEC);
    assert_int_equal(write(fd, "12345", 5), 5);
    assert_int_equal(read(other, got, 2), 2);
    assert_int_equal(syscall(SYS_read, fd, got, 5), -1); /* a call that nobody took over */
    assert_int_equal(errno, EBADF);
    assert_false(file_room_was_settled(room));
    int copy = dup(fd);
    assert_true(file_room_was_settled(room));
    assert_int_equal(write(copy, "6", 1), 1);
    assert_int_equal(syscall(SYS_read, other, got, 8), 4); /* from where it was */
    assert_memory_equal(got, "3456", 4);
    close(copy);
    close(other);
    close(fd);
    int again = open("a", O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(again, got, 8), 6);
    close(again);
    assert_int_equal(unlink("a"), 0);
    assert_null(path_calls_end());
    file_room_free(room);
}

/* Streams of files in memory. */
static void test_streams(void **state)
{
    struct file_room *room = file_room_new();
    char line[20];
    path_calls_begin(room);
    int fd = open("a", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    FILE *out = fdopen(fd, "w+");
    assert_int_equal(fileno(out), fd);
    for (int i = 0; i < 2000; i++) fprintf(out, "line %d\n", i);
    assert_int_equal(fseek(out, 5, SEEK_SET), 0);
    assert_int_equal(fputc('X', out), 'X');
    assert_int_equal(fflush(out), 0);
    FILE *in = fopen("a", "r");
    for (int i = 0; i < 2000; i++) {
        assert_non_null(fgets(line, sizeof line, in));
        if (i > 0) assert_int_equal(strtol(line + 5, NULL, 10), i);
    }
    assert_int_equal(fgetc(in), EOF);
    fclose(in);
    fclose(out);
    assert_int_equal(close(fd), -1);
    assert_false(file_room_was_settled(room));
    assert_null(path_calls_end());
    file_room_free(room);
}

/* However many are open, and however much they hold, each has its bytes. */
static void test_many(void **state)
{
    enum { MANY = 60 };
    struct file_room *room = file_room_new();
    int fds[MANY];
    char name[20], got[sizeof name];
    path_calls_begin(room);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "%d", i);
        fds[i] = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fds[i] >= 0);
        assert_int_equal(write(fds[i], sent, LARGE), LARGE);
        assert_int_equal(write(fds[i], name, sizeof name), sizeof name);
    }
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(pread(fds[i], got, sizeof got, LARGE), sizeof got);
        assert_int_equal(strtol(got, NULL, 10), i);
        close(fds[i]);
    }
    assert_true(file_room_was_settled(room));
    assert_null(path_calls_end());
    assert_int_equal(file_room_clear(room), MANY);
    file_room_free(room);
}

/* What its parent had open is not open in a child, whatever stands under these numbers there. */
static void test_fork(void **state)
{
    struct file_room *room = file_room_new();
    path_calls_begin(room);
    file_write("a", "parent's");
    path_calls_end();
    file_room_clear(room);
    pid_t child = fork();
    if (child == 0) {
        char got[8] = "";
        close_range(3, ~0U, 0);
        int theirs = open("/dev/null", O_RDONLY | O_CLOEXEC); /* a number that a file in memory had */
        path_calls_begin(room);
        file_write("a", "child's");
        int fd = open("a", O_RDONLY | O_CLOEXEC);
        bool is_good = fd >= 0 && fd != theirs && read(fd, got, 7) == 7 && memcmp(got, "child's", 7) == 0;
        close(fd);
        is_good = is_good && read(theirs, got, 1) == 0;
        _exit(path_calls_end() || !is_good);
    }
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    file_room_free(room);
}

/* Where there is no room to settle in, that is told. */
static void test_no_room(void **state)
{
    struct file_room *room = file_room_new();
    int full = open("full", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    while (write(full, sent, LARGE) == LARGE) {
    }
    path_calls_begin(room);
    int fd = open("a", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, sent, LARGE), LARGE);
    assert_true(write(fd, sent, LARGE) < LARGE);
    close(fd);
    path_calls_end();
    assert_true(file_room_was_short(room));
    file_room_clear(room);
    file_room_free(room);
    close(full);
    assert_int_equal(unlink("full"), 0);
}

/* A file that could not be made when it settled is still there, or a library that removes all that it finds
   never comes to its end. */
static void test_gone(void **state)
{
    struct stat facts;
    struct file_room *room = file_room_new();
    int home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(mkdir("gone", 0700), 0);
    path_calls_begin(room);
    assert_int_equal(file_do("a", O_WRONLY | O_CREAT), 0);
    assert_int_equal(chdir("gone"), 0);
    path_calls_end();
    assert_int_equal(rmdir("../gone"), 0);
    path_calls_begin(room);
    assert_int_equal(file_do("a", O_WRONLY | O_APPEND), -1);
    assert_int_equal(stat("a", &facts), 0);
    assert_true(S_ISREG(facts.st_mode) && facts.st_size == 0);
    assert_int_equal(file_do("a", O_RDONLY), -1);
    assert_int_equal(unlink("a"), 0);
    assert_int_equal(stat("a", &facts), -1);
    path_calls_end();
    assert_true(file_room_was_short(room));
    assert_int_equal(fchdir(home), 0);
    close(home);
    file_room_free(room);
}

static void *pages(size_t length)
{
    return mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Memory comes empty, however often the same pages are asked for and given back, and two that have some at
   once have their own. */
static void test_pages(void **state)
{
    enum { TIMES = 30, SIDE = 12 };
    static const char zeros[64 << 10];
    struct file_room *room = file_room_new();
    char *held[SIDE];
    path_calls_begin(room);
    for (int time = 0; time < TIMES; time++) {
        size_t length = 4096 * (1 + dice(16));
        for (int i = 0; i < SIDE; i++) {
            held[i] = pages(length);
            assert_memory_equal(held[i], zeros, length);
            memset(held[i], i + 1, length);
        }
        for (int i = 0; i < SIDE; i++) {
            assert_int_equal(held[i][0], i + 1);
            assert_int_equal(held[i][length - 1], i + 1);
            assert_int_equal(munmap(held[i], length), 0);
        }
    }
    char *large = pages(1 << 20);
    assert_true(large != MAP_FAILED);
    assert_int_equal(munmap(large, 1 << 20), 0);
    path_calls_end();
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
        cmocka_unit_test(test_twins),
        cmocka_unit_test(test_settling),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_pages),
    };
    return cmocka_run_group_tests(tests, enter, NULL);
}
