/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The listening sockets. master binds them, keeps them over restarts of receive, and gives them away. */
#ifndef SEKIMORI_MASTER_LISTENERS_H
#define SEKIMORI_MASTER_LISTENERS_H

#include "config/settings.h"
#include "master/passed.h"

/* One socket a listener of the configuration, in the same order; behind them that of `ledger listen` and that
   of `metrics listen`, if there are. */
struct listeners {
    size_t count;
    size_t mail_count; /* of those for mail */
    size_t metrics_at; /* the one for monitors; `count`: there is none */
    struct endpoint *endpoints;
    int *fds;
};

/* Takes what the configuration wants from `old` and from `passed` where the endpoint is the same, and binds
   the rest. All or nothing: on failure nothing of `old` has changed and `error` says which address and why;
   one of `passed` that no listener takes is a failure too. `old` may be NULL; `passed` is the same each time.
 */
bool listeners_open(struct listeners *out, const struct config *config, const struct listeners *old,
                    const struct passed *passed, char *error, size_t size);

/* Stops listening for mail, so that new connections are refused at once, or listens again. The sockets stay
   bound. */
bool listeners_serve(const struct listeners *listeners, bool serve); /* false with errno: not all */

/* How many of those for mail do not listen now. */
size_t listeners_shut(const struct listeners *listeners);

/* Closes those of `old` that `now` did not take over; frees the lists. */
void listeners_drop(struct listeners *old, const struct listeners *now);

#endif
