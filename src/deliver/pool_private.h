/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What pool.c and destination.c share: destinations with their lines of errands and their lanes. */
#ifndef SEKIMORI_DELIVER_POOL_PRIVATE_H
#define SEKIMORI_DELIVER_POOL_PRIVATE_H

#include <sys/queue.h>

#include "deliver/hash_table.h"
#include "deliver/host_state.h"
#include "deliver/pool.h"

/* A connection that others wait for is given up after LANE_SHARE errands. */
enum { ROUTE_LIFE_MS = 60000, ASK_LIFE_MS = 60000, CROWDED_MS = 5000, LANE_SHARE = 20, HURRY_MS = 5000 };

TAILQ_HEAD(errand_line, errand);

/* One connection of a destination, from the first server tried until it is closed. */
struct lane {
    enum { LANE_MAGIC = 0x3d41c7e9 } magic;
    TAILQ_ENTRY(lane) same_destination;
    TAILQ_ENTRY(lane) idle; /* in pool->idle while is_idle */
    struct destination *destination;
    struct outbound *outbound;
    struct host *host;                           /* the server it is connected or connecting to */
    uint32_t hop;                                /* index in the route while opening */
    uint64_t tried[(ROUTE_HOPS_MOST + 63) / 64]; /* bits by hop */
    unsigned served;                             /* errands since it was opened */
    bool is_open, is_idle, is_busy;
    bool is_without_tls; /* since the server's did not come about */
};
TAILQ_HEAD(lane_list, lane);

struct destination {
    struct hash_node by_key, by_ask;
    TAILQ_ENTRY(destination) starved; /* in a line of the pool while is_starved */
    struct pool *pool;
    struct text key;    /* own memory */
    struct text domain; /* of the mail that made it; own memory */
    struct route *route;
    uint64_t route_until_ms, asked_ms, ask_id; /* ask_id 0: nothing asked */
    struct errand_line line;
    uint32_t waiting;
    struct lane_list lanes;
    uint32_t lane_count, opening;
    uint64_t crowded_until_ms; /* the server wants no more connections than there are */
    uint64_t used_ms;
    struct dialogue_failure failure; /* of the last lane that came to nothing */
    char failure_room[700], failure_status[16];
    bool was_reached; /* of those lanes that came to nothing together, one had a connection */
    bool is_hurried; /* somebody waits for what is sent here: a dead server is found out soon and retried soon
                      */
    bool is_detour;  /* its servers are the peer of a drained node */
    bool is_static, is_starved, is_retired; /* retired: by a reload; gets no new errand */
};

struct pool {
    enum { POOL_MAGIC = 0x574136da } magic;
    struct pool_start start;
    struct hash_table destinations, asking;
    struct hosts hosts;
    TAILQ_HEAD(destination_line, destination) starved[2]; /* by is_static: waiting for a connection */
    struct lane_list idle;                                /* the longest idle first */
    uint32_t lane_count, lane_count_static;
    uint64_t last_ask_id, last_turn;
    uint64_t left_out, source_told_ms;
    struct outbound_source last_source, source_told; /* told: in the log */
    struct timer *sweep;
    struct deferred serve_starved;
    bool is_serving_starved, is_stopping;
    bool has_detour;
    struct domain detour; /* the statement that stands in for every domain's */
    struct target detour_target;
};

/* destination.c */
/* Never NULL. Texts are copied; the pool is borrowed. Freed with its route, once destination_is_unused. */
struct destination *destination_new(struct pool *pool, struct text key, struct text domain);
bool destination_is_unused(const struct destination *destination); /* may be freed now */
void destination_free(struct destination *destination);
/* Gives errands to idle lanes; opens lanes, or asks for the route, for those that wait still. */
void destination_pump(struct destination *destination);
void destination_route_changed(struct destination *destination); /* an answer came */
/* Ends every errand that waits here, by us; the texts are copied. on_done may add errands anew. */
void destination_fail(struct destination *destination, enum recipient_ending ending, uint16_t code,
                      struct text enhanced, struct text reason, bool is_down, bool is_unreachable);
void destination_leave_idle(struct destination *destination); /* all of them take leave */
/* Takes leave of the server and frees the lane. */
void lane_leave(struct lane *lane);

/* pool.c */
/* May a lane be opened now? An idle one of others takes leave for it where that helps. False: get in line by
   pool_starve, once; pool_has_starved then. */
bool pool_may_open(struct pool *pool, bool is_static);
void pool_starve(struct pool *pool, struct destination *destination);
bool pool_has_starved(const struct pool *pool);
void pool_serve_starved(struct pool *pool); /* at the end of the turn */
/* Of the configuration, or of the detour; borrowed until the next pool_reload. */
const struct domain *pool_statement(const struct pool *pool, bool is_detour, struct text domain);
/* Counts it out. With the last lane of a pool that stops, is_empty is called. */
void pool_lane_ended(struct pool *pool, bool is_static);
/* Asks the question that the route stands at, under a new id. False: lookup is not there. */
bool pool_ask(struct pool *pool, struct destination *destination);
uint64_t pool_now_ms(const struct pool *pool); /* of the loop, monotonic */

#endif
