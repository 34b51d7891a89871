/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A folder is given away after what is in it, so that one that has the right owner is done, whatever a crash
   left half done. Files are told apart by a descriptor, never by a name looked up twice. */
#include "master/folders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "config/state_folder.h"

enum { DEPTH_MOST = 4 };

/* Whose a folder becomes. What is made in a folder with readers gets their group by its set-group-ID bit. */
struct owner {
    struct os_user user;
    mode_t mode;
    bool has_readers;
};

static struct owner owner_of(const struct os_users *users, enum process_kind writer, enum process_kind reader)
{
    struct os_user user = users->of[writer];
    if (!users->are_own) return (struct owner){ user, 0750, false };
    if (reader == PROCESS_MASTER) return (struct owner){ user, 0700, false };
    user.gid = users->of[reader].gid;
    return (struct owner){ user, S_ISGID | 0750, true };
}

static bool mode_give(int fd, mode_t mode)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd); /* fchmod takes no descriptor of O_PATH */
    return chmod(path, mode & 07777) == 0;
}

/* Only what was the folder's owner's: a link to another's file is nobody's to give. */
static bool file_give(int fd, const struct stat *facts, uid_t before, const struct owner *owner)
{
    if (facts->st_uid != before) return true;
    mode_t mode = (facts->st_mode & ~(mode_t)S_IRGRP) | (owner->has_readers ? S_IRGRP : 0);
    return fchownat(fd, "", owner->user.uid, owner->user.gid, AT_EMPTY_PATH) == 0 && mode_give(fd, mode);
}

static bool contents_give(int folder, uid_t before, const struct owner *owner, int depth);

static bool entry_give(int folder, const char *name, uid_t before, const struct owner *owner, int depth)
{
    struct stat facts;
    int fd = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    bool is_given = fd >= 0 && fstat(fd, &facts) == 0;
    if (is_given && S_ISREG(facts.st_mode)) is_given = file_give(fd, &facts, before, owner);
    if (is_given && S_ISDIR(facts.st_mode)) {
        int below = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        is_given = below >= 0 && depth < DEPTH_MOST && contents_give(below, before, owner, depth + 1) &&
                   (facts.st_uid != before || fchown(below, owner->user.uid, owner->user.gid) == 0);
        if (below >= 0) close(below);
    }
    int error = errno;
    if (fd >= 0) close(fd);
    errno = error;
    return is_given;
}

/* Recursive, at most DEPTH_MOST deep: the quarantine has a folder for each day. */
static bool contents_give(int folder, uid_t before, const struct owner *owner, int depth)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy < 0 ? NULL : fdopendir(copy);
    bool is_given = list != NULL;
    for (struct dirent *entry; is_given && (entry = readdir(list));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            is_given = entry_give(folder, entry->d_name, before, owner, depth);
    int error = errno;
    if (list) closedir(list);
    errno = error;
    return is_given;
}

static bool is_owned(const struct stat *facts, const struct owner *owner)
{
    return facts->st_uid == owner->user.uid && facts->st_gid == owner->user.gid &&
           (facts->st_mode & 07777) == owner->mode;
}

/* One that is given already is not opened: a root without capabilities may not. */
static bool folder_open(int state, const char *name, const struct owner *owner)
{
    struct stat facts;
    if (mkdirat(state, name, 0750) != 0 && errno != EEXIST) return false;
    bool is_known = fstatat(state, name, &facts, AT_SYMLINK_NOFOLLOW) == 0;
    if (is_known && S_ISDIR(facts.st_mode) && is_owned(&facts, owner)) return true;
    int fd = openat(state, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_good = fd >= 0 && fstat(fd, &facts) == 0;
    if (is_good && geteuid() == 0 && !is_owned(&facts, owner)) {
        log_info("%s and what is in it goes to user %u", name, (unsigned)owner->user.uid);
        is_good = contents_give(fd, facts.st_uid, owner, 0) &&
                  fchown(fd, owner->user.uid, owner->user.gid) == 0 && fchmod(fd, owner->mode) == 0;
    }
    int error = errno;
    if (fd >= 0) close(fd);
    errno = error;
    return is_good;
}

bool folders_open(int state, const struct os_users *users, const char **out_name)
{
    for (size_t i = 0; i < STATE_FOLDERS; i++) {
        const struct state_folder *folder = &state_folders[i];
        struct owner owner = owner_of(users, folder->writer, folder->reader);
        *out_name = folder->name;
        if (!folder_open(state, folder->name, &owner)) return false;
    }
    return true;
}
