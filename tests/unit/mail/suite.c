/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The little that all suite runners share. */
#include "suite.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void suite_case(struct suite *suite, const char *id, bool equal, struct text got, struct text due)
{
    bool listed = false;
    for (size_t i = 0; i < suite->expected_count; i++) listed |= strcmp(suite->expected[i].id, id) == 0;
    suite->cases++;
    suite->as_expected += equal;
    suite->differ += !equal;
    if (equal == !listed) return;
    suite->unexpected++;
    if (equal)
        printf("suite %s: %s is listed as different and is not\n", suite->name, id);
    else
        printf("suite %s: %s differs\n  gives    %.300s\n  expected %.300s\n", suite->name, id,
               got.length ? got.at : "", due.length ? due.at : "");
}

bool suite_end(const struct suite *suite)
{
    printf("suite %s: %zu cases, %zu as expected, %zu differ (%zu listed)\n", suite->name, suite->cases,
           suite->as_expected, suite->differ, suite->expected_count);
    return suite->unexpected == 0 && suite->cases > 0;
}

bool suite_read(const char *path, struct buffer *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = -1;
    if (fd < 0) return false;
    while ((count = read(fd, buffer_reserve(out, 1 << 16), 1 << 16)) > 0) buffer_commit(out, (size_t)count);
    close(fd);
    *buffer_reserve(out, 1) = '\0';
    return count == 0;
}

void suite_walk(const char *folder, void (*each)(void *context, const char *path), void *context)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            if (entries[i]->d_type == DT_DIR)
                suite_walk(path, each, context);
            else
                each(context, path);
        }
        free(entries[i]);
    }
    if (count >= 0) free(entries);
}
