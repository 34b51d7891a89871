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

/* False with errno. */
static bool capabilities_set(uint32_t kept)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct has[2] = { 0 }, keeps[2] = { 0 };
    if (kept && syscall(SYS_capget, &header, has) != 0) return false;
    keeps[0].permitted = keeps[0].effective = has[0].permitted & kept;
    return syscall(SYS_capset, &header, keeps) == 0;
}

bool capabilities_keep(uint32_t kept)
{
    capabilities_bound(0);
    return capabilities_set(kept);
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

static void jail_log(const struct jail *jail)
{
    const struct jail_paths *paths = jail->paths;
    if (jail->rights & JAIL_FORK) log_debug("jail: %s: all files", jail->process);
    if (!paths) return;
    paths_log(jail->process, "folders", paths->folders);
    paths_log(jail->process, "readable", paths->readable);
    paths_log(jail->process, "writable", paths->writable);
    paths_log(jail->process, "executable", paths->executable);
    paths_log(jail->process, "hidden", paths->hidden);
}

static bool jail_close(const struct jail *jail)
{
    /* For a worker's private tmpfs; the worker drops it. */
    uint32_t kept = jail->rights & JAIL_FORK ? UINT32_C(1) << CAP_SYS_ADMIN : 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed(jail->process, "no_new_privs");
    if (!landlock_enter(jail->rights, jail->paths)) return failed(jail->process, "Landlock");
    if (!capabilities_keep(kept)) return failed(jail->process, "capabilities");
    return syscall_filter_enter(jail->rights) || failed(jail->process, "seccomp");
}

static bool jail_close_made(const struct jail *jail)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed(jail->process, "no_new_privs");
    if (!landlock_enter_made(jail->ruleset)) return failed(jail->process, "Landlock");
    if (!capabilities_set(0)) return failed(jail->process, "capabilities");
    return syscall_program_enter(jail->program) || failed(jail->process, "seccomp");
}

static bool enter(const struct jail *jail, bool (*close)(const struct jail *jail))
{
#ifdef SEKIMORI_JAIL_PROBE
    jail_probe(jail, close);
#endif
    jail_log(jail);
    return close(jail);
}

bool jail_enter(const char *process, int rights, const struct jail_paths *paths)
{
    return enter(&(struct jail){ process, rights, paths, -1, NULL }, jail_close);
}

bool jail_make(const char *process, int rights, const struct jail_paths *paths, struct jail *out)
{
    *out = (struct jail){ process, rights, paths, landlock_make(rights, paths), NULL };
    if (out->ruleset < 0) return failed(process, "Landlock");
    out->program = syscall_program_make(rights);
    return out->program || failed(process, "seccomp");
}

bool jail_enter_made(const struct jail *jail)
{
    return enter(jail, jail_close_made);
}

bool jail_enter_command(const struct jail_paths *paths)
{
    return landlock_enter_program(paths) && syscall_filter_enter_command();
}

bool jail_enter_program(const struct jail_paths *paths)
{
    return landlock_enter_program(paths);
}
