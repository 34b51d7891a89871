/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What destinations have in common: the number of connections, servers put aside, questions to lookup. */
#include "deliver/pool.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/context.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/owner.h"
#include "config/domains.h"
#include "deliver/pool_private.h"

enum { SWEEP_MS = 5000, UNUSED_MS = 60000 };

static void on_sweep(void *context);
static void serve_starved(void *context);

struct pool *pool_new(const struct pool_start *start)
{
    struct pool *pool = memory_alloc(sizeof *pool);
    pool->magic = POOL_MAGIC;
    pool->start = *start;
    TAILQ_INIT(&pool->starved[0]);
    TAILQ_INIT(&pool->starved[1]);
    TAILQ_INIT(&pool->idle);
    pool->serve_starved = (struct deferred){ .run = serve_starved, .context = pool };
    pool->sweep = timer_new(start->ground->loop, on_sweep, pool);
    timer_set(pool->sweep, SWEEP_MS);
    return pool;
}

void pool_free(struct pool *pool)
{
    size_t slot = 0;
    struct hash_node *next = NULL, *node;
    while ((node = hash_table_walk(&pool->destinations, &slot, &next))) {
        struct destination *destination = OWNER_OF(node, struct destination, by_key);
        while (!TAILQ_EMPTY(&destination->lanes)) lane_leave(TAILQ_FIRST(&destination->lanes));
        destination_free(destination);
    }
    hash_table_free(&pool->destinations);
    hash_table_free(&pool->asking);
    hosts_free(&pool->hosts);
    loop_defer_cancel(pool->start.ground->loop, &pool->serve_starved);
    timer_free(pool->sweep);
    free(pool);
}

uint64_t pool_now_ms(const struct pool *pool)
{
    return loop_now_ms(pool->start.ground->loop);
}

/* --- destinations --- */

static struct destination *find(struct pool *pool, struct text key, uint64_t hash)
{
    struct hash_node *node = hash_table_first(&pool->destinations, hash);
    for (; node; node = hash_table_next(node)) {
        struct destination *destination = OWNER_OF(node, struct destination, by_key);
        if (!destination->is_retired && text_equal(destination->key, key)) return destination;
    }
    return NULL;
}

static bool statement_is_static(const struct domain *statement)
{
    for (size_t i = 0; i < statement->target_count; i++)
        if (statement->targets[i].use_mx) return false;
    return true;
}

const struct domain *pool_statement(const struct pool *pool, bool is_detour, struct text domain)
{
    return is_detour ? &pool->detour : config_find_domain(pool->start.ground->config, domain);
}

static struct destination *destination_for(struct pool *pool, struct text domain, bool is_detour)
{
    const struct domain *statement = pool_statement(pool, is_detour, domain);
    struct buffer key = { 0 };
    if (is_detour) buffer_add_text(&key, TEXT("detour "));
    route_key(statement, domain, &key);
    uint64_t hash = hash_text(buffer_text(&key));
    struct destination *destination = find(pool, buffer_text(&key), hash);
    if (!destination) {
        destination = destination_new(pool, buffer_text(&key), domain);
        destination->is_static = statement_is_static(statement);
        destination->is_detour = is_detour;
        hash_table_add(&pool->destinations, &destination->by_key, hash);
    }
    buffer_free(&key);
    destination->used_ms = pool_now_ms(pool);
    return destination;
}

static void line_add(struct destination *destination, struct errand *errand, bool is_urgent)
{
    errand->destination = destination;
    if (is_urgent)
        TAILQ_INSERT_HEAD(&destination->line, errand, line);
    else
        TAILQ_INSERT_TAIL(&destination->line, errand, line);
    destination->waiting++;
    destination->is_hurried = destination->is_hurried || errand->wants_answer_now;
}

void pool_add(struct pool *pool, struct errand *errand, bool is_urgent)
{
    errand->is_detour = pool->has_detour && errand->has_content && !errand->wants_answer_now;
    struct destination *destination = destination_for(pool, errand->domain, errand->is_detour);
    line_add(destination, errand, is_urgent);
    destination_pump(destination);
}

