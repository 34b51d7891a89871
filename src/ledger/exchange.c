/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Arrivals wait in memory until the next batch: COURIER_WINDOW of each node at most, which courier sees to.
 */
#include "ledger/exchange.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/certificate.h"
#include "base/context.h"
#include "base/log.h"
#include "books/nodes.h"
#include "ipc/ask_courier.h"

enum { SERVE_LEAST_MS = 1000, LOOK_MS = 10000, NODES = 256 };

struct arrival {
    struct arrival *next;
    uint64_t connection, number, given_up, series;
    uint16_t node;
    struct buffer records;
    bool is_stored; /* in the transaction under way */
};

struct teller {
    struct teller *next;
    uint64_t connection, series;
    uint16_t node;
};

struct exchange {
    enum { EXCHANGE_MAGIC = 0x47f6fff1 } magic;
    struct loop *loop;
    const struct config *config;
    struct database *database;
    struct channel *courier;
    struct arrival *first, **last;
    struct teller *tellers;
    uint64_t boot;
    bool is_wished;
    uint64_t wish, after;    /* the wish of courier that has no answer yet */
    uint64_t told, released; /* parcels up to there */
    uint64_t released_ms, looked_ms, heard_ms;
    bool is_behind;
    struct exchange_facts facts;
    uint64_t old_ms; /* what is older than this by its keeping time may go */
};

/* A number that this boot has and no other. */
static uint64_t boot_read(void)
{
    char id[64] = "";
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, id, sizeof id);
    if (fd >= 0) close(fd);
    return text_checksum(text_from(id, length > 0 ? (size_t)length : 0));
}

struct exchange *exchange_new(struct loop *loop, const struct config *config)
{
    struct exchange *exchange = memory_alloc(sizeof *exchange);
    exchange->magic = EXCHANGE_MAGIC;
    exchange->loop = loop;
    exchange->last = &exchange->first;
    exchange->boot = boot_read();
    exchange_set_config(exchange, config);
    return exchange;
}

static void arrival_drop(struct exchange *exchange)
{
    struct arrival *arrival = exchange->first;
    exchange->first = arrival->next;
    if (!exchange->first) exchange->last = &exchange->first;
    buffer_free(&arrival->records);
    free(arrival);
}

static void tellers_drop(struct exchange *exchange)
{
    for (struct teller *teller; (teller = exchange->tellers);) {
        exchange->tellers = teller->next;
        free(teller);
    }
}

void exchange_free(struct exchange *exchange)
{
    while (exchange->first) arrival_drop(exchange);
    tellers_drop(exchange);
    channel_close(exchange->courier);
    free(exchange);
}

void exchange_set_config(struct exchange *exchange, const struct config *config)
{
    exchange->config = config;
    exchange->facts.sends = config->ledger.collectors.count > 0;
    exchange->facts.collects = config->ledger.listen.length > 0;
}

/* --- the database --- */

static struct text name_of(const struct config *config, struct arena *arena)
{
    struct certificate_facts facts;
    bool has = config->node.certificate.content.length > 0 &&
               certificate_read(config->node.certificate.content, arena, &facts);
    return has ? facts.name : config->hostname;
}

static void series_say(struct exchange *exchange)
{
    if (exchange->courier && exchange->database && outbox_is_on(exchange->database))
        courier_number_send(exchange->courier, COURIER_SERIES, 0, outbox_series(exchange->database));
}

enum books_outcome exchange_set_database(struct exchange *exchange, struct database *database)
{
    const struct config *config = exchange->config;
    struct arena *arena = arena_new(0);
    enum books_outcome outcome = BOOKS_DONE;
    exchange->database = database;
    exchange->is_wished = false;
    exchange->told = exchange->released = 0;
    if (database && config->node.number)
        outcome = nodes_set_here(database, config->node.number, name_of(config, arena), config->role);
    if (database && exchange->facts.collects) database_set_durable(database);
    if (database && exchange->facts.sends && outcome == BOOKS_DONE)
        outcome = outbox_begin(database, exchange->boot);
    arena_free(arena);
    if (outcome == BOOKS_DONE)
        series_say(exchange);
    else
        exchange->database = NULL;
    return outcome;
}

/* --- courier --- */

static struct teller *teller_find(const struct exchange *exchange, uint64_t connection)
{
    for (struct teller *teller = exchange->tellers; teller; teller = teller->next)
        if (teller->connection == connection) return teller;
    return NULL;
}

static void teller_forget(struct exchange *exchange, uint64_t connection)
{
    for (struct teller **at = &exchange->tellers; *at; at = &(*at)->next) {
        struct teller *teller = *at;
        if (teller->connection != connection) continue;
        *at = teller->next;
        free(teller);
        return;
    }
}

