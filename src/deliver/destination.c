/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One destination: errands in line, lanes (connections) that take them, and the walk from server to server
   until one talks. */
#include "base/context.h"
#include "deliver/pool_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "config/domains.h"

struct destination *destination_new(struct pool *pool, struct text key, struct text domain)
{
    struct destination *destination = memory_alloc(sizeof *destination);
    destination->pool = pool;
    destination->key = text_from(memory_string(key), key.length);
    destination->domain = text_from(memory_string(domain), domain.length);
    TAILQ_INIT(&destination->line);
    TAILQ_INIT(&destination->lanes);
    return destination;
}

bool destination_is_unused(const struct destination *destination)
{
    return destination->waiting == 0 && destination->lane_count == 0 && destination->ask_id == 0;
}

void destination_free(struct destination *destination)
{
    route_free(destination->route);
    free((void *)destination->key.at);
    free((void *)destination->domain.at);
    free(destination);
}

/* --- lanes --- */

/* The counts by server follow the lane. */
static void lane_set_host(struct lane *lane, struct host *host)
{
    if (lane->host) {
        lane->host->lanes--;
        lane->host->busy -= lane->is_busy;
    }
    lane->host = host;
    lane->is_busy = host != NULL;
    if (host) {
        host->lanes++;
        host->busy++;
    }
}

static void lane_set_busy(struct lane *lane, bool is_busy)
{
    if (lane->is_busy == is_busy) return;
    lane->is_busy = is_busy;
    lane->host->busy += is_busy ? 1 : -1u;
}

/* Idle lanes stand first in their destination, the one used last before the others. */
static void lane_set_idle(struct lane *lane, bool is_idle)
{
    struct destination *destination = lane->destination;
    if (lane->is_idle == is_idle) return;
    lane->is_idle = is_idle;
    lane_set_busy(lane, !is_idle);
    TAILQ_REMOVE(&destination->lanes, lane, same_destination);
    if (is_idle) {
        TAILQ_INSERT_HEAD(&destination->lanes, lane, same_destination);
        TAILQ_INSERT_TAIL(&destination->pool->idle, lane, idle);
    } else {
        TAILQ_INSERT_TAIL(&destination->lanes, lane, same_destination);
        TAILQ_REMOVE(&destination->pool->idle, lane, idle);
    }
}

/* The lane's connection is gone or was never there. */
static void lane_end(struct lane *lane)
{
    struct destination *destination = lane->destination;
    lane_set_idle(lane, false);
    if (!lane->is_open) destination->opening--;
    lane_set_host(lane, NULL);
    destination->lane_count--;
    TAILQ_REMOVE(&destination->lanes, lane, same_destination);
    free(lane);
    pool_lane_ended(destination->pool, destination->is_static);
}

void lane_leave(struct lane *lane)
{
    outbound_leave(lane->outbound);
    lane_end(lane);
}

static bool was_tried(const struct lane *lane, uint32_t hop)
{
    return lane->tried[hop / 64] >> (hop % 64) & 1;
}

/* How little a server is wanted: those put aside by the time they are free again; of the others, with
   `balance`, those at work. */
struct reluctance {
    uint64_t aside_until_ms;
    uint32_t busy;
};

static struct reluctance reluctance_of(const struct destination *destination, const struct endpoint *endpoint)
{
    struct pool *pool = destination->pool;
    const struct host *host = hosts_find(&pool->hosts, endpoint);
    if (!host) return (struct reluctance){ 0 };
    bool is_aside = host->aside_until_ms > pool_now_ms(pool);
    return (struct reluctance){ is_aside ? host->aside_until_ms : 0,
                                destination->route->balance ? host->busy : 0 };
}

static bool is_less(struct reluctance a, struct reluctance b)
{
    if (a.aside_until_ms != b.aside_until_ms) return a.aside_until_ms < b.aside_until_ms;
    return a.busy < b.busy;
}

/* The most wanted server that this lane has not tried; the first in order of equal ones. */
static bool hop_choose(struct lane *lane)
{
    const struct route *route = lane->destination->route;
    struct reluctance least = { UINT64_MAX, UINT32_MAX };
    bool is_found = false;
    for (uint32_t i = 0; i < route->hop_count; i++) {
        if (was_tried(lane, i)) continue;
        struct reluctance one = reluctance_of(lane->destination, &route->hops[i].endpoint);
        if (is_found && !is_less(one, least)) continue;
        is_found = true;
        least = one;
        lane->hop = i;
    }
    return is_found;
}

