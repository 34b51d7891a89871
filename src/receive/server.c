/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What sessions ask of the process as a whole. Called by sessions of all kinds, and by ports.c. */
#include "receive/server.h"

#include <stdlib.h>

void server_session_ended(struct server *server)
{
    if (server->is_stopping && !server->sessions && server->stop_timer) timer_set(server->stop_timer, 0);
}

uint64_t server_share(const struct server *server, uint64_t limit)
{
    return limit / server->processes;
}

void server_port_release(struct port *port)
{
    if (--port->users > 0) return;
    tls_context_free(port->tls);
    for (size_t i = 0; i < port->hosted_count; i++) tls_context_free(port->hosted[i].tls);
    arena_free(port->arena);
    free(port);
}
