/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The process above one command: the first of its namespaces, so that all in them ends with it. The command
   and whatever it starts are killed by the kernel when the keeper ends or is killed, and it is when engine
   ends. */
#ifndef SEKIMORI_ENGINE_KEEPER_H
#define SEKIMORI_ENGINE_KEEPER_H

#include <sys/types.h>

#include "base/sandbox.h"
#include "base/text.h"

struct keeper_order {
    char *const *arguments;         /* ended by NULL; the first is the program's path */
    const struct jail_paths *paths; /* what it may open; NULL: there is no jail */
    const char *scratch;            /* the path of its own folder, cleared before it is run */
    struct text bytes;              /* the message, where `body` is -1 */
    int body;                       /* or a descriptor of it: sealed memory, or a file */
    bool is_sealed;
    uint64_t size;
    uint32_t seconds;   /* of processor time, each process */
    int output, report; /* writing ends of pipes; the command gets the first as its outputs */
};

/* What a keeper tells before it ends; the first that comes holds. One that was killed tells nothing. */
struct keeper_report {
    enum { KEEPER_EXITED, KEEPER_KILLED, KEEPER_FAILED } outcome;
    uint32_t number; /* exit status, signal, or the errno for which it was not run */
};

/* The pid of the keeper, which has copies of all descriptors; -1 with errno. The caller waits for it, and may
   kill it. */
pid_t keeper_fork(const struct keeper_order *order);

#endif
