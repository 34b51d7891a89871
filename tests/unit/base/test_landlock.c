/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a program may open beside something that is hidden from it. A row is one attempt, made by a child that
   enters the jail; the tree below is made anew for each run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/landlock.h"

static char folder[] = "/tmp/sekimori-landlock-XXXXXX";

/* In the order of their making. A "/" at the end: a folder; "name>target": a link. */
static const char *const tree[] = { "open/",         "open/a",           "open/deep/",
                                    "open/deep/b",   "open/hidden/",     "open/hidden/c",
                                    "open/deep/key", "open/into>hidden", "open/straight>hidden/c",
                                    "beside/",       "beside/d",         "alias>open" };

enum outcome { DENIED, ALLOWED };

static const struct {
    const char *path;
    int how;                                     /* O_… */
    enum outcome writable, readable, executable; /* where "open" is in that list */
} rows[] = {
    { "open/a", O_RDONLY, ALLOWED, ALLOWED, ALLOWED },
    { "open/a", O_WRONLY, ALLOWED, DENIED, DENIED },
    { "open/deep/b", O_RDONLY, ALLOWED, ALLOWED, ALLOWED },
    { "open/deep/b", O_WRONLY | O_TRUNC, ALLOWED, DENIED, DENIED },
    { "open/deep/key", O_RDONLY, DENIED, DENIED, DENIED },
    { "open/deep/key", O_WRONLY, DENIED, DENIED, DENIED },
    { "open/hidden/c", O_RDONLY, DENIED, DENIED, DENIED },
    { "open/hidden/c", O_WRONLY, DENIED, DENIED, DENIED },
    { "open/hidden/new", O_WRONLY | O_CREAT, DENIED, DENIED, DENIED },
    { "open/hidden", O_RDONLY | O_DIRECTORY, DENIED, DENIED, DENIED },
    { "open/into/c", O_RDONLY, DENIED, DENIED, DENIED },
    { "open/straight", O_RDONLY, DENIED, DENIED, DENIED },
    { "open/../open/hidden/c", O_RDONLY, DENIED, DENIED, DENIED },
    { "alias/hidden/c", O_RDONLY, DENIED, DENIED, DENIED },
    { "alias/a", O_RDONLY, ALLOWED, ALLOWED, ALLOWED },
    { "open/new", O_WRONLY | O_CREAT, DENIED, DENIED, DENIED }, /* on the way to what is hidden */
    { "open", O_RDONLY | O_DIRECTORY, DENIED, DENIED, DENIED },
    { "beside/d", O_RDONLY, DENIED, DENIED, DENIED },
    { "beside/new", O_WRONLY | O_CREAT, DENIED, DENIED, DENIED },
};

static void path_of(const char *name, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/%s", folder, name);
}

static void entry_make(const char *entry)
{
    char path[PATH_MAX];
    path_of(entry, path);
    char *target = strchr(path, '>');
    size_t length = strlen(path);
    if (target) {
        *target = '\0';
        assert_int_equal(symlink(target + 1, path), 0);
    } else if (path[length - 1] == '/') {
        assert_int_equal(mkdir(path, 0755), 0);
    } else {
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
        assert_true(fd >= 0);
        close(fd);
    }
}

static void entry_remove(const char *entry)
{
    char path[PATH_MAX];
    path_of(entry, path);
    char *target = strchr(path, '>');
    if (target) *target = '\0';
    assert_int_equal(remove(path), 0);
}

static int tree_make(void **state)
{
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof tree / sizeof *tree; i++) entry_make(tree[i]);
    return 0;
}

static int tree_remove(void **state)
{
    for (size_t i = sizeof tree / sizeof *tree; i-- > 0;) entry_remove(tree[i]);
    return rmdir(folder);
}

/* The child's exit code is what came of it. */
static enum outcome tried(const struct jail_paths *paths, const char *name, int how)
{
    char path[PATH_MAX];
    int status = 0;
    path_of(name, path);
    pid_t pid = fork();
    if (pid == 0) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !landlock_enter_program(paths)) _exit(99);
        int fd = open(path, how | O_CLOEXEC, 0600);
        _exit(fd >= 0 ? ALLOWED : errno == EACCES ? DENIED : 98);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) > ALLOWED) fail_msg("%s: code %d", name, WEXITSTATUS(status));
    return (enum outcome)WEXITSTATUS(status);
}

static void hidden_is_hidden(void **state)
{
    char open_path[PATH_MAX], hidden_path[PATH_MAX], key_path[PATH_MAX], missing_path[PATH_MAX];
    path_of("alias", open_path); /* by its link, what it leads to */
    path_of("open/into", hidden_path);
    path_of("open/deep/key", key_path);
    path_of("open/never", missing_path);
    const char *const allowed[] = { missing_path, open_path, NULL };
    const char *const hidden[] = { missing_path, hidden_path, key_path, NULL };
    const struct jail_paths writable = { .writable = allowed, .hidden = hidden },
                            readable = { .readable = allowed, .hidden = hidden },
                            executable = { .executable = allowed, .hidden = hidden };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (tried(&writable, rows[i].path, rows[i].how) != rows[i].writable)
            fail_msg("writable: %s, %#o", rows[i].path, (unsigned)rows[i].how);
        if (tried(&readable, rows[i].path, rows[i].how) != rows[i].readable)
            fail_msg("readable: %s, %#o", rows[i].path, (unsigned)rows[i].how);
        if (tried(&executable, rows[i].path, rows[i].how) != rows[i].executable)
            fail_msg("executable: %s, %#o", rows[i].path, (unsigned)rows[i].how);
    }
}

/* Nothing hidden: the folder as a whole, also what comes into it later. */
static void without_hidden(void **state)
{
    char open_path[PATH_MAX];
    path_of("open", open_path);
    const char *const allowed[] = { open_path, NULL };
    const struct jail_paths writable = { .writable = allowed }, readable = { .readable = allowed };
    assert_int_equal(tried(&writable, "open/new", O_WRONLY | O_CREAT), ALLOWED);
    assert_int_equal(tried(&readable, "open/new", O_RDONLY), ALLOWED);
    assert_int_equal(tried(&readable, "open", O_RDONLY | O_DIRECTORY), ALLOWED);
    assert_int_equal(tried(&readable, "open/new", O_WRONLY), DENIED);
    assert_int_equal(tried(&readable, "open/hidden/c", O_RDONLY), ALLOWED);
    assert_int_equal(tried(&readable, "beside/d", O_RDONLY), DENIED);
    entry_remove("open/new");
}

/* More than there is room for: no jail, rather than one that shows the rest. */
static void too_many_hidden(void **state)
{
    char open_path[PATH_MAX];
    const char *many[2000] = { 0 };
    path_of("open", open_path);
    for (size_t i = 0; i + 1 < sizeof many / sizeof *many; i++) many[i] = open_path;
    errno = 0;
    assert_false(landlock_enter_program(&(struct jail_paths){ .readable = many, .hidden = many }));
    assert_int_equal(errno, E2BIG);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(hidden_is_hidden),
                                               cmocka_unit_test(without_hidden),
                                               cmocka_unit_test(too_many_hidden) };
    return cmocka_run_group_tests_name("landlock", tests, tree_make, tree_remove);
}