static const struct outbound_events lane_events;

/* `without_tls`: the server's has just failed. */
static void lane_connect(struct lane *lane, bool without_tls)
{
    const struct route *route = lane->destination->route;
    lane->tried[lane->hop / 64] |= 1ULL << (lane->hop % 64);
    lane_set_host(lane, hosts_get(&lane->destination->pool->hosts, &route->hops[lane->hop].endpoint));
    lane->is_without_tls = without_tls;
    bool is_clear = route->tls == TLS_OFFERED &&
                    (without_tls || host_goes_clear(lane->host, pool_now_ms(lane->destination->pool)));
    lane->outbound = outbound_open(
        &(struct outbound_start){ .ground = lane->destination->pool->start.ground,
                                  .hop = &route->hops[lane->hop],
                                  .host = lane->host,
                                  .tls = is_clear ? TLS_OFF : route->tls,
                                  .tls_name = route->tls_name,
                                  .smtputf8 = route->smtputf8,
                                  .connect_most_ms = lane->destination->is_hurried ? HURRY_MS : 0,
                                  .events = &lane_events,
                                  .owner = lane });
}

static void lane_open(struct destination *destination)
{
    struct lane *lane = memory_alloc(sizeof *lane);
    lane->magic = LANE_MAGIC;
    lane->destination = destination;
    if (destination->lane_count++ == 0) destination->was_reached = false;
    destination->opening++;
    destination->pool->lane_count++;
    if (destination->is_static) destination->pool->lane_count_static++;
    TAILQ_INSERT_TAIL(&destination->lanes, lane, same_destination);
    hop_choose(lane); /* a route that is ready has a first hop */
    lane_connect(lane, false);
}

static bool has_open_lane(const struct destination *destination, const struct endpoint *endpoint)
{
    const struct lane *lane = TAILQ_FIRST(&destination->lanes);
    for (; lane; lane = TAILQ_NEXT(lane, same_destination))
        if (lane->is_open && outbound_endpoint(lane->outbound)->port == endpoint->port &&
            address_equal(&outbound_endpoint(lane->outbound)->address, &endpoint->address))
            return true;
    return false;
}

/* --- the line --- */

void destination_fail(struct destination *destination, enum recipient_ending ending, uint16_t code,
                      struct text enhanced, struct text reason, bool is_down, bool is_unreachable)
{
    struct errand_line line;
    struct errand *errand;
    TAILQ_INIT(&line);
    TAILQ_CONCAT(&line, &destination->line, line);
    destination->waiting = 0;
    while ((errand = TAILQ_FIRST(&line))) {
        struct handover *handover = &errand->handover;
        TAILQ_REMOVE(&line, errand, line);
        errand->destination = NULL;
        errand->is_started = true;
        errand->destination_down = is_down;
        errand->unreachable = is_unreachable;
        const char *status = arena_text(handover->arena, enhanced).at;
        handover_end_rest_by_us(handover, ending, status, arena_text(handover->arena, reason));
        for (uint32_t i = 0; i < handover->envelope->recipient_count; i++) handover->results[i].code = code;
        errand->on_done(errand);
    }
}

static bool is_wanted_more(const struct host *a, const struct host *b)
{
    return a->busy != b->busy ? a->busy < b->busy : a->turn < b->turn;
}

/* Idle lanes stand first, the one used last before the others. NULL: none is idle. */
static struct lane *idle_choose(const struct destination *destination)
{
    struct lane *best = TAILQ_FIRST(&destination->lanes);
    if (!best || !best->is_idle) return NULL;
    if (!destination->route->balance) return best;
    struct lane *lane = TAILQ_NEXT(best, same_destination);
    for (; lane && lane->is_idle; lane = TAILQ_NEXT(lane, same_destination))
        if (is_wanted_more(lane->host, best->host)) best = lane;
    return best;
}

/* Gives errands to idle lanes. A lane may end under its errand. */
static void line_serve(struct destination *destination)
{
    struct lane *lane;
    while (destination->waiting > 0 && (lane = idle_choose(destination))) {
        struct errand *errand = TAILQ_FIRST(&destination->line);
        TAILQ_REMOVE(&destination->line, errand, line);
        destination->waiting--;
        errand->destination = NULL;
        lane_set_idle(lane, false);
        lane->host->turn = ++destination->pool->last_turn;
        lane->served++;
        if (!outbound_give(lane->outbound, errand)) lane_set_idle(lane, true);
    }
}