void pool_remove(struct pool *pool, struct errand *errand)
{
    if (!errand->destination) return;
    TAILQ_REMOVE(&errand->destination->line, errand, line);
    errand->destination->waiting--;
    errand->destination = NULL;
}

/* --- how many connections --- */

/* Static routes may use all, the rest of the world leaves some free for them. An idle connection elsewhere
   makes room. */
bool pool_may_open(struct pool *pool, bool is_static)
{
    const struct config *config = pool->start.ground->config;
    uint32_t all = config->deliver.connections_all;
    uint32_t kept = config->deliver.connections_static < all ? config->deliver.connections_static : all - 1;
    bool has_first = !TAILQ_EMPTY(&pool->starved[1]) || (!is_static && !TAILQ_EMPTY(&pool->starved[0]));
    if (has_first && !pool->is_serving_starved) return false;
    for (;;) {
        uint32_t others = pool->lane_count - pool->lane_count_static;
        bool is_free = is_static ? pool->lane_count < all : pool->lane_count < all && others < all - kept;
        if (is_free) return true;
        struct lane *lane = TAILQ_FIRST(&pool->idle);
        while (lane && !is_static && pool->lane_count < all && lane->destination->is_static)
            lane = TAILQ_NEXT(lane, idle); /* its end would not help */
        if (!lane) return false;
        lane_leave(lane);
    }
}

bool pool_has_starved(const struct pool *pool)
{
    return !TAILQ_EMPTY(&pool->starved[0]) || !TAILQ_EMPTY(&pool->starved[1]);
}

void pool_starve(struct pool *pool, struct destination *destination)
{
    struct destination_line *line = &pool->starved[destination->is_static];
    if (destination->is_starved) return;
    destination->is_starved = true;
    if (pool->is_serving_starved)
        TAILQ_INSERT_HEAD(line, destination, starved); /* it keeps its place */
    else
        TAILQ_INSERT_TAIL(line, destination, starved);
}

void pool_serve_starved(struct pool *pool)
{
    if (pool_has_starved(pool) && !pool->is_serving_starved)
        loop_defer(pool->start.ground->loop, &pool->serve_starved);
}

/* Static routes first, each kind in order of arrival until one finds no room. */
static void serve_starved(void *context)
{
    struct pool *pool = CONTEXT(context, struct pool, POOL_MAGIC);
    pool->is_serving_starved = true;
    for (int kind = 1; kind >= 0; kind--) {
        struct destination *destination;
        while ((destination = TAILQ_FIRST(&pool->starved[kind]))) {
            TAILQ_REMOVE(&pool->starved[kind], destination, starved);
            destination->is_starved = false;
            destination_pump(destination);
            if (destination->is_starved) break;
        }
    }
    pool->is_serving_starved = false;
}

void pool_lane_ended(struct pool *pool, bool is_static)
{
    pool->lane_count--;
    if (is_static) pool->lane_count_static--;
    pool_serve_starved(pool);
    if (pool->is_stopping && pool->lane_count == 0) pool->start.is_empty(pool->start.context);
}

/* --- questions to lookup --- */

bool pool_ask(struct pool *pool, struct destination *destination)
{
    struct route *route = destination->route;
    destination->ask_id = ++pool->last_ask_id;
    destination->asked_ms = pool_now_ms(pool);
    hash_table_add(&pool->asking, &destination->by_ask, hash_table_number(destination->ask_id));
    return pool->start.ask(pool->start.context, destination->ask_id, route);
}

static struct destination *asker_take(struct pool *pool, uint64_t id, enum route_status status)
{
    struct hash_node *node = hash_table_first(&pool->asking, hash_table_number(id));
    for (; node; node = hash_table_next(node)) {
        struct destination *destination = OWNER_OF(node, struct destination, by_ask);
        if (destination->ask_id != id || destination->route->status != status) continue;
        hash_table_remove(&pool->asking, node);
        destination->ask_id = 0;
        return destination;
    }
    return NULL; /* too late, or of before a reload */
}

