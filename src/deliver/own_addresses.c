/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Interfaces and listeners of this machine. */
#include "deliver/own_addresses.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/log.h"

enum { INTERFACES_MOST = 1000 };

void own_addresses_find(struct own_addresses *own)
{
    struct ifaddrs *first = NULL;
    if (getifaddrs(&first) != 0) {
        log_warning("addresses of this machine: %s", strerror(errno));
        return;
    }
    own->addresses = memory_alloc(INTERFACES_MOST * sizeof *own->addresses);
    for (const struct ifaddrs *at = first; at && own->address_count < INTERFACES_MOST; at = at->ifa_next) {
        struct endpoint endpoint;
        if (endpoint_from_sockaddr(at->ifa_addr, &endpoint))
            own->addresses[own->address_count++] = endpoint.address;
    }
    freeifaddrs(first);
}

static void configured_free(struct own_addresses *own)
{
    free((void *)own->hostname.at);
    free(own->listeners);
}

void own_addresses_free(struct own_addresses *own)
{
    configured_free(own);
    free(own->addresses);
}

void own_addresses_configure(struct own_addresses *own, const struct config *config)
{
    configured_free(own);
    own->hostname = text_from(memory_string(config->hostname), config->hostname.length);
    own->listeners = memory_alloc((config->listener_count + 1) * sizeof *own->listeners);
    own->listener_count = config->listener_count;
    for (size_t i = 0; i < config->listener_count; i++) own->listeners[i] = config->listeners[i].endpoint;
}
