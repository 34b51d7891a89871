/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* By raw calls, since glibc has no wrappers. Landlock knows only what is allowed: a hidden path below an
   allowed folder is kept out by allowing, in the place of that folder, all in it but the way to the path. */
#include "base/landlock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

enum {
    PORT_BIND = 1,
    PORT_CONNECT = 2,
    PORT_RULE = 2,
    SCOPE_ABSTRACT_SOCKETS = 1,
    SCOPE_SIGNALS = 2,
    PORTS_SINCE = 4, /* versions of Landlock */
    SCOPES_SINCE = 6,
    HIDDEN_MOST = 1024,
};

#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
static const uint64_t FILE_RIGHTS_V1 = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
static const uint64_t READING = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t OF_FILES = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
                                 LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE;

struct ruleset_attributes {
    uint64_t handled_files, handled_ports, scoped;
};
struct port_rule {
    uint64_t allowed_access, port;
};

/* A ruleset that is being made. */
struct making {
    int ruleset;
    uint64_t handled; /* rights on files that it minds */
    const char *hidden[HIDDEN_MOST + 1];
};

/* --- one rule --- */

static bool fd_allow(const struct making *making, int fd, uint64_t access)
{
    struct stat facts;
    struct landlock_path_beneath_attr rule = { .allowed_access = access & making->handled, .parent_fd = fd };
    if (fstat(fd, &facts) != 0) return false;
    if (!S_ISDIR(facts.st_mode)) rule.allowed_access &= OF_FILES;
    return rule.allowed_access == 0 || S_ISLNK(facts.st_mode) || /* what it leads to has rules of its own */
           syscall(SYS_landlock_add_rule, making->ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

/* `how`: 0 or O_NOFOLLOW. */
static bool path_allow(const struct making *making, const char *path, int how, uint64_t access)
{
    int fd = open(path, O_PATH | O_CLOEXEC | how);
    bool is_good = fd >= 0 && fd_allow(making, fd, access);
    if (fd >= 0) close(fd);
    return is_good;
}

/* --- what is hidden --- */

/* Is `path` the same as `folder`, or below it? */
static bool is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    if (length == 1) return true; /* of the root */
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static bool is_hidden(const struct making *making, const char *path)
{
    for (const char *const *at = making->hidden; *at; at++)
        if (is_below(path, *at)) return true;
    return false;
}

static bool leads_to_hidden(const struct making *making, const char *path)
{
    for (const char *const *at = making->hidden; *at; at++)
        if (is_below(*at, path)) return true;
    return false;
}

static void around_allow(const struct making *making, const char *path, uint64_t access);

/* What comes into such a folder later is not allowed. */
static void entries_allow(const struct making *making, const char *folder, uint64_t access)
{
    char path[PATH_MAX];
    DIR *list = opendir(folder);
    for (struct dirent *entry; list && (entry = readdir(list));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        int length =
            snprintf(path, sizeof path, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, entry->d_name);
        if (length < (int)sizeof path) around_allow(making, path, access);
    }
    if (list) closedir(list);
}

/* Goes as deep as the hidden paths are. */
static void around_allow(const struct making *making, const char *path, uint64_t access)
{
    if (is_hidden(making, path)) return;
    if (leads_to_hidden(making, path))
        entries_allow(making, path, access);
    else
        path_allow(making, path, O_NOFOLLOW, access);
}

/* Of what is not there nothing needs to be hidden. False: they are too many. hidden_free gives them back. */
static bool hidden_find(struct making *making, const char *const *hidden)
{
    size_t count = 0;
    for (; hidden && *hidden; hidden++) {
        char *real = realpath(*hidden, NULL);
        if (real && count == HIDDEN_MOST) return free(real), errno = E2BIG, false;
        if (real) making->hidden[count++] = real;
    }
    return true;
}

static void hidden_free(struct making *making)
{
    int error = errno;
    for (const char **at = making->hidden; *at; at++) free((char *)*at);
    errno = error;
}

/* --- lists of paths --- */

static void present_allow(const struct making *making, const char *const *paths, uint64_t access)
{
    char real[PATH_MAX];
    for (; paths && *paths; paths++)
        if (realpath(*paths, real)) around_allow(making, real, access);
}

#if defined(__SANITIZE_ADDRESS__)
/* A sanitizer's report names functions: for that it reads the program, its libraries and its own maps. */
static void sanitizer_folders_allow(const struct making *making)
{
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    path_allow(making, "/proc", 0, READING);
    path_allow(making, "/usr/lib", 0, READING);
    if (length <= 0) return;
    program[length] = '\0';
    path_allow(making, program, 0, LANDLOCK_ACCESS_FS_READ_FILE);
}
#endif

static bool paths_allow(struct making *making, const struct jail_paths *paths)
{
    static const struct jail_paths none;
    const uint64_t all = making->handled & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE;
    if (!paths) paths = &none;
    bool is_good = hidden_find(making, paths->hidden);
    for (const char *const *at = paths->folders; is_good && at && *at; at++)
        is_good = path_allow(making, *at, 0, all);
    if (is_good) {
        present_allow(making, paths->writable, all);
        present_allow(making, paths->readable, READING);
        present_allow(making, paths->executable, READING | LANDLOCK_ACCESS_FS_EXECUTE);
    }
    hidden_free(making);
#if defined(__SANITIZE_ADDRESS__)
    sanitizer_folders_allow(making);
#endif
    return is_good;
}

/* --- the ruleset --- */

static uint64_t rights_of(long version)
{
    uint64_t rights = FILE_RIGHTS_V1;
    if (version >= 2) rights |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3) rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
    return rights;
}

/* A parent of scan workers mounts, which a domain that minds files may not; each worker enters one. */
static uint64_t handled_of(int rights, long version)
{
    return rights & JAIL_FORK ? 0 : rights_of(version);
}

static struct ruleset_attributes attributes_of(int rights, long version)
{
    struct ruleset_attributes attributes = { .handled_files = handled_of(rights, version) };
    bool minds_ports = !(rights & (JAIL_FORK | JAIL_PROGRAMS)) && version >= PORTS_SINCE;
    if (minds_ports) attributes.handled_ports = PORT_BIND | (rights & JAIL_CONNECT ? 0 : PORT_CONNECT);
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

/* A descriptor; -1 with errno. */
static int ruleset_make(const struct ruleset_attributes *attributes, long version,
                        const struct jail_paths *paths, bool connects)
{
    struct making making = { .handled = attributes->handled_files };
    if (version < 1) return -1;
    making.ruleset = (int)syscall(SYS_landlock_create_ruleset, attributes, attributes_size(version), 0);
    if (making.ruleset < 0) return -1;
    bool is_good = !making.handled || paths_allow(&making, paths);
    if (is_good && attributes->handled_ports && connects) is_good = any_port_allow(making.ruleset);
    if (is_good) return making.ruleset;
    int error = errno;
    close(making.ruleset);
    return errno = error, -1;
}

bool landlock_enter_made(int ruleset)
{
    if (ruleset < 0) return false;
    bool is_good = syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    int error = errno;
    close(ruleset);
    errno = error;
    return is_good;
}

static long version_ask(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

int landlock_make(int rights, const struct jail_paths *paths)
{
    long version = version_ask();
    struct ruleset_attributes attributes = attributes_of(rights, version);
    return ruleset_make(&attributes, version, paths, rights & JAIL_CONNECT);
}

bool landlock_enter(int rights, const struct jail_paths *paths)
{
    struct ruleset_attributes attributes = attributes_of(rights, version_ask());
    if (!attributes.handled_files && !attributes.scoped) return true;
    return landlock_enter_made(landlock_make(rights, paths));
}

bool landlock_enter_program(const struct jail_paths *paths)
{
    long version = version_ask();
    struct ruleset_attributes attributes = { .handled_files = rights_of(version) };
    return landlock_enter_made(ruleset_make(&attributes, version, paths, true));
}
