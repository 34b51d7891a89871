/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Fetches signatures: freshclam where `update by self`, and the command of the second set. Each has its own
   hours (fetch_schedule.h) and runs beside hooks and the other one. What they bring is noticed by scan. */
#ifndef SEKIMORI_HELPER_FETCH_H
#define SEKIMORI_HELPER_FETCH_H

#include "helper/reach.h"
#include "ipc/child.h"

struct fetcher;

/* Never NULL. `child` and `reach` are borrowed, and read anew before each run; `scan`: the path of the
   program that tries a set by loading it. */
struct fetcher *fetcher_new(struct child *child, const struct reach *reach, const char *scan);

/* The configuration has changed. */
void fetcher_reload(struct fetcher *fetcher);
/* What runs is killed, and nothing is begun any more. */
void fetcher_stop(struct fetcher *fetcher);

/* A line for each that is wanted; for so long as none has gone well. Both append. */
void fetcher_status(const struct fetcher *fetcher, struct buffer *out);
void fetcher_health(const struct fetcher *fetcher, struct health_facts *out);

#endif