void pool_host_is(struct pool *pool, uint64_t id, const struct host_answer *answer)
{
    struct destination *destination = asker_take(pool, id, ROUTE_ASK_HOST);
    if (!destination) return;
    route_host_answer(destination->route, pool->start.own, answer);
    destination_route_changed(destination);
}

void pool_mx_is(struct pool *pool, uint64_t id, const struct mx_answer *answer)
{
    struct destination *destination = asker_take(pool, id, ROUTE_ASK_MX);
    if (!destination) return;
    route_mx_answer(destination->route, pool->start.own, answer);
    destination_route_changed(destination);
}

/* At most a line a minute, and only where something else was told before. */
static void source_tell(struct pool *pool, const struct outbound_source *source)
{
    enum { TELL_EVERY_MS = 60000 };
    char room[ADDRESS_TEXT_SIZE];
    uint64_t now = pool_now_ms(pool);
    bool is_good = source->status == CLIENT_NAME_CONFIRMED, was_told = pool->source_told_ms > 0;
    bool is_same = was_told && pool->source_told.status == source->status &&
                   address_equal(&pool->source_told.address, &source->address);
    if (is_same || (was_told && now - pool->source_told_ms < TELL_EVERY_MS) || (is_good && !was_told)) return;
    pool->source_told = *source;
    pool->source_told_ms = now;
    address_print(&source->address, room);
    if (is_good)
        log_info("mail goes out over IPv6 too: the reverse name of %s is confirmed", room);
    else if (source->status == CLIENT_NAME_TEMPERROR)
        log_warning(
            "mail goes out over IPv4 alone: the reverse name of %s, where mail over IPv6 would come from, "
            "could not be looked up",
            room);
    else
        log_warning(
            "mail goes out over IPv4 alone: %s, where mail over IPv6 would come from, has no confirmed "
            "reverse name (deliver ipv6)",
            room);
}

static void sources_learn(struct pool *pool, const struct sources_answer *answer)
{
    for (uint32_t i = 0; i < answer->count; i++) {
        if (address_is_zero(&answer->sources[i].address)) continue;
        pool->last_source = answer->sources[i];
        source_tell(pool, &pool->last_source);
    }
}

void pool_sources_are(struct pool *pool, uint64_t id, const struct sources_answer *answer)
{
    struct destination *destination = asker_take(pool, id, ROUTE_ASK_SOURCES);
    if (!destination) return;
    sources_learn(pool, answer);
    route_sources_answer(destination->route, answer);
    pool->left_out += destination->route->left_out;
    destination_route_changed(destination);
}

void pool_ask_again(struct pool *pool)
{
    size_t slot = 0;
    struct hash_node *next = NULL, *node;
    while ((node = hash_table_walk(&pool->asking, &slot, &next))) {
        struct destination *destination = OWNER_OF(node, struct destination, by_ask);
        pool->start.ask(pool->start.context, destination->ask_id, destination->route);
    }
}

/* No answer at all: lookup is down or has lost the question. */
static void ask_expire(struct pool *pool, struct destination *destination)
{
    uint64_t id = destination->ask_id;
    if (destination->route->status == ROUTE_ASK_SOURCES)
        pool_sources_are(pool, id, &(struct sources_answer){ 0 });
    else if (destination->route->status == ROUTE_ASK_MX)
        pool_mx_is(pool, id, &(struct mx_answer){ .status = DNS_TEMPERROR });
    else
        pool_host_is(pool, id, &(struct host_answer){ .status = DNS_TEMPERROR });
}

/* --- upkeep --- */

static void destinations_sweep(struct pool *pool, uint64_t now)
{
    size_t slot = 0;
    struct hash_node *next = NULL, *node;
    while ((node = hash_table_walk(&pool->destinations, &slot, &next))) {
        struct destination *destination = OWNER_OF(node, struct destination, by_key);
        if (!destination_is_unused(destination) || destination->is_starved) continue;
        if (!destination->is_retired && destination->used_ms + UNUSED_MS > now) continue;
        hash_table_remove(&pool->destinations, node);
        destination_free(destination);
    }
}

