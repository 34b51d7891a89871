/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Answers GET /metrics on sockets that master made. Costs no more than HTTP_CONNECTIONS connections with a
   reply each, whoever connects and however slowly he reads. */
#ifndef SEKIMORI_METRICS_HTTP_SERVER_H
#define SEKIMORI_METRICS_HTTP_SERVER_H

#include "base/buffer.h"
#include "base/loop.h"

enum {
    HTTP_CONNECTIONS = 16, /* who comes when there are so many takes the place of the oldest */
    HTTP_TIME_MS = 10000   /* for the request and the whole of the reply */
};

struct http_server;

/* Never NULL. `compose` appends the content of the reply; `type` is its media type, in static storage. */
struct http_server *http_server_new(struct loop *loop, const char *type,
                                    void (*compose)(void *context, struct buffer *out), void *context);

/* Listens on these from now on, in place of those before: they are taken over; -1: none. */
void http_server_listen(struct http_server *server, const int *fds, unsigned count);

struct http_server_counts {
    uint64_t served, refused; /* with 200; with another code */
    unsigned connections;     /* open now */
};
struct http_server_counts http_server_counts(const struct http_server *server); /* a copy */

void http_server_free(struct http_server *server); /* with its sockets and connections */

#endif
