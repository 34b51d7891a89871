/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* How the sink answers: what it defers, refuses, stalls or drops, and which extensions it leaves out. Said on
   the command line, and again in a control file that is read anew whenever it has changed. */
#ifndef SEKIMORI_CLI_TESTTOOLS_SINK_BEHAVIOUR_H
#define SEKIMORI_CLI_TESTTOOLS_SINK_BEHAVIOUR_H

#include <sys/stat.h>

#include "base/arena.h"

/* Where in the dialogue: the reply that is affected. SINK_KEPT (drop only): behind the message's safe
   keeping, before the reply to it. */
enum sink_state {
    SINK_CONNECT,
    SINK_HELLO,
    SINK_MAIL,
    SINK_RCPT,
    SINK_DATA,
    SINK_END,
    SINK_KEPT,
    SINK_STATE_COUNT,
    SINK_NEVER = SINK_STATE_COUNT, /* in a behaviour */
    SINK_ELSEWHERE                 /* of a reply that nothing can be told about */
};

enum sink_extension {
    SINK_PIPELINING = 1,
    SINK_SIZE = 2,
    SINK_8BITMIME = 4,
    SINK_SMTPUTF8 = 8,
    SINK_CHUNKING = 16,
    SINK_DSN = 32,
    SINK_ENHANCEDSTATUSCODES = 64,
    SINK_STARTTLS = 128,
    SINK_XCLIENT = 256
};

enum { SINK_PATTERN_SIZE = 128 };

struct sink_behaviour {
    unsigned defer_percent;                                 /* of the replies at defer_at */
    enum sink_state defer_at, refuse_at, stall_at, drop_at; /* SINK_NEVER: not */
    uint64_t stall_ms;
    unsigned without; /* enum sink_extension bits */
    /* Recipients whose address contains this get 450 or 550; empty: none. */
    char defer_to[SINK_PATTERN_SIZE], refuse_to[SINK_PATTERN_SIZE];
};

void sink_behaviour_start(struct sink_behaviour *behaviour); /* everything is accepted */

/* One statement: "defer" "30", "defer" "all@rcpt", "refuse" "rcpt", "stall" "2.5@data", "drop" "kept",
   "no-ext" "DSN,SIZE", "defer-to" "slow@", "refuse-to" "nobody@". NULL, or what is wrong. */
const char *sink_behaviour_set(struct sink_behaviour *behaviour, struct text word, struct text value);

/* A control file: one statement a line, "#" begins a comment. What it says comes on top of `base`. */
struct sink_control {
    const char *path; /* NULL: none */
    struct timespec changed;
    off_t size;
    ino_t inode;
};

/* Reads the file when it is new or has changed; a file that is gone means `base`. False when it has an error,
   said in `why` ("line 3: …"); what stands before the error is in force. */
bool sink_control_check(struct sink_control *control, const struct sink_behaviour *base,
                        struct sink_behaviour *behaviour, char *why, size_t size);

#endif