static void asking_sweep(struct pool *pool, uint64_t now)
{
    struct hash_node *next, *node;
    bool is_found = true;
    while (is_found) { /* an answer may begin a new question: walk from the start after each */
        size_t slot = 0;
        next = NULL;
        is_found = false;
        while ((node = hash_table_walk(&pool->asking, &slot, &next)) && !is_found) {
            struct destination *destination = OWNER_OF(node, struct destination, by_ask);
            is_found = destination->asked_ms + ASK_LIFE_MS <= now;
            if (is_found) ask_expire(pool, destination);
        }
    }
}

static void on_sweep(void *context)
{
    struct pool *pool = CONTEXT(context, struct pool, POOL_MAGIC);
    uint64_t now = pool_now_ms(pool);
    asking_sweep(pool, now);
    hosts_sweep(&pool->hosts, now);
    destinations_sweep(pool, now);
    timer_set(pool->sweep, SWEEP_MS);
}

/* --- reload, stop, status --- */

static void retire(struct pool *pool, struct destination *destination, struct errand_line *moving)
{
    if (destination->ask_id) {
        hash_table_remove(&pool->asking, &destination->by_ask);
        destination->ask_id = 0;
    }
    destination->is_retired = true;
    TAILQ_CONCAT(moving, &destination->line, line);
    destination->waiting = 0;
    destination_leave_idle(destination);
}

void pool_reload(struct pool *pool)
{
    size_t slot = 0;
    pool->source_told_ms = 0;
    struct hash_node *next = NULL, *node;
    struct errand_line moving;
    struct errand *errand;
    TAILQ_INIT(&moving);
    while ((node = hash_table_walk(&pool->destinations, &slot, &next)))
        retire(pool, OWNER_OF(node, struct destination, by_key), &moving);
    while ((errand = TAILQ_FIRST(&moving))) {
        TAILQ_REMOVE(&moving, errand, line);
        pool_add(pool, errand, false);
    }
}

void pool_detour(struct pool *pool, const struct endpoint *to)
{
    pool->has_detour = to != NULL;
    if (to) {
        bool is_node = pool->start.ground->config->node.certificate.path.length > 0;
        pool->detour_target = (struct target){ .is_address = true, .endpoint = *to };
        pool->detour = (struct domain){ .name = TEXT("drain"),
                                        .targets = &pool->detour_target,
                                        .target_count = 1,
                                        .tls = is_node ? TLS_NODE : TLS_OFFERED,
                                        .smtputf8 = true };
    }
    pool_reload(pool);
}

bool pool_has_detour(const struct pool *pool)
{
    return pool->has_detour;
}

void pool_stop(struct pool *pool)
{
    pool->is_stopping = true;
    while (!TAILQ_EMPTY(&pool->idle)) lane_leave(TAILQ_FIRST(&pool->idle));
    if (pool->lane_count == 0) pool->start.is_empty(pool->start.context);
}

void pool_count(const struct pool *pool, struct pool_counts *out)
{
    size_t slot = 0;
    struct hash_node *next = NULL, *node;
    *out = (struct pool_counts){ .destinations = (uint32_t)pool->destinations.count,
                                 .connections = pool->lane_count,
                                 .connections_static = pool->lane_count_static,
                                 .set_aside = hosts_aside(&pool->hosts, pool_now_ms(pool)),
                                 .asking = (uint32_t)pool->asking.count,
                                 .left_out = pool->left_out,
                                 .last_source = pool->last_source };
    for (const struct lane *lane = TAILQ_FIRST(&pool->idle); lane; lane = TAILQ_NEXT(lane, idle)) out->idle++;
    while ((node = hash_table_walk(&pool->destinations, &slot, &next))) {
        const struct destination *destination = OWNER_OF(node, struct destination, by_key);
        out->waiting += destination->waiting;
        out->opening += destination->opening;
    }
}
