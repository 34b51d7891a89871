/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Servers by endpoint, for destination.c and pool.c. */
#include "deliver/host_state.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/owner.h"
#include "base/text.h"

static uint64_t endpoint_hash(const struct endpoint *endpoint)
{
    struct text bytes = text_from((const char *)endpoint->address.bytes, sizeof endpoint->address.bytes);
    return hash_text(bytes) ^ hash_table_number(endpoint->port);
}

static struct host *find(const struct hosts *hosts, const struct endpoint *endpoint)
{
    struct hash_node *node = hash_table_first(&hosts->by_endpoint, endpoint_hash(endpoint));
    for (; node; node = hash_table_next(node)) {
        struct host *host = OWNER_OF(node, struct host, node);
        if (host->endpoint.port == endpoint->port &&
            address_equal(&host->endpoint.address, &endpoint->address))
            return host;
    }
    return NULL;
}

const struct host *hosts_find(const struct hosts *hosts, const struct endpoint *endpoint)
{
    return find(hosts, endpoint);
}

struct host *hosts_get(struct hosts *hosts, const struct endpoint *endpoint)
{
    struct host *host = find(hosts, endpoint);
    if (host) return host;
    host = memory_alloc(sizeof *host);
    host->endpoint = *endpoint;
    hash_table_add(&hosts->by_endpoint, &host->node, endpoint_hash(endpoint));
    return host;
}

void hosts_free(struct hosts *hosts)
{
    size_t slot = 0;
    struct hash_node *next = NULL, *node;
    while ((node = hash_table_walk(&hosts->by_endpoint, &slot, &next)))
        free(OWNER_OF(node, struct host, node));
    hash_table_free(&hosts->by_endpoint);
}

void host_set_aside(struct host *host, uint64_t now_ms, uint64_t most_ms, bool is_unreachable)
{
    host->is_unreachable = is_unreachable;
    if (host->aside_until_ms > now_ms) return;
    uint64_t pause = (uint64_t)ASIDE_FIRST_MS << (host->failures < 5 ? host->failures : 5);
    host->failures++;
    host->aside_until_ms = now_ms + (pause < most_ms ? pause : most_ms);
}

void host_forgive(struct host *host)
{
    host->aside_until_ms = 0;
    host->failures = 0;
    host->is_unreachable = false;
}

enum dialogue_trust host_trust(const struct host *host, uint64_t now_ms)
{
    if (!host->is_in_step || now_ms < host->doubted_until_ms) return TRUST_NONE;
    return host->tells_apart ? TRUST_AHEAD : TRUST_COUNT;
}

void host_learn(struct host *host, enum dialogue_finding finding, uint64_t now_ms)
{
    if (finding == FOUND_NOTHING) return;
    bool is_bad = finding == FOUND_OUT_OF_STEP || finding == FOUND_HANGS_UP;
    host->is_in_step = !is_bad;
    if (finding == FOUND_HANGS_UP || !is_bad) host->hangs_up = is_bad;
    host->tells_apart = finding == FOUND_TELLS_APART;
    host->learned_ms = now_ms;
    if (is_bad) host->doubted_until_ms = now_ms + HOST_DOUBT_MS;
}

bool host_goes_clear(const struct host *host, uint64_t now_ms)
{
    return now_ms < host->clear_until_ms;
}

void host_learn_clear(struct host *host, uint64_t now_ms)
{
    host->clear_until_ms = now_ms + HOST_CLEAR_MS;
}

uint32_t hosts_aside(const struct hosts *hosts, uint64_t now_ms)
{
    size_t slot = 0;
    struct hash_node *next = NULL, *node;
    uint32_t count = 0;
    while ((node = hash_table_walk(&hosts->by_endpoint, &slot, &next)))
        count += OWNER_OF(node, struct host, node)->aside_until_ms > now_ms;
    return count;
}

void hosts_sweep(struct hosts *hosts, uint64_t now_ms)
{
    size_t slot = 0;
    struct hash_node *next = NULL, *node;
    while ((node = hash_table_walk(&hosts->by_endpoint, &slot, &next))) {
        struct host *host = OWNER_OF(node, struct host, node);
        bool is_aside = host->aside_until_ms > 0 && host->aside_until_ms + ASIDE_MOST_MS > now_ms;
        bool is_learned = host->learned_ms > 0 && host->learned_ms + HOST_MEMORY_MS > now_ms &&
                          hosts->by_endpoint.count <= HOSTS_REMEMBERED_MOST;
        bool is_clear = host_goes_clear(host, now_ms) && hosts->by_endpoint.count <= HOSTS_REMEMBERED_MOST;
        if (host->lanes > 0 || is_aside || is_learned || is_clear) continue;
        hash_table_remove(&hosts->by_endpoint, node);
        free(host);
    }
}
