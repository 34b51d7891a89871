/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The disk's sync rate: one writer appends a block and waits for fdatasync, again and again. What a server
   that synced each message by itself could take at most. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/die.h"
#include "base/log.h"
#include "latency.h"
#include "tool.h"

int main(int argc, char **argv)
{
    static struct latency latency;
    if (argc < 2 || argc > 4) {
        fputs("usage: fsync FOLDER [SECONDS [BYTES]]\n"
              "Appends BYTES (4096) and syncs, for SECONDS (2), in an unnamed file in FOLDER.\n",
              stderr);
        return EX_USAGE;
    }
    log_open("fsync", LOG_TARGET_STDERR, NULL, LOG_LEVEL_WARNING);
    double seconds = argc > 2 ? tool_decimal("seconds", argv[2], 0.01, 3600) : 2;
    size_t size = argc > 3 ? tool_number("bytes", argv[3], 1, 1u << 30) : 4096;
    char *block = memory_alloc(size);
    int fd = open(argv[1], O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) die_errno("cannot make a file in %s", argv[1]);
    double begun = tool_now(), now = begun;
    while (now < begun + seconds) {
        if (write(fd, block, size) != (ssize_t)size) die_errno("write");
        if (fdatasync(fd) != 0) die_errno("fdatasync");
        double done = tool_now();
        latency_add(&latency, done - now);
        now = done;
    }
    close(fd);
    free(block);
    printf("%.0f syncs/s of %zu bytes; p50 %.3f ms, p99 %.3f ms, max %.3f ms\n",
           (double)latency.samples / (now - begun), size, latency_quantile(&latency, 0.5) * 1e3,
           latency_quantile(&latency, 0.99) * 1e3, latency.most * 1e3);
    return 0;
}
