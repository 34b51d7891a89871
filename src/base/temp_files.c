/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Detached tmpfs mounts, and the user namespace that an ordinary user needs for them. */
#include "base/temp_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/sandbox.h"

enum { PLACE_BYTES = 1 << 20, PLACE_FILES = 2000 };

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

/* `files_text`: at most so many; NULL: as many as the kernel likes. */
static int mount_open(const char *size_text, const char *files_text)
{
    int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (context < 0) return -1;
    int root = -1;
    if (fsconfig(context, FSCONFIG_SET_STRING, "size", size_text, 0) == 0 &&
        (!files_text || fsconfig(context, FSCONFIG_SET_STRING, "nr_inodes", files_text, 0) == 0) &&
        fsconfig(context, FSCONFIG_SET_STRING, "mode", "0700", 0) == 0 &&
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        root = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    int error = errno;
    close(context);
    errno = error;
    return root;
}

static bool place_cover(const char *place, uint64_t most_bytes, uint64_t most_files, char *why, size_t size)
{
    char size_text[32], files_text[32];
    snprintf(size_text, sizeof size_text, "%llu", (unsigned long long)most_bytes);
    snprintf(files_text, sizeof files_text, "%llu", (unsigned long long)most_files);
    int root = mount_open(size_text, files_text);
    bool is_good = root >= 0 && move_mount(root, "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH) == 0;
    if (!is_good) snprintf(why, size, "no tmpfs at %s: %s", place, strerror(errno));
    if (root >= 0) close(root);
    return is_good;
}

bool temporary_prepare(char *why, size_t size)
{
    int root = mount_open("4k", NULL);
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
    int root = mount_open(size_text, NULL);
    if (root >= 0 && fchdir(root) == 0) return root;
    snprintf(why, size, "no private tmpfs: %s", strerror(errno));
    if (root >= 0) close(root);
    return -1;
}

/* Of a user namespace other than that of the mounts before: what is mounted here is seen nowhere else. */
bool temporary_separate(const char *place, char *why, size_t size)
{
    uid_t user = geteuid();
    gid_t group = getegid();
    bool is_apart = unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) == 0 && maps_write(user, group) &&
                    capabilities_keep(UINT32_C(1) << CAP_SYS_ADMIN);
    if (!is_apart) snprintf(why, size, "no user, mount and network namespaces: %s", strerror(errno));
    return is_apart && place_cover(place, PLACE_BYTES, PLACE_FILES, why, size);
}

bool temporary_mount(const char *path, uint64_t most_bytes, uint64_t most_files, char *why, size_t size)
{
    if (mkdir(path, 0700) == 0) return place_cover(path, most_bytes, most_files, why, size);
    snprintf(why, size, "no folder %s: %s", path, strerror(errno));
    return false;
}

uint64_t temporary_used(int root)
{
    struct statfs facts;
    if (fstatfs(root, &facts) != 0) return UINT64_MAX;
    return (uint64_t)(facts.f_blocks - facts.f_bfree) * (uint64_t)facts.f_bsize;
}
