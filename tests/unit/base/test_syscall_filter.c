/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Where the kernel takes no filter, errno says why: libseccomp returns its errors and need not set it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(errno_says_why) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
