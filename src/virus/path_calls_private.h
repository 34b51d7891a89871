/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What stands in for libc. The contracts are libc's; those of one line do the same on a machine of 64 bits.
 */
#ifndef SEKIMORI_VIRUS_PATH_CALLS_PRIVATE_H
#define SEKIMORI_VIRUS_PATH_CALLS_PRIVATE_H

#include <dirent.h>

#include "virus/descriptor_calls.h"

/* open(2), and open by a folder */
int path_calls_open(const char *path, int flags, ...) INSTEAD_OF("open");
int path_calls_open64(const char *path, int flags, ...) INSTEAD_OF("open64");
int path_calls_openat(int folder, const char *path, int flags, ...) INSTEAD_OF("openat");
int path_calls_openat64(int folder, const char *path, int flags, ...) INSTEAD_OF("openat64");

/* fopen(3): "r" and "w" mean the room */
FILE *path_calls_fopen(const char *path, const char *mode) INSTEAD_OF("fopen");
FILE *path_calls_fopen64(const char *path, const char *mode) INSTEAD_OF("fopen64");

/* mkdir(2), rmdir(2), unlink(2) */
int path_calls_mkdir(const char *path, mode_t mode) INSTEAD_OF("mkdir");
int path_calls_rmdir(const char *path) INSTEAD_OF("rmdir");
int path_calls_unlink(const char *path) INSTEAD_OF("unlink");
int path_calls_unlinkat(int folder, const char *path, int flags) INSTEAD_OF("unlinkat");
/* remove(3), and rename(2), which the room does not know */
int path_calls_remove(const char *path) INSTEAD_OF("remove");
int path_calls_rename(const char *from, const char *to) INSTEAD_OF("rename");

/* stat(2) and lstat(2): a room has no links */
int path_calls_stat(const char *path, struct stat *out) INSTEAD_OF("stat");
int path_calls_stat64(const char *path, struct stat *out) INSTEAD_OF("stat64");
int path_calls_lstat(const char *path, struct stat *out) INSTEAD_OF("lstat");
int path_calls_lstat64(const char *path, struct stat *out) INSTEAD_OF("lstat64");
/* fstatat(2) and statx(2): by a descriptor alone */
int path_calls_fstatat(int folder, const char *path, struct stat *out, int flags) INSTEAD_OF("fstatat");
int path_calls_fstatat64(int folder, const char *path, struct stat *out, int flags) INSTEAD_OF("fstatat64");
int path_calls_statx(int folder, const char *path, int flags, unsigned mask, struct statx *out)
    INSTEAD_OF("statx");

/* access(2) and chmod(2): what is there is its owner's, to do with as he likes */
int path_calls_access(const char *path, int wanted) INSTEAD_OF("access");
int path_calls_chmod(const char *path, mode_t mode) INSTEAD_OF("chmod");

/* readlink(2), realpath(3): no room has any */
ssize_t path_calls_readlink(const char *path, char *out, size_t size) INSTEAD_OF("readlink");
char *path_calls_realpath(const char *path, char *out) INSTEAD_OF("realpath");

/* opendir(3) and what it gives */
DIR *path_calls_opendir(const char *path) INSTEAD_OF("opendir");
struct dirent *path_calls_readdir(DIR *folder) INSTEAD_OF("readdir");
struct dirent *path_calls_readdir64(DIR *folder) INSTEAD_OF("readdir64");
void path_calls_rewinddir(DIR *folder) INSTEAD_OF("rewinddir");
/* closedir(3) and dirfd(3): no walk of a room has a descriptor */
int path_calls_closedir(DIR *folder) INSTEAD_OF("closedir");
int path_calls_dirfd(DIR *folder) INSTEAD_OF("dirfd");

#endif
