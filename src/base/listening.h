/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Binding a port to listen on, and who has it where it is taken. Called by master to bind, by `check` to try.
 */
#ifndef SEKIMORI_BASE_LISTENING_H
#define SEKIMORI_BASE_LISTENING_H

#include <sys/types.h>

#include "base/address.h"
#include "base/buffer.h"

/* A TCP socket bound to the address, which may be on no interface yet; it does not listen. IPv6 takes no IPv4
   along. The caller owns it. -1 with errno. */
int listening_bind(const struct endpoint *endpoint);

struct listening_holder {
    bool is_found;
    pid_t pid; /* 0: /proc does not show us whose the socket is */
    uid_t uid; /* of the socket */
    char program[64];
};

/* Which process listens on an address and port that overlap with `endpoint`, as /proc tells; *out is always
   filled. */
void listening_find_holder(const struct endpoint *endpoint, struct listening_holder *out);

/* That process has such a socket open. */
bool listening_is_of(const struct endpoint *endpoint, pid_t pid);

/* "by master (pid 123)", or "by a process of user 0, which only root may see"; nothing where none is found.
 */
void listening_holder_print(const struct listening_holder *holder, struct buffer *out);

#endif
