/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Tells the ledger when a list is put aside and when it is in force again (judge/list_absence.h), so that the
   report can say how long it said nothing. Looks at all lists once a second. */
#ifndef SEKIMORI_LOOKUP_LIST_WATCH_H
#define SEKIMORI_LOOKUP_LIST_WATCH_H

#include "ipc/ring.h"
#include "lookup/list_inquiry.h"

struct list_watch;

/* Never NULL. `sources` are borrowed, with the configuration that they have at each look; `ring` too, NULL:
   nothing is told. */
struct list_watch *list_watch_new(const struct list_sources *sources, struct ring *ring);

/* How a list is now. *out_why, where it is aside: borrowed for the call. */
bool list_watch_is_aside(const struct list_sources *sources, struct text name, struct text *out_why);

#endif
