/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One datagram of NAME=VALUE lines for each word; of several states in one, the manager takes the last. */
#include "master/systemd.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

static bool address_read(const char *path, struct systemd *out)
{
    size_t length = path ? strlen(path) : 0;
    out->address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (length < 2 || length >= sizeof out->address.sun_path || (path[0] != '/' && path[0] != '@'))
        return false;
    memcpy(out->address.sun_path, path, length);
    if (path[0] == '@') out->address.sun_path[0] = '\0'; /* unix(7): an abstract name ends by its length */
    out->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return true;
}

/* Milliseconds; 0: none, or it is for another process. */
static uint64_t watchdog_read(const char *usec, const char *pid)
{
    uint64_t value = 0, of = 0;
    if (pid && (!text_to_number(text_of(pid), INT32_MAX, &of) || of != (uint64_t)getpid())) return 0;
    if (!usec || !text_to_number(text_of(usec), UINT64_MAX / 4, &value) || value == 0) return 0;
    return value < 1000 ? 1 : value / 1000;
}

void systemd_open(struct systemd *out)
{
    *out = (struct systemd){ .fd = -1 };
    if (address_read(getenv("NOTIFY_SOCKET"), out))
        out->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    out->watchdog_ms = watchdog_read(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

/* A socket that is gone is nobody's; one that is full gets it later. */
static void send_unsent(struct systemd *systemd)
{
    if (systemd->unsent_length == 0) return;
    ssize_t sent = sendto(systemd->fd, systemd->unsent, systemd->unsent_length, MSG_NOSIGNAL | MSG_DONTWAIT,
                          (struct sockaddr *)&systemd->address, systemd->length);
    bool is_full = sent < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == EINTR);
    if (!is_full) systemd->unsent_length = 0;
}

/* Lines that found no room make place for the newest, which says where the node is. */
static void tell(struct systemd *systemd, const char *lines)
{
    size_t length = strlen(lines);
    if (systemd->fd < 0) return;
    send_unsent(systemd);
    if (systemd->unsent_length + length > sizeof systemd->unsent) systemd->unsent_length = 0;
    memcpy(systemd->unsent + systemd->unsent_length, lines, length);
    systemd->unsent_length += length;
    send_unsent(systemd);
}

void systemd_ready(struct systemd *systemd)
{
    if (systemd->is_ready || systemd->is_stopping) return;
    systemd->is_ready = true;
    tell(systemd, "READY=1\n");
}

void systemd_reloading(struct systemd *systemd)
{
    char lines[64];
    struct timespec now;
    if (!systemd->is_ready || systemd->is_stopping) return;
    systemd->is_reloading = true;
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(lines, sizeof lines, "RELOADING=1\nMONOTONIC_USEC=%llu\n",
             (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
    tell(systemd, lines);
}

void systemd_reloaded(struct systemd *systemd)
{
    if (!systemd->is_reloading || systemd->is_stopping) return;
    systemd->is_reloading = false;
    tell(systemd, "READY=1\n");
}

void systemd_stopping(struct systemd *systemd)
{
    if (systemd->is_stopping) return;
    systemd->is_stopping = true;
    tell(systemd, "STOPPING=1\n");
}

void systemd_status(struct systemd *systemd, struct text line)
{
    char status[SYSTEMD_STATUS_SIZE], lines[SYSTEMD_STATUS_SIZE + 16];
    log_escape(line, status, sizeof status);
    if (strcmp(status, systemd->status) == 0) return;
    memcpy(systemd->status, status, sizeof status);
    snprintf(lines, sizeof lines, "STATUS=%s\n", status);
    tell(systemd, lines);
}

void systemd_beat(struct systemd *systemd, uint64_t now_ms, uint32_t period_ms, bool is_well)
{
    if (systemd->fd < 0) return;
    send_unsent(systemd);
    bool is_due = systemd->watchdog_ms > 0 && now_ms + period_ms - systemd->fed_ms > systemd->watchdog_ms / 2;
    if (!is_due || !is_well) return;
    systemd->fed_ms = now_ms;
    tell(systemd, "WATCHDOG=1\n");
}