static void welcome(struct exchange *exchange, uint64_t connection, const struct node_hello *hello)
{
    uint64_t parcel = 0;
    const char *why = NULL;
    enum books_outcome outcome = BOOKS_LATER;
    if (exchange->database)
        outcome = nodes_welcome(exchange->database, hello->number, hello->name, (enum role)hello->role,
                                hello->series, &parcel, &why);
    if (outcome != BOOKS_DONE) why = "the ledger cannot store events now";
    teller_forget(exchange, connection);
    if (!why) {
        struct teller *teller = memory_alloc(sizeof *teller);
        *teller = (struct teller){ exchange->tellers, connection, hello->series, hello->number };
        exchange->tellers = teller;
        exchange->heard_ms = 0;
    }
    struct buffer *out = channel_begin(exchange->courier, COURIER_NODE_WELCOME, connection);
    put_u64(out, parcel);
    put_text(out, text_of(why ? why : ""));
    channel_end(exchange->courier);
}

static void arrival_add(struct exchange *exchange, uint64_t connection, const struct parcel *parcel)
{
    const struct teller *teller = teller_find(exchange, connection);
    if (!teller) return;
    struct arrival *arrival = memory_alloc(sizeof *arrival);
    *arrival = (struct arrival){ .connection = connection,
                                 .number = parcel->number,
                                 .given_up = parcel->given_up,
                                 .series = teller->series,
                                 .node = teller->node };
    buffer_add_text(&arrival->records, parcel->records);
    *exchange->last = arrival;
    exchange->last = &arrival->next;
}

static bool on_frame(void *context, struct frame *frame)
{
    struct exchange *exchange = CONTEXT(context, struct exchange, EXCHANGE_MAGIC);
    struct reader reader = reader_of(frame->payload);
    struct node_hello hello;
    struct parcel parcel;
    switch (frame->type) {
    case COURIER_PARCEL_WANTED:
        exchange->is_wished = true;
        exchange->wish = frame->id;
        exchange->after = get_u64(&reader);
        exchange_serve(exchange, exchange->old_ms);
        return reader_done(&reader);
    case COURIER_PARCELS_TOLD:
        exchange->told = get_u64(&reader);
        return reader_done(&reader);
    case COURIER_NODE_HELLO:
        if (!node_hello_get(&reader, &hello) || !reader_done(&reader)) return false;
        welcome(exchange, frame->id, &hello);
        return true;
    case COURIER_NODE_PARCEL:
        if (!parcel_get(&reader, &parcel) || !reader_done(&reader)) return false;
        arrival_add(exchange, frame->id, &parcel);
        return true;
    case COURIER_NODE_GONE:
        teller_forget(exchange, frame->id);
        return true;
    default:
        return false;
    }
}

/* Connections are told by numbers of that courier's: what it brought and is not stored will come again. */
static void courier_forget(struct exchange *exchange)
{
    tellers_drop(exchange);
    channel_close(exchange->courier);
    exchange->courier = NULL;
    exchange->is_wished = false;
    for (struct arrival *arrival = exchange->first; arrival; arrival = arrival->next) arrival->connection = 0;
}

static void on_closed(void *context)
{
    courier_forget(CONTEXT(context, struct exchange, EXCHANGE_MAGIC));
}

static const struct channel_events courier_events = { on_frame, on_closed };

void exchange_open(struct exchange *exchange, int fd)
{
    courier_forget(exchange);
    exchange->courier = channel_open(exchange->loop, fd, &courier_events, exchange);
    series_say(exchange);
}

/* --- arrivals --- */

bool exchange_has_arrivals(const struct exchange *exchange)
{
    return exchange->first != NULL;
}

static enum books_outcome arrival_store(struct exchange *exchange, struct arrival *arrival, unsigned *count,
                                        enum books_outcome (*store)(void *, struct text), void *context)
{
    struct database *database = exchange->database;
    struct reader reader = reader_of(buffer_text(&arrival->records));
    uint64_t events = 0, refused = 0;
    enum books_outcome outcome = BOOKS_DONE;
    if (nodes_has_parcel(database, arrival->node, arrival->series, arrival->number)) return BOOKS_DONE;
    database_set_node(database, arrival->node);
    while (reader.rest.length && outcome == BOOKS_DONE) {
        struct text record = get_text(&reader);
        if (reader.failed || !nodes_may_tell(arrival->node, record))
            refused++;
        else
            outcome = store(context, record), events++;
        if (reader.failed) break;
    }
    database_set_node(database, exchange->config->node.number);
    *count += (unsigned)(events + refused);
    exchange->facts.events += events;
    exchange->facts.refused += refused;
    if (refused)
        log_warning("node %u: %llu events make no sense or are not its own: left out", arrival->node,
                    (unsigned long long)refused);
    if (outcome != BOOKS_DONE) return outcome;
    return nodes_advance(database, arrival->node, arrival->number, loop_wall_ms(exchange->loop), events,
                         refused, arrival->given_up);
}

