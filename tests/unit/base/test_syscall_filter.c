/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Where the kernel takes no filter, errno says why: libseccomp returns its errors and need not set it. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sandbox.h"
#include "base/syscall_filter.h"

static int load_error; /* what the kernel says; 0: there is not even the memory for a filter */

void *__real_seccomp_init(uint32_t action);
void *__wrap_seccomp_init(uint32_t action);
void __real_seccomp_release(void *filter);
void __wrap_seccomp_release(void *filter);
int __wrap_seccomp_load(const void *filter);

void *__wrap_seccomp_init(uint32_t action)
{
    errno = 0;
    return load_error ? __real_seccomp_init(action) : NULL;
}

int __wrap_seccomp_load(const void *filter)
{
    errno = 0;
    return -load_error;
}

void __wrap_seccomp_release(void *filter)
{
    __real_seccomp_release(filter);
    errno = EBADF;
}

static void errno_says_why(void **state)
{
    static const struct {
        int rights, load_error, wanted;
    } rows[] = {
        { JAIL_FILES, EPERM, EPERM },      { JAIL_FORK, ECANCELED, ECANCELED },
        { JAIL_PROGRAMS, ENOSYS, ENOSYS }, { JAIL_CONNECT | JAIL_DATAGRAMS, EACCES, EACCES },
        { JAIL_FILES, 0, ENOMEM },         { JAIL_PROGRAMS, 0, ENOMEM },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        load_error = rows[i].load_error;
        assert_false(syscall_filter_enter(rows[i].rights));
        assert_int_equal(errno, rows[i].wanted);
    }
}

static int ends_by(struct syscall_program *program, void (*act)(void))
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        const struct rlimit none = { 0, 0 };
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGABRT, SIG_DFL);
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall_program_enter(program)) act();
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void nothing(void)
{
}

static void signal_to_parent(void)
{
    syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static void make_socket(void)
{
    socket(AF_UNIX, SOCK_STREAM, 0);
}

/* One that was made ahead knows who enters it: each may signal itself alone. */
static void made_ahead(void **state)
{
    load_error = EPERM; /* of what is not called */
    struct syscall_program *program = syscall_program_make(JAIL_READER);
    assert_non_null(program);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ends_by(program, nothing), 0);
        assert_int_equal(ends_by(program, abort), SIGABRT);
        assert_int_equal(ends_by(program, signal_to_parent), SIGSYS);
        assert_int_equal(ends_by(program, make_socket), SIGSYS);
    }
    free(program);
    load_error = 0;
    assert_null(syscall_program_make(JAIL_READER));
    assert_int_equal(errno, ENOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(errno_says_why), cmocka_unit_test(made_ahead) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
