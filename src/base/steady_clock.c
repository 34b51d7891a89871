/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The steady time and its file: one line of a fixed length, written in place, so that a full disk takes it
 * too. */
#include "base/steady_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

enum { LINE_BYTES = 256, SET_LEAST_MS = 1000 };

static void boot_read(char room[STEADY_BOOT_SIZE])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, room, STEADY_BOOT_SIZE - 1);
    if (fd >= 0) close(fd);
    room[got > 0 ? got : 0] = '\0';
    room[strcspn(room, "\n")] = '\0';
}

struct stored {
    char boot[STEADY_BOOT_SIZE];
    int64_t base_ms, offset_ms, settled_ms, set_ms, steady_ms;
};

static bool stored_read(int fd, struct stored *out)
{
    char line[LINE_BYTES + 1] = "";
    if (fd < 0 || pread(fd, line, LINE_BYTES, 0) != LINE_BYTES) return false;
    return sscanf(line,
                  "%39s base %" SCNd64 " offset %" SCNd64 " settled %" SCNd64 " set %" SCNd64 " at %" SCNd64,
                  out->boot, &out->base_ms, &out->offset_ms, &out->settled_ms, &out->set_ms,
                  &out->steady_ms) == 6;
}

static void store(struct steady *steady, int64_t now_ms)
{
    char line[LINE_BYTES + 1];
    steady->stored_ms = now_ms;
    if (steady->fd < 0) return;
    int length =
        snprintf(line, sizeof line,
                 "%s base %" PRId64 " offset %" PRId64 " settled %" PRId64 " set %" PRId64 " at %" PRId64,
                 steady->boot[0] ? steady->boot : "-", steady->base_ms, steady->offset_ms, steady->settled_ms,
                 steady->set_ms, now_ms);
    memset(line + length, ' ', (size_t)(LINE_BYTES - 1 - length));
    line[LINE_BYTES - 1] = '\n';
    if (!file_write_at(steady->fd, text_from(line, LINE_BYTES), 0) || fdatasync(steady->fd) != 0)
        log_warning("the steady time cannot be kept: %s", strerror(errno));
}

static int64_t limited(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

/* Steady time now, by what the last process wrote. */
static int64_t go_on(const struct steady *steady, const struct stored *stored, int64_t wall_ms,
                     int64_t boot_ms)
{
    bool is_same_boot = steady->boot[0] && strcmp(steady->boot, stored->boot) == 0;
    if (is_same_boot && boot_ms + stored->base_ms + SET_LEAST_MS >= stored->steady_ms)
        return boot_ms + stored->base_ms;
    return limited(wall_ms - stored->offset_ms, stored->steady_ms, stored->steady_ms + STEADY_OFF_MOST_MS);
}

void steady_begin(struct steady *steady, int folder, const char *name, const char *boot, uint64_t wall_ms,
                  uint64_t boot_ms)
{
    struct stored stored;
    *steady = (struct steady){ .fd = openat(folder, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) };
    if (steady->fd < 0) log_warning("the steady time cannot be kept: %s: %s", name, strerror(errno));
    if (boot)
        snprintf(steady->boot, sizeof steady->boot, "%s", boot);
    else
        boot_read(steady->boot);
    int64_t now = (int64_t)wall_ms;
    if (stored_read(steady->fd, &stored)) {
        now = go_on(steady, &stored, (int64_t)wall_ms, (int64_t)boot_ms);
        steady->offset_ms = stored.offset_ms;
        steady->settled_ms = stored.settled_ms;
        steady->set_ms = stored.set_ms;
    }
    steady->base_ms = now - (int64_t)boot_ms;
    steady_look(steady, wall_ms, boot_ms);
    store(steady, now);
}

void steady_end(struct steady *steady)
{
    if (steady->fd >= 0) close(steady->fd);
    steady->fd = -1;
}

int64_t steady_look(struct steady *steady, uint64_t wall_ms, uint64_t boot_ms)
{
    int64_t now = (int64_t)steady_ms(steady, boot_ms);
    int64_t set_ms = (int64_t)wall_ms - now - steady->offset_ms;
    bool is_set = set_ms >= SET_LEAST_MS || set_ms <= -SET_LEAST_MS;
    if (is_set) {
        steady->offset_ms += set_ms;
        steady->set_ms = now;
    }
    if (now - steady->set_ms >= STEADY_SETTLED_MS) steady->settled_ms = steady->offset_ms;
    if (is_set || now - steady->stored_ms >= STEADY_STORE_MS) store(steady, now);
    return is_set ? set_ms : 0;
}
