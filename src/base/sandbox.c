/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The jail of a process: Landlock for files, ports and whom a signal reaches, base/syscall_filter.c for
   system calls, no capability. */
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/syscall_filter.h"

/* --- Landlock, by raw calls: glibc has no wrappers --- */

static const uint64_t FILE_RIGHTS_V1 = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

struct ruleset_attributes {
    uint64_t handled_files, handled_ports, scoped;
};
struct port_rule {
    uint64_t allowed_access, port;
};
enum { PORT_BIND = 1, PORT_CONNECT = 2, PORT_RULE = 2 };
enum { SCOPE_ABSTRACT_SOCKETS = 1, SCOPE_SIGNALS = 2 };
enum { PORTS_SINCE = 4, SCOPES_SINCE = 6 }; /* versions of Landlock */
static const uint64_t READING = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

static bool folder_allow(int ruleset, const char *folder, uint64_t access)
{
    struct landlock_path_beneath_attr rule = { .allowed_access = access };
    rule.parent_fd = open(folder, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0) return false;
    bool good = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    close(rule.parent_fd);
    return good;
}

#if defined(__SANITIZE_ADDRESS__)
/* A sanitizer's report names functions: for that it reads the program, its libraries and its own maps. */
static void sanitizer_folders_allow(int ruleset)
{
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    folder_allow(ruleset, "/proc", READING);
    folder_allow(ruleset, "/usr/lib", READING);
    if (length <= 0) return;
    program[length] = '\0';
    folder_allow(ruleset, program, LANDLOCK_ACCESS_FS_READ_FILE);
}
#endif

/* A parent of scan workers mounts, which a domain that minds files may not; each worker enters one. A program
   that is started needs its files. */
static bool minds_files(int rights)
{
    return !(rights & (JAIL_FORK | JAIL_PROGRAMS));
}

static struct ruleset_attributes attributes_of(int rights, long version)
{
    struct ruleset_attributes attributes = { 0 };
    if (minds_files(rights)) {
        attributes.handled_files = FILE_RIGHTS_V1;
        if (version >= 2) attributes.handled_files |= LANDLOCK_ACCESS_FS_REFER;
        if (version >= 3) attributes.handled_files |= LANDLOCK_ACCESS_FS_TRUNCATE;
        if (version >= PORTS_SINCE)
            attributes.handled_ports = PORT_BIND | (rights & JAIL_CONNECT ? 0 : PORT_CONNECT);
    }
    if (version >= SCOPES_SINCE)
        attributes.scoped = SCOPE_SIGNALS | (rights & JAIL_PROGRAMS ? 0 : SCOPE_ABSTRACT_SOCKETS);
    return attributes;
}

static size_t attributes_size(long version)
{
    if (version >= SCOPES_SINCE) return sizeof(struct ruleset_attributes);
    return version >= PORTS_SINCE ? offsetof(struct ruleset_attributes, scoped)
                                  : offsetof(struct ruleset_attributes, handled_ports);
}

/* A source port that the kernel chooses. */
static bool any_port_allow(int ruleset)
{
    struct port_rule rule = { PORT_BIND, 0 };
    return syscall(SYS_landlock_add_rule, ruleset, PORT_RULE, &rule, 0) == 0;
}

static bool folders_allow(int ruleset, uint64_t access, const char *const *folders,
                          const char *const *readable)
{
    bool good = true;
    for (; good && folders && *folders; folders++)
        good = folder_allow(ruleset, *folders, access & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE);
    for (; good && readable && *readable; readable++) folder_allow(ruleset, *readable, READING);
#if defined(__SANITIZE_ADDRESS__)
    sanitizer_folders_allow(ruleset);
#endif
    return good;
}

static bool landlock_enter(int rights, const char *const *folders, const char *const *readable)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    struct ruleset_attributes attributes = attributes_of(rights, version);
    if (!minds_files(rights) && !attributes.scoped) return true; /* nothing that this kernel could do */
    if (version < 1) return false;
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, attributes_size(version), 0);
    if (ruleset < 0) return false;
    bool good =
        !attributes.handled_files || folders_allow(ruleset, attributes.handled_files, folders, readable);
    if (good && attributes.handled_ports && (rights & JAIL_CONNECT)) good = any_port_allow(ruleset);
    good = good && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    close(ruleset);
    return good;
}

static bool capabilities_drop(void)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct none[2] = { 0 };
    return syscall(SYS_capset, &header, none) == 0;
}

static bool failed(const char *process, const char *step)
{
    log_error("%s: the jail is not to be had: %s: %s", process, step, strerror(errno));
    return false;
}

bool jail_enter(const char *process, int rights, const char *const *folders)
{
    return jail_enter_reading(process, rights, folders, NULL);
}

static bool jail_close(const char *process, int rights, const char *const *folders,
                       const char *const *readable)
{
    bool keeps_capabilities = rights & JAIL_FORK; /* for a worker's private tmpfs; the worker drops them */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed(process, "no_new_privs");
    if (!landlock_enter(rights, folders, readable)) return failed(process, "Landlock");
    if (!keeps_capabilities && !capabilities_drop()) return failed(process, "capabilities");
    return syscall_filter_enter(rights) || failed(process, "seccomp");
}

bool jail_enter_reading(const char *process, int rights, const char *const *folders,
                        const char *const *readable)
{
#ifdef SEKIMORI_JAIL_PROBE
    jail_probe(&(struct jail){ process, rights, folders, readable, jail_close });
#endif
    return jail_close(process, rights, folders, readable);
}
