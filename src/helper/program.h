/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One program of the administrator's, from its start to its end: in a session of its own, with nothing of
   ours but what is given to it, and never longer than its time. */
#ifndef SEKIMORI_HELPER_PROGRAM_H
#define SEKIMORI_HELPER_PROGRAM_H

#include "base/loop.h"
#include "base/sandbox.h"
#include "config/settings.h"
#include "ipc/ask_helper.h"

struct program;

struct program_order {
    const char *name; /* for the log: "alarm hook" */
    const struct text_list *command;
    struct text input;              /* its standard input, whole */
    char *const *environment;       /* NULL-ended; all it gets */
    const struct jail_paths *paths; /* what it may open; NULL: whatever we may */
    uint64_t limit_ms;
    /* Each line of what it says that goes to the log, borrowed. May be NULL. */
    void (*said)(void *context, struct text line);
    /* Once, never from inside a call: the program has ended, and what is left of its process group is killed.
       What it started and what left that group lives on, and is nothing of ours. */
    void (*ended)(void *context, const struct program_end *end);
    void *context;
};

/* Copies what it needs, the name excepted. NULL, and the reason is in the log: it may not be run, or cannot.
 */
struct program *program_start(struct loop *loop, const struct program_order *order);

/* The time it may still take is at most this. */
void program_hurry(struct program *program, uint64_t within_ms);

#endif
