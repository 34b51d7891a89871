/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What the service manager is told of the node: the datagrams of sd_notify(3), by our own code. main.c tells
   what happens, heartbeat.c that the node lives. Nothing here waits. */
#ifndef SEKIMORI_MASTER_SYSTEMD_H
#define SEKIMORI_MASTER_SYSTEMD_H

#include <sys/socket.h>
#include <sys/un.h>

#include "base/text.h"

enum { SYSTEMD_STATUS_SIZE = 256, SYSTEMD_UNSENT_MOST = 1024 };

struct systemd {
    int fd; /* -1: nobody wants to know */
    struct sockaddr_un address;
    socklen_t length;
    uint64_t watchdog_ms; /* the manager ends the node after so long without a word; 0: never */
    uint64_t fed_ms;      /* when it had one last */
    bool is_ready;        /* it was told so, once */
    bool is_reloading;    /* it was told of a reload whose end it waits for */
    bool is_stopping;     /* the last word; a reload that ends later is not told */
    char status[SYSTEMD_STATUS_SIZE];
    size_t unsent_length; /* of what its full socket did not take; it goes before the next word */
    char unsent[SYSTEMD_UNSENT_MOST];
};

/* Reads NOTIFY_SOCKET (a path, or @ and an abstract name; another kind counts as none), WATCHDOG_USEC and
   WATCHDOG_PID (of another process: no watchdog), and takes them out of the environment, so that no process
   of the node has them. Call before any process is started. */
void systemd_open(struct systemd *out);

/* Every process is ready, for the first time. */
void systemd_ready(struct systemd *systemd);
/* A reload begins, and ends whatever came of it. What lies before the first systemd_ready or behind
   systemd_stopping is not told: its READY=1 would be a lie. */
void systemd_reloading(struct systemd *systemd);
void systemd_reloaded(struct systemd *systemd);
void systemd_stopping(struct systemd *systemd);

/* One line for `systemctl status`, escaped and cut to SYSTEMD_STATUS_SIZE; sent when it is another one. */
void systemd_status(struct systemd *systemd, struct text line);

/* At each round of the heartbeat, rounds being `period_ms` apart. Feeds the watchdog when half of its time is
   over, or would be before the next round, unless the node is not well: then the manager ends it. Sends
   what could not be sent before. */
void systemd_beat(struct systemd *systemd, uint64_t now_ms, uint32_t period_ms, bool is_well);

#endif