/* Every server was found to accept no connection a moment ago. */
static bool is_known_dead(const struct destination *destination)
{
    const struct route *route = destination->route;
    uint64_t now = pool_now_ms(destination->pool);
    if (!destination->is_hurried || destination->lane_count > 0) return false;
    for (uint32_t i = 0; i < route->hop_count; i++) {
        const struct host *host = hosts_find(&destination->pool->hosts, &route->hops[i].endpoint);
        if (!host || !host->is_unreachable || host->aside_until_ms <= now) return false;
    }
    return true;
}

/* Whom somebody waits for is told at once; the others may wait for a server. */
static void hurried_fail(struct destination *destination)
{
    struct errand_line patient;
    struct errand *errand;
    uint32_t patient_count = 0;
    TAILQ_INIT(&patient);
    TAILQ_FOREACH(errand, &destination->line, line) patient_count += !errand->wants_answer_now;
    if (patient_count == destination->waiting) return;
    for (struct errand *next = TAILQ_FIRST(&destination->line); (errand = next);) {
        next = TAILQ_NEXT(errand, line);
        if (errand->wants_answer_now) continue;
        TAILQ_REMOVE(&destination->line, errand, line);
        TAILQ_INSERT_TAIL(&patient, errand, line);
    }
    destination_fail(destination, RECIPIENT_DEFERRED, 0, TEXT("4.4.1"),
                     TEXT("no server accepts a connection"), true, true);
    TAILQ_CONCAT(&destination->line, &patient, line);
    destination->waiting += patient_count;
}

static bool route_is_old(const struct destination *destination)
{
    return !destination->route || pool_now_ms(destination->pool) >= destination->route_until_ms;
}

static void lanes_add(struct destination *destination)
{
    struct pool *pool = destination->pool;
    uint32_t limit = destination->route->connections ? destination->route->connections
                                                     : pool->start.ground->config->deliver.connections;
    bool is_crowded = pool_now_ms(pool) < destination->crowded_until_ms;
    while (destination->waiting > destination->opening && destination->lane_count < limit) {
        if (is_crowded && destination->lane_count > 0) return;
        if (!pool_may_open(pool, destination->is_static)) {
            pool_starve(pool, destination);
            return;
        }
        lane_open(destination);
    }
}

static void route_begin(struct destination *destination)
{
    struct pool *pool = destination->pool;
    const struct config *config = pool->start.ground->config;
    const struct domain *statement = pool_statement(pool, destination->is_detour, destination->domain);
    route_free(destination->route);
    destination->route = route_new(config, statement, destination->domain, pool->start.own);
    destination->route_until_ms = pool_now_ms(pool) + ROUTE_LIFE_MS;
}

static void route_none(struct destination *destination)
{
    const struct route *route = destination->route;
    bool is_down = route->ending == RECIPIENT_DEFERRED;
    if (is_down && destination->lane_count > 0) { /* those there are go on */
        destination->route_until_ms = pool_now_ms(destination->pool) + CROWDED_MS;
        return;
    }
    if (is_down) log_warning("no way to %.*s: %.*s", TEXT_ARG(destination->domain), TEXT_ARG(route->reason));
    destination_fail(destination, route->ending, 0, text_of(route->enhanced), route->reason, is_down, false);
    destination->route_until_ms = 0;
}

void destination_pump(struct destination *destination)
{
    line_serve(destination);
    if (destination->waiting == 0 || destination->waiting <= destination->opening || destination->ask_id)
        return;
    if (route_is_old(destination) && destination->opening == 0) route_begin(destination);
    destination_route_changed(destination);
}

void destination_route_changed(struct destination *destination)
{
    switch (destination->route->status) {
    case ROUTE_ASK_HOST:
    case ROUTE_ASK_MX:
    case ROUTE_ASK_SOURCES:
        pool_ask(destination->pool, destination);
        break;
    case ROUTE_NONE:
        route_none(destination);
        break;
    case ROUTE_READY:
        if (is_known_dead(destination)) hurried_fail(destination);
        lanes_add(destination);
        break;
    }
}

void destination_leave_idle(struct destination *destination)
{
    struct lane *lane;
    while ((lane = TAILQ_FIRST(&destination->lanes)) &&
           lane->is_idle) /* NOLINT(clang-analyzer-unix.Malloc): it left the list before it was freed */
        lane_leave(lane);
}

/* --- the lanes' events --- */

