/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Lets clients in or turns them away. Called by connection.c at the greeting and by xclient.c. */
#include "receive/admission.h"

#include "base/log.h"
#include "receive/eviction.h"

/* Connections with lines of their own in the log: of one client, and of all in one process. */
enum { NOTED_A_MINUTE = 1000, NOTED_AT_ONCE = 3000, NOTED_A_SECOND = 50 };

bool admission_is_noted(struct server *server)
{
    return log_has_room(
        &server->noted, NOTED_AT_ONCE, NOTED_A_SECOND, loop_now_ms(server->loop), LOG_LEVEL_INFO,
        "too many connect at once: the lines of %llu connections are left out, but for their mail");
}

static struct client_numbers enter(struct session *session)
{
    struct server *server = session->server;
    struct client_numbers numbers;
    struct address client = address_client_network(&session->client, server->config->limits.ipv6_prefix);
    session->entry = client_limits_enter(server->clients, &client, loop_now_ms(server->loop), &numbers);
    session->has_entered = true;
    session->is_quiet = numbers.in_minute > NOTED_A_MINUTE || !admission_is_noted(server);
    if (numbers.in_minute == NOTED_A_MINUTE + 1)
        log_info("%.*s has connected %d times in this minute: the lines of the next connections are left out",
                 TEXT_ARG(session->client_text), NOTED_A_MINUTE);
    return numbers;
}

/* NULL: nothing hinders. */
static const char *hindrance(struct session *session, const struct client_numbers *numbers)
{
    const struct config *config = session->server->config;
    if (config->limits.per_client && numbers->connections > config->limits.per_client)
        return "too many connections from your address";
    if (config->limits.rate_per_client && numbers->in_minute > config->limits.rate_per_client)
        return "you connect too often, try again later";
    if (config->limits.rate && numbers->all_in_minute > config->limits.rate)
        return "too busy, try again later";
    if (numbers->all_connections > config->limits.connections &&
        !eviction_makes_place(session->server, session))
        return "too many connections, try again later";
    return NULL;
}

struct reply admission_ask(struct session *session)
{
    session_leave(session);
    if (network_list_has(&session->port->listener.deny, &session->client))
        return (struct reply){ 554, "5.7.1", "access denied" };
    struct client_numbers numbers = enter(session);
    const char *no = hindrance(session, &numbers);
    return no ? (struct reply){ 421, "4.7.0", no } : (struct reply){ 0 };
}

struct reply admission_of_peer(struct session *session)
{
    const struct network_list *from = &session->port->listener.from;
    if (from->count > 0 && !network_list_has(from, &session->client))
        return (struct reply){ 554, "5.7.1", "access denied: this port is for listed hosts" };
    return admission_ask(session);
}

/* --- messages --- */

static bool needs_queue(const struct session *session)
{
    return session->port->listener.relay != RELAY_THROUGH;
}

bool admission_waits_for_queue(const struct session *session)
{
    return needs_queue(session) && !session->server->queue;
}

struct reply admission_of_message(struct session *session)
{
    struct server *server = session->server;
    const struct config *config = server->config;
    uint32_t rate = config->limits.message_rate_per_client, all;
    if (admission_waits_for_queue(session))
        return (struct reply){ 451, "4.3.0", "the queue is not there now, try again later" };
    if (needs_queue(session) && server->queue_is_full)
        return (struct reply){ 452, "4.3.1", "no room now, try again later" };
    if (!eviction_makes_room(server, session, 1))
        return (struct reply){ 452, "4.3.1", "too much mail in flight, try again later" };
    uint32_t sent = client_limits_message(server->clients, session->entry, loop_now_ms(server->loop), &all);
    if (rate && sent > rate)
        return (struct reply){ 450, "4.7.1", "too many messages from your address, try again later" };
    if (config->limits.message_rate && all > config->limits.message_rate)
        return (struct reply){ 450, "4.7.1", "too busy, try again later" };
    return (struct reply){ 0 };
}
