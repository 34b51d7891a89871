/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by `sekimori dns` and `sekimori auth`. */
#include "cli/own_resolver.h"

#include <stdio.h>

#include "base/log.h"
#include "config/value.h"

enum { CACHE_BYTES = 16 << 20, DNS_PORT = 53 };

/* The loop stays: nothing that was made on it may end after it. */
void own_resolver_close(struct own_resolver *own)
{
    if (own->resolver) resolver_free(own->resolver);
    own->resolver = NULL;
}

static bool server_set(struct own_resolver *own, const char *server)
{
    struct endpoint endpoint;
    char room[ADDRESS_TEXT_SIZE];
    if (!value_endpoint_parse(text_of(server), DNS_PORT, &endpoint)) {
        fprintf(stderr, "sekimori: %s is no ADDRESS or ADDRESS:PORT of a DNS server\n", server);
        return false;
    }
    snprintf(own->server, sizeof own->server, "%s@%u", address_print(&endpoint.address, room), endpoint.port);
    own->servers[0] = text_of(own->server);
    own->config.dns.servers.items = own->servers;
    own->config.dns.servers.count = 1;
    return true;
}

bool own_resolver_open(struct own_resolver *own, const char *server)
{
    *own = (struct own_resolver){ .config.dns.cache_bytes = CACHE_BYTES };
    if (server && !server_set(own, server)) return false;
    log_open("sekimori", LOG_TARGET_STDERR, NULL, LOG_LEVEL_WARNING);
    own->loop = loop_new();
    own->resolver = resolver_new(own->loop);
    if (resolver_configure(own->resolver, &own->config)) return true;
    own_resolver_close(own);
    return false;
}
