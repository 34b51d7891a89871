/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* All destinations and their connections: which errand goes where, how many connections there may be, which
   servers are put aside after a failure, which names wait for lookup. */
#ifndef SEKIMORI_DELIVER_POOL_H
#define SEKIMORI_DELIVER_POOL_H

#include "deliver/outbound.h"

struct pool;

struct pool_start {
    struct outbound_ground *ground; /* borrowed; its config may be replaced before pool_reload */
    struct own_addresses *own;      /* borrowed, likewise */
    /* Asks lookup the question that the route stands at; answered by pool_host_is, pool_mx_is or
       pool_sources_are with the same id. False: lookup is not there now. */
    bool (*ask)(void *context, uint64_t id, const struct route *route);
    void (*is_empty)(void *context); /* after pool_stop: nothing is under way any more */
    void *context;
};

/* Never NULL. `start` is copied, what it points to is borrowed. */
struct pool *pool_new(const struct pool_start *start);
void pool_free(struct pool *pool); /* connections are closed; errands that wait are to be removed before */

/* Carries the errand out on a connection to a server of its domain, soon; `is_urgent`: before others that
   wait. errand->on_done is called once, perhaps from inside this call. */
void pool_add(struct pool *pool, struct errand *errand, bool is_urgent);

/* Takes an errand back that has not been started. on_done is not called. */
void pool_remove(struct pool *pool, struct errand *errand);

/* Lookup's answer to the question `id` of start.ask. One that nobody waits for any more is passed over. */
void pool_host_is(struct pool *pool, uint64_t id, const struct host_answer *answer);
void pool_mx_is(struct pool *pool, uint64_t id, const struct mx_answer *answer);
void pool_sources_are(struct pool *pool, uint64_t id, const struct sources_answer *answer);
void pool_ask_again(struct pool *pool); /* lookup was restarted */

/* The configuration in ground and own is a new one: routes are made anew, errands that wait move over,
   connections end when they are idle. */
void pool_reload(struct pool *pool);

/* The node is drained: messages go to this server instead of their own, those that wait too; call-outs do
   not. By `tls node` where this node has a certificate. NULL: they go their usual ways again. Makes all
   routes anew, as pool_reload does. */
void pool_detour(struct pool *pool, const struct endpoint *to);
bool pool_has_detour(const struct pool *pool); /* since pool_detour, until that of NULL */

/* Idle connections end now, busy ones after their errand. Waiting errands are to be removed before. */
void pool_stop(struct pool *pool);

struct pool_counts {
    uint32_t destinations, waiting, connections, connections_static, opening, idle, set_aside, asking;
    uint64_t left_out; /* servers by IPv6 that routes were made without (deliver ipv6) */
    struct outbound_source
        last_source; /* what lookup said last of an IPv6 address of ours; zeros: nothing yet */
};
/* Walks every destination. */
void pool_count(const struct pool *pool, struct pool_counts *out);

#endif