static void clear_learn(struct lane *lane)
{
    const struct endpoint *endpoint = &lane->host->endpoint;
    char room[ADDRESS_TEXT_SIZE];
    log_warning("[%s]:%u offers TLS that does not come about: mail to it goes in the clear for an hour",
                address_print(&endpoint->address, room), endpoint->port);
    host_learn_clear(lane->host, pool_now_ms(lane->destination->pool));
}

static void on_ready(void *owner, struct outbound *outbound)
{
    struct lane *lane = CONTEXT(owner, struct lane, LANE_MAGIC);
    struct destination *destination = lane->destination;
    if (!lane->is_open) {
        lane->is_open = true;
        destination->opening--;
        host_forgive(lane->host);
        if (lane->is_without_tls) clear_learn(lane);
    }
    lane_set_idle(lane, true);
    if (destination->is_retired && destination->waiting == 0) {
        lane_leave(lane);
    } else if (destination->pool->is_stopping ||
               (lane->served >= LANE_SHARE && pool_has_starved(destination->pool))) {
        lane_leave(lane);
        destination_pump(destination);
    } else if (destination->waiting > 0) {
        destination_pump(destination);
    } else {
        pool_serve_starved(destination->pool);
    }
}

static void failure_keep(struct destination *destination, const struct hop *hop,
                         const struct dialogue_failure *failure)
{
    char room[ADDRESS_TEXT_SIZE];
    snprintf(destination->failure_room, sizeof destination->failure_room, "%.*s[%s]:%u: %.*s",
             TEXT_ARG(hop->host), address_print(&hop->endpoint.address, room), hop->endpoint.port,
             TEXT_ARG(failure->reason));
    /* A refusal of the whole session says nothing final about a message. */
    snprintf(destination->failure_status, sizeof destination->failure_status, "4%.*s",
             TEXT_ARG(text_slice(failure->enhanced, 1, failure->enhanced.length)));
    destination->failure = (struct dialogue_failure){ failure->code, text_of(destination->failure_status),
                                                      text_of(destination->failure_room) };
}

/* No lane is left and no server talked: the line is deferred. */
static void all_failed(struct destination *destination)
{
    const struct dialogue_failure *failure = &destination->failure;
    uint16_t code = failure->code >= 500 ? 0 : failure->code;
    destination_fail(destination, RECIPIENT_DEFERRED, code, failure->enhanced, failure->reason, true,
                     !destination->was_reached);
}

static void host_fail(struct lane *lane, bool is_unreachable)
{
    const struct destination *destination = lane->destination;
    uint64_t most_ms = destination->is_hurried ? HURRY_MS : ASIDE_MOST_MS;
    host_set_aside(lane->host, pool_now_ms(destination->pool), most_ms, is_unreachable);
}

static void on_failed(void *owner, struct outbound *outbound, const struct dialogue_failure *failure,
                      bool try_clear)
{
    struct lane *lane = CONTEXT(owner, struct lane, LANE_MAGIC);
    struct destination *destination = lane->destination;
    const struct hop *hop = &destination->route->hops[lane->hop];
    lane->outbound = NULL;
    if (try_clear) {
        lane_connect(lane, true);
        return;
    }
    failure_keep(destination, hop, failure);
    if (has_open_lane(destination, outbound_endpoint(outbound))) {
        destination->crowded_until_ms = pool_now_ms(destination->pool) + CROWDED_MS;
        lane_end(lane);
        return;
    }
    destination->was_reached = destination->was_reached || !failure->is_unconnected;
    host_fail(lane, failure->is_unconnected);
    if (destination->waiting > 0 && hop_choose(lane)) {
        lane_connect(lane, false);
        return;
    }
    lane_end(lane);
    if (destination->lane_count == 0) all_failed(destination);
}

static void on_closed(void *owner, struct outbound *outbound)
{
    struct lane *lane = CONTEXT(owner, struct lane, LANE_MAGIC);
    struct destination *destination = lane->destination;
    lane_end(lane);
    if (destination->waiting > 0) destination_pump(destination);
}

static void on_returned(void *owner, struct errand *errand)
{
    struct lane *lane = CONTEXT(owner, struct lane, LANE_MAGIC);
    struct destination *destination = lane->destination;
    if (errand->may_move) host_fail(lane, false);
    errand->destination = destination;
    TAILQ_INSERT_HEAD(&destination->line, errand, line);
    destination->waiting++;
}

static const struct outbound_events lane_events = { on_ready, on_failed, on_closed, on_returned };
