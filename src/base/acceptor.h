/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A listening socket on the loop. Where no descriptor or memory is left for who arrives it rests, and lets
   them wait in the kernel: a socket that is always ready and never accepted from would spin the process. */
#ifndef SEKIMORI_BASE_ACCEPTOR_H
#define SEKIMORI_BASE_ACCEPTOR_H

#include <sys/socket.h>

#include "base/loop.h"

struct acceptor;

/* `fd` is taken over, closed by acceptor_free, and must be non-blocking. `arrived` is given a descriptor of
   its own, non-blocking, and where it is from; it must not free the acceptor. */
struct acceptor *acceptor_new(struct loop *loop, int fd,
                              void (*arrived)(void *context, int fd, const struct sockaddr_storage *from),
                              void *context);
void acceptor_free(struct acceptor *acceptor); /* NULL is allowed */

#endif
