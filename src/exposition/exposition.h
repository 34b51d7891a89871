/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The metrics of a node: one row each, made of what its processes keep in shared memory. Nobody is asked, and
   nothing but memory is read. Called by the process `metrics` and by `sekimori metrics`. */
#ifndef SEKIMORI_EXPOSITION_EXPOSITION_H
#define SEKIMORI_EXPOSITION_EXPOSITION_H

#include "base/buffer.h"
#include "ipc/counters.h"
#include "ipc/health.h"

struct exposition_source {
    const struct counters_slot *slots; /* all of them */
    bool is_up;                        /* the node's word on its health is fresh, and in `health` */
    struct health_report health;
    uint64_t now_ms; /* by the clock */
};

/* Appends the whole text, "# EOF" at its end; about 25 KB. Labels have words of ours, names of processes and
   addresses of the configuration: nothing that a client says. */
void exposition_print(const struct exposition_source *source, struct buffer *out);

#endif
