/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Detached tmpfs mounts, and the user namespace that an ordinary user needs for them. */
#include "virus/temp_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/sandbox.h"

static bool file_write(const char *path, const char *content)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool good = write(fd, content, strlen(content)) == (ssize_t)strlen(content);
    close(fd);
    return good;
}

/* The ids stay what they are: inside the namespace the process is itself and nobody else. */
static bool maps_write(uid_t user, gid_t group)
{
    char line[64];
    if (!file_write("/proc/self/setgroups", "deny")) return false;
    snprintf(line, sizeof line, "%u %u 1", user, user);
    if (!file_write("/proc/self/uid_map", line)) return false;
    snprintf(line, sizeof line, "%u %u 1", group, group);
    return file_write("/proc/self/gid_map", line);
}

static int mount_open(const char *size_text)
{
    int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (context < 0) return -1;
    int root = -1;
    if (fsconfig(context, FSCONFIG_SET_STRING, "size", size_text, 0) == 0 &&
        fsconfig(context, FSCONFIG_SET_STRING, "mode", "0700", 0) == 0 &&
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        root = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    int error = errno;
    close(context);
    errno = error;
    return root;
}

bool temporary_prepare(char *why, size_t size)
{
    int root = mount_open("4k");
    if (root >= 0) {
        close(root);
        return true;
    }
    uid_t user = geteuid();
    gid_t group = getegid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && maps_write(user, group) &&
        capabilities_keep(UINT32_C(1) << CAP_SYS_ADMIN))
        return true;
    snprintf(
        why, size,
        "no private tmpfs: this user may neither mount nor make a user namespace, which a plain chroot and "
        "some containers forbid: %s",
        strerror(errno));
    return false;
}

int temporary_enter(uint64_t most_bytes, char *why, size_t size)
{
    char size_text[32];
    snprintf(size_text, sizeof size_text, "%llu", (unsigned long long)most_bytes);
    int root = mount_open(size_text);
    if (root >= 0 && fchdir(root) == 0) return root;
    snprintf(why, size, "no private tmpfs: %s", strerror(errno));
    if (root >= 0) close(root);
    return -1;
}

uint64_t temporary_used(int root)
{
    struct statfs facts;
    if (fstatfs(root, &facts) != 0) return UINT64_MAX;
    return (uint64_t)(facts.f_blocks - facts.f_bfree) * (uint64_t)facts.f_bsize;
}
