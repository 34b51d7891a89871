/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A child that reads strangers' bytes for a command: in its jail before the first of them, with bounds, no
   file and one channel. It ends with its parent. */
#ifndef SEKIMORI_CLI_JAILED_READER_H
#define SEKIMORI_CLI_JAILED_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct jailed_reader_order {
    const char *name;     /* in what its jail says: "judge" */
    int socket_type;      /* of the channel: SOCK_SEQPACKET or SOCK_STREAM */
    uint64_t space_bytes; /* of its memory */
    uint32_t cpu_s;       /* of processor time; 0: any */
    bool has_jail;
    void (*serve)(int channel, const void *context); /* until the parent is gone; then the child ends */
    const void *context;
};

struct jailed_reader {
    pid_t pid;
    int channel;
};

/* False with errno. One that cannot enter its jail says so on standard error and ends. */
bool jailed_reader_start(const struct jailed_reader_order *order, struct jailed_reader *out);

/* Ends it, whatever it is at. */
void jailed_reader_end(struct jailed_reader *reader);

#endif
