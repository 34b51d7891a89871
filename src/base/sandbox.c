/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The jail of a process: base/landlock.c for files, ports and whom a signal reaches, base/syscall_filter.c
   for system calls, no capability. */
#include "base/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/landlock.h"
#include "base/log.h"
#include "base/syscall_filter.h"

void capabilities_bound(uint64_t kept)
{
    for (unsigned long one = 0; prctl(PR_CAPBSET_READ, one, 0, 0, 0) >= 0; one++)
        if (!(kept >> one & 1)) prctl(PR_CAPBSET_DROP, one, 0, 0, 0);
}

bool capabilities_keep(uint32_t kept)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct has[2] = { 0 }, keeps[2] = { 0 };
    capabilities_bound(0);
    if (kept && syscall(SYS_capget, &header, has) != 0) return false;
    keeps[0].permitted = keeps[0].effective = has[0].permitted & kept;
    return syscall(SYS_capset, &header, keeps) == 0;
}

static bool failed(const char *process, const char *step)
{
    log_error("%s: the jail is not to be had: %s: %s", process, step, strerror(errno));
    return false;
}

static void paths_log(const char *process, const char *what, const char *const *paths)
{
    struct buffer line = { 0 };
    for (; paths && *paths; paths++) buffer_printf(&line, " %s", *paths);
    if (buffer_length(&line)) log_debug("jail: %s: %s:%.*s", process, what, TEXT_ARG(buffer_text(&line)));
    buffer_free(&line);
}

static void jail_log(const char *process, int rights, const struct jail_paths *paths)
{
    if (rights & JAIL_FORK) log_debug("jail: %s: all files", process);
    if (!paths) return;
    paths_log(process, "folders", paths->folders);
    paths_log(process, "readable", paths->readable);
    paths_log(process, "writable", paths->writable);
    paths_log(process, "executable", paths->executable);
    paths_log(process, "hidden", paths->hidden);
}

static bool jail_close(const char *process, int rights, const struct jail_paths *paths)
{
    /* For a worker's private tmpfs; the worker drops it. */
    uint32_t kept = rights & JAIL_FORK ? UINT32_C(1) << CAP_SYS_ADMIN : 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed(process, "no_new_privs");
    if (!landlock_enter(rights, paths)) return failed(process, "Landlock");
    if (!capabilities_keep(kept)) return failed(process, "capabilities");
    return syscall_filter_enter(rights) || failed(process, "seccomp");
}

bool jail_enter(const char *process, int rights, const struct jail_paths *paths)
{
#ifdef SEKIMORI_JAIL_PROBE
    jail_probe(&(struct jail){ process, rights, paths, jail_close });
#endif
    jail_log(process, rights, paths);
    return jail_close(process, rights, paths);
}

bool jail_enter_command(const struct jail_paths *paths)
{
    return landlock_enter_program(paths) && syscall_filter_enter_command();
}

bool jail_enter_program(const struct jail_paths *paths)
{
    return landlock_enter_program(paths);
}
