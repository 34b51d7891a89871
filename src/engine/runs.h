/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Each message that consult brings is a run: a command from its start to its answer. */
#ifndef SEKIMORI_ENGINE_RUNS_H
#define SEKIMORI_ENGINE_RUNS_H

#include "engine/command_set.h"
#include "ipc/child.h"

struct runs;

/* `set` is borrowed. `rooms`: paths of private folders, one for each that runs at once, borrowed for
   good;
   `trouble`: why nothing can be run, for each answer; NULL: it can. */
struct runs *runs_new(struct child *child, struct command_set *set, const char *const *rooms,
                      size_t room_count, const char *trouble);

/* consult, by its channel. What ran for a channel before it is killed. */
void runs_connect(struct runs *runs, int fd);

void runs_status(const struct runs *runs, struct buffer *out); /* appends */

#endif
