/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "config/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "config/load.h"

static const char *descriptor_read(int fd, size_t most, struct arena *arena, struct text *out_bytes)
{
    struct buffer buffer = { 0 };
    const char *why = NULL;
    for (;;) {
        char *room = buffer_reserve(&buffer, 65536);
        ssize_t got = read(fd, room, 65536);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) why = strerror(errno);
        if (got <= 0) break;
        buffer_commit(&buffer, (size_t)got);
        if (buffer_length(&buffer) <= most) continue;
        why = most == CONFIG_FILE_MOST ? "is larger than 16 MiB" : "is larger than 64 MiB";
        break;
    }
    if (!why) *out_bytes = arena_text(arena, buffer_text(&buffer));
    buffer_free(&buffer);
    return why;
}

const char *whole_file_read(const char *path, size_t most, struct arena *arena, struct text *out_bytes,
                            bool *out_open)
{
    struct stat stat;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return strerror(errno);
    const char *why = fstat(fd, &stat) != 0                               ? strerror(errno)
                      : S_ISDIR(stat.st_mode)                             ? "is a folder"
                      : !S_ISREG(stat.st_mode) && !S_ISFIFO(stat.st_mode) ? "is not a file"
                                                                          : NULL;
    if (!why) {
        fcntl(fd, F_SETFL, 0); /* it was O_NONBLOCK so that open() cannot hang; a pipe is waited for */
        *out_open = (stat.st_mode & S_IROTH) != 0;
        why = descriptor_read(fd, most, arena, out_bytes);
    }
    close(fd);
    return why;
}