enum books_outcome exchange_store(struct exchange *exchange, unsigned most, unsigned *count,
                                  enum books_outcome (*store)(void *context, struct text record),
                                  void *context)
{
    enum books_outcome outcome = BOOKS_DONE;
    for (struct arrival *arrival = exchange->first; arrival && *count < most && outcome == BOOKS_DONE;
         arrival = arrival->next) {
        outcome = arrival_store(exchange, arrival, count, store, context);
        arrival->is_stored = outcome == BOOKS_DONE;
    }
    return outcome;
}

void exchange_kept(struct exchange *exchange)
{
    while (exchange->first && exchange->first->is_stored) {
        const struct arrival *arrival = exchange->first;
        if (arrival->connection && exchange->courier)
            courier_number_send(exchange->courier, COURIER_NODE_STORED, arrival->connection, arrival->number);
        arrival_drop(exchange);
    }
}

void exchange_again(struct exchange *exchange)
{
    for (struct arrival *arrival = exchange->first; arrival; arrival = arrival->next)
        arrival->is_stored = false;
}

/* --- the outbox --- */

static void wish_grant(struct exchange *exchange)
{
    struct outbox_parcel parcel;
    if (!exchange->is_wished || !exchange->courier) return;
    if (outbox_next(exchange->database, exchange->after, &parcel) != BOOKS_ROW) return;
    exchange->is_wished = false;
    parcel_put(&(struct parcel){ parcel.number, exchange->facts.outbox.given_up, parcel.records },
               channel_begin(exchange->courier, COURIER_PARCEL, exchange->wish));
    channel_end(exchange->courier);
}

static void release(struct exchange *exchange)
{
    uint64_t now = loop_now_ms(exchange->loop), told = exchange->told;
    uint64_t keep = exchange->config->ledger.unsent_ms;
    if (now - exchange->released_ms < SERVE_LEAST_MS) return;
    exchange->released_ms = now;
    const struct outbox_facts *outbox = &exchange->facts.outbox;
    bool is_old = outbox->oldest_ms && outbox->oldest_ms + keep < exchange->old_ms;
    if (told <= exchange->released && !is_old) return;
    enum books_outcome outcome = database_begin(exchange->database);
    if (outcome == BOOKS_DONE) outcome = outbox_release(exchange->database, told);
    if (outcome == BOOKS_DONE && is_old)
        outcome = outbox_give_up(exchange->database, exchange->old_ms - keep);
    if (outcome == BOOKS_DONE) outcome = database_commit(exchange->database);
    if (outcome != BOOKS_DONE) database_rollback(exchange->database);
    if (outcome == BOOKS_DONE) exchange->released = told;
    if (outcome == BOOKS_DONE && is_old)
        log_error(
            "ALARM: events that no collecting node took for so long are given up; they are in this node's"
            " ledger only");
    exchange->looked_ms = 0;
}

static void look(struct exchange *exchange)
{
    uint64_t now = loop_now_ms(exchange->loop), wall = loop_wall_ms(exchange->loop);
    struct outbox_facts *outbox = &exchange->facts.outbox;
    if (exchange->looked_ms && now - exchange->looked_ms < LOOK_MS) return;
    exchange->looked_ms = now;
    outbox_look(exchange->database, outbox);
    bool is_behind = outbox->oldest_ms && outbox->oldest_ms + exchange->config->ledger.behind_ms < wall;
    if (is_behind && !exchange->is_behind)
        log_error("ALARM: events have waited for the collecting node for %llu s",
                  (unsigned long long)((wall - outbox->oldest_ms) / 1000));
    if (!is_behind && exchange->is_behind) log_warning("events go to the collecting node again");
    exchange->is_behind = is_behind;
}

/* Those that are connected live, also while nothing happens there. */
static void heard(struct exchange *exchange)
{
    uint64_t now = loop_now_ms(exchange->loop), wall = loop_wall_ms(exchange->loop);
    if (!exchange->tellers || (exchange->heard_ms && now - exchange->heard_ms < NODES_HEARD_MS)) return;
    exchange->heard_ms = now;
    enum books_outcome outcome = database_begin(exchange->database);
    for (struct teller *teller = exchange->tellers; teller && outcome == BOOKS_DONE; teller = teller->next)
        outcome = nodes_heard(exchange->database, teller->node, wall);
    if (outcome == BOOKS_DONE) outcome = database_commit(exchange->database);
    if (outcome != BOOKS_DONE) database_rollback(exchange->database);
}

void exchange_serve(struct exchange *exchange, uint64_t old_ms)
{
    exchange->old_ms = old_ms;
    if (!exchange->database) return;
    heard(exchange);
    if (!outbox_is_on(exchange->database)) return;
    release(exchange);
    look(exchange);
    wish_grant(exchange);
}

void exchange_look(struct exchange *exchange, struct exchange_facts *out)
{
    if (exchange->database && exchange->facts.sends) outbox_look(exchange->database, &exchange->facts.outbox);
    *out = exchange->facts;
}
