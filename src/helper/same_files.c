/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Reads both files of a name side by side, a piece at a time. */
#include "helper/same_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 64 * 1024 };

static bool is_same_file(int a, int b)
{
    static char from_a[PIECE], from_b[PIECE];
    struct stat about_a, about_b;
    ssize_t length = 0;
    if (a < 0 || b < 0 || fstat(a, &about_a) != 0 || fstat(b, &about_b) != 0) return false;
    if (!S_ISREG(about_a.st_mode) || !S_ISREG(about_b.st_mode)) return false;
    do {
        length = read(a, from_a, sizeof from_a);
        if (length < 0 || read(b, from_b, sizeof from_b) != length) return false;
        if (memcmp(from_a, from_b, (size_t)length) != 0) return false;
    } while (length > 0);
    return true;
}

/* How many of its files count. */
static unsigned files_count(DIR *folder, bool (*counts)(const char *name))
{
    unsigned count = 0;
    for (const struct dirent *entry; (entry = readdir(folder));) count += counts(entry->d_name);
    return count;
}

static bool files_compare(DIR *a, DIR *b, bool (*counts)(const char *name))
{
    bool is_same = true;
    unsigned count = 0;
    for (const struct dirent *entry; is_same && (entry = readdir(a));) {
        if (!counts(entry->d_name)) continue;
        int in_a = openat(dirfd(a), entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        int in_b = openat(dirfd(b), entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        is_same = is_same_file(in_a, in_b);
        if (in_a >= 0) close(in_a);
        if (in_b >= 0) close(in_b);
        count++;
    }
    return is_same && count > 0 && files_count(b, counts) == count;
}

static DIR *folder_open(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (fd >= 0 && !folder) close(fd);
    return folder;
}

bool same_files(int parent, const char *a, const char *b, bool (*counts)(const char *name))
{
    DIR *in_a = folder_open(parent, a), *in_b = folder_open(parent, b);
    bool is_same = in_a && in_b && files_compare(in_a, in_b, counts);
    if (in_a) closedir(in_a);
    if (in_b) closedir(in_b);
    return is_same;
}
