/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Hands alarms to helper, which runs the hook. An order is given again, once, when helper died over it. */
#ifndef SEKIMORI_REPORT_HOOKS_H
#define SEKIMORI_REPORT_HOOKS_H

#include "base/loop.h"
#include "ipc/ask_helper.h"

struct hooks;

enum { HOOKS_MOST = 64 }; /* without an answer; what is beyond is lost, and the log says so */

struct hooks *hooks_new(struct loop *loop); /* never NULL, as long as the process */
/* helper is there, or there again. */
void hooks_set_helper(struct hooks *hooks, int fd);

/* `done` (NULL: nobody) comes once, not from inside the call. */
struct hooks_waiter {
    void (*done)(void *context, const struct program_end *end);
    void *context;
};
/* The notice is copied. Without helper it waits for it. */
void hooks_tell(struct hooks *hooks, const struct alarm_notice *notice, struct hooks_waiter waiter);

struct hooks_counts {
    uint64_t good, bad; /* bad: failed, late, lost or not run */
};
struct hooks_counts hooks_counts(const struct hooks *hooks); /* a copy */

#endif
