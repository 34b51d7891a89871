/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What the report process keeps over its own end. */
#include "report/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

bool state_file_read(int folder, const char *name, struct buffer *out)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        if (errno != ENOENT) log_error("report/%s cannot be read: %m", name);
        return false;
    }
    ssize_t got = 1;
    while (got > 0 && buffer_length(out) < STATE_FILE_BYTES_MOST) {
        got = read(fd, buffer_reserve(out, 65536), 65536);
        if (got > 0) buffer_commit(out, (size_t)got);
    }
    if (got < 0) log_error("report/%s cannot be read: %m", name);
    close(fd);
    return got >= 0;
}

bool state_file_write(int folder, const char *name, struct text content)
{
    bool is_good = file_replace(folder, name, content, 0640);
    if (!is_good) log_error("report/%s cannot be written: %m", name);
    return is_good;
}

bool state_file_read_pair(int folder, const char *name, uint64_t out[2])
{
    struct buffer file = { 0 };
    struct text word;
    bool is_whole = state_file_read(folder, name, &file);
    struct text rest = text_trim(buffer_text(&file));
    for (int i = 0; i < 2; i++)
        is_whole = is_whole && text_next_word(&rest, &word) && text_to_number(word, UINT64_MAX, &out[i]);
    buffer_free(&file);
    return is_whole;
}

bool state_file_write_pair(int folder, const char *name, uint64_t first, uint64_t second)
{
    char line[64];
    snprintf(line, sizeof line, "%" PRIu64 " %" PRIu64 "\n", first, second);
    return state_file_write(folder, name, text_of(line));
}
