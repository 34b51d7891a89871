/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Chooses by receive/pace.h; drop.c takes leave. Called where there is no room for more. */
#include "receive/eviction.h"

#include "receive/drop.h"

enum { SLOW_MS = 1000, LOOK_MS = 250 };

static bool may_go(const struct session *session, const struct session *except, bool for_room)
{
    if (session == except || session->state == SESSION_WAITING || session->state == SESSION_CLOSING)
        return false;
    return for_room ? session->transaction.body.size > 0 : session->has_entered;
}

/* One pass over all sessions of the process: some tens of microseconds for a thousand. */
static struct session *slowest(struct server *server, const struct session *except, bool for_room)
{
    struct session *found = NULL;
    uint64_t most = SLOW_MS - 1, now = loop_now_ms(server->loop);
    struct pace_limits limits = session_pace_limits(server->config);
    for (struct session *session = server->sessions; session; session = session->next) {
        if (!may_go(session, except, for_room)) continue;
        uint64_t behind = pace_behind_ms(&session->pace, &limits, now);
        if (behind <= most) continue;
        most = behind;
        found = session;
    }
    return found;
}

static bool evict(struct server *server, const struct session *except, bool for_room)
{
    struct session *session = slowest(server, except, for_room);
    if (session) drop_slow(session);
    return session;
}

static bool has_too_many(const struct server *server)
{
    return server->session_count > server_share(server, server->config->limits.connections);
}

bool eviction_makes_place(struct server *server, const struct session *newcomer)
{
    return !has_too_many(server) || evict(server, newcomer, false);
}

bool eviction_makes_room(struct server *server, const struct session *session, uint64_t octets)
{
    const uint64_t room = server_share(server, server->config->limits.bodies_bytes);
    while (server->bodies_bytes + octets > room)
        if (!evict(server, session, true)) return false;
    return true;
}

static void look(void *context)
{
    struct server *server = context;
    uint32_t most = server->config->limits.connections;
    uint32_t all = client_limits_connected(server->clients);
    for (; all > most && has_too_many(server) && evict(server, NULL, false); all--) continue;
    eviction_watch(server);
}

void eviction_watch(struct server *server)
{
    if (!server->eviction_timer) server->eviction_timer = timer_new(server->loop, look, server);
    if (has_too_many(server) && !timer_is_set(server->eviction_timer))
        timer_set(server->eviction_timer, LOOK_MS);
}
