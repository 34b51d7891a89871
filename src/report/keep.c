/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Written beside, synced, renamed over. */
#include "report/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"

bool keep_read(int folder, const char *name, struct buffer *out)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        if (errno != ENOENT) log_error("report/%s cannot be read: %m", name);
        return false;
    }
    ssize_t got = 1;
    while (got > 0 && buffer_length(out) < KEEP_BYTES_MOST) {
        got = read(fd, buffer_reserve(out, 65536), 65536);
        if (got > 0) buffer_commit(out, (size_t)got);
    }
    if (got < 0) log_error("report/%s cannot be read: %m", name);
    close(fd);
    return got >= 0;
}

static bool written(int fd, struct text content)
{
    while (content.length > 0) {
        ssize_t put = write(fd, content.at, content.length);
        if (put <= 0) return false;
        content = text_slice(content, (size_t)put, content.length);
    }
    return fsync(fd) == 0;
}

bool keep_write(int folder, const char *name, struct text content)
{
    char beside[64];
    snprintf(beside, sizeof beside, "%s.new", name);
    int fd = openat(folder, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    bool is_good = fd >= 0 && written(fd, content);
    if (fd >= 0) close(fd);
    is_good = is_good && renameat(folder, beside, folder, name) == 0 && fsync(folder) == 0;
    if (!is_good) log_error("report/%s cannot be written: %m", name);
    return is_good;
}

bool keep_read_pair(int folder, const char *name, uint64_t out[2])
{
    struct buffer file = { 0 };
    struct text word;
    bool is_whole = keep_read(folder, name, &file);
    struct text rest = text_trim(buffer_text(&file));
    for (int i = 0; i < 2; i++)
        is_whole = is_whole && text_next_word(&rest, &word) && text_to_number(word, UINT64_MAX, &out[i]);
    buffer_free(&file);
    return is_whole;
}

bool keep_write_pair(int folder, const char *name, uint64_t first, uint64_t second)
{
    char line[64];
    snprintf(line, sizeof line, "%" PRIu64 " %" PRIu64 "\n", first, second);
    return keep_write(folder, name, text_of(line));
}
