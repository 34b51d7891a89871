/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Arrivals wait in memory until the next batch: COURIER_WINDOW of each node at most, which courier sees to.
 */
#include "ledger/replication.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/certificate.h"
#include "base/context.h"
#include "base/log.h"
#include "ipc/ask_courier.h"
#include "ledgerdb/nodes.h"

enum { SERVE_LEAST_MS = 1000, LOOK_MS = 10000, NODES = 256 };

struct arrival {
    STAILQ_ENTRY(arrival) line;
    uint64_t connection, number, given_up, series;
    uint16_t node;
    struct buffer records;
    bool is_stored; /* in the transaction under way */
};

struct teller {
    SLIST_ENTRY(teller) others;
    uint64_t connection, series;
    uint16_t node;
};

struct replication {
    enum { REPLICATION_MAGIC = 0x47f6fff1 } magic;
    struct loop *loop;
    const struct config *config;
    struct database *database;
    struct channel *courier;
    struct exchange *exchange; /* NULL: declarations go nowhere */
    STAILQ_HEAD(arrival_line, arrival) arrivals;
    SLIST_HEAD(teller_list, teller) tellers;
    uint64_t boot;
    bool is_wished;
    uint64_t wish, after;    /* the wish of courier that has no answer yet */
    uint64_t told, released; /* parcels up to there */
    uint64_t released_ms, looked_ms, heard_ms;
    bool is_behind;
    struct replication_facts facts;
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

struct replication *replication_new(struct loop *loop, const struct config *config)
{
    struct replication *replication = memory_alloc(sizeof *replication);
    replication->magic = REPLICATION_MAGIC;
    replication->loop = loop;
    STAILQ_INIT(&replication->arrivals);
    replication->boot = boot_read();
    replication_set_config(replication, config);
    return replication;
}

static void arrival_drop(struct replication *replication)
{
    struct arrival *arrival = STAILQ_FIRST(&replication->arrivals);
    STAILQ_REMOVE_HEAD(&replication->arrivals, line);
    buffer_free(&arrival->records);
    free(arrival);
}

static void tellers_drop(struct replication *replication)
{
    for (struct teller *teller; (teller = SLIST_FIRST(&replication->tellers));) {
        SLIST_REMOVE_HEAD(&replication->tellers, others);
        free(teller);
    }
}

void replication_free(struct replication *replication)
{
    while (!STAILQ_EMPTY(&replication->arrivals)) arrival_drop(replication);
    tellers_drop(replication);
    channel_close(replication->courier);
    free(replication);
}

void replication_set_config(struct replication *replication, const struct config *config)
{
    replication->config = config;
    replication->facts.sends = config->ledger.collectors.count > 0;
    replication->facts.collects = config->ledger.listen.length > 0;
}

void replication_set_exchange(struct replication *replication, struct exchange *exchange)
{
    replication->exchange = exchange;
    exchange_set_courier(exchange, replication->courier);
}

/* --- the database --- */

static struct text name_of(const struct config *config, struct arena *arena)
{
    struct certificate_facts facts;
    bool has = config->node.certificate.content.length > 0 &&
               certificate_read(config->node.certificate.content, arena, &facts);
    return has ? facts.name : config->hostname;
}

static void series_say(struct replication *replication)
{
    if (replication->courier && replication->database && outbox_is_on(replication->database))
        courier_number_send(replication->courier, COURIER_SERIES, 0, outbox_series(replication->database));
}

enum ledgerdb_outcome replication_set_database(struct replication *replication, struct database *database)
{
    const struct config *config = replication->config;
    struct arena *arena = arena_new(0);
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    replication->database = database;
    replication->is_wished = false;
    replication->told = replication->released = 0;
    if (database && config->node.number)
        outcome = nodes_set_here(database, config->node.number, name_of(config, arena), config->role);
    if (database && replication->facts.collects) database_set_durable(database);
    if (database && replication->facts.sends && outcome == LEDGERDB_DONE)
        outcome = outbox_begin(database, replication->boot);
    arena_free(arena);
    if (outcome == LEDGERDB_DONE)
        series_say(replication);
    else
        replication->database = NULL;
    return outcome;
}

/* --- courier --- */

static struct teller *teller_find(const struct replication *replication, uint64_t connection)
{
    struct teller *teller;
    SLIST_FOREACH(teller, &replication->tellers, others)
        if (teller->connection == connection) return teller;
    return NULL;
}

static void teller_forget(struct replication *replication, uint64_t connection)
{
    struct teller *teller = teller_find(replication, connection);
    if (!teller) return;
    SLIST_REMOVE(&replication->tellers, teller, teller, others);
    free(teller);
}

static void welcome(struct replication *replication, uint64_t connection, const struct node_hello *hello)
{
    uint64_t parcel = 0;
    const char *why = NULL;
    enum ledgerdb_outcome outcome = LEDGERDB_LATER;
    if (replication->database)
        outcome = nodes_welcome(replication->database, hello->number, hello->name, (enum role)hello->role,
                                hello->series, &parcel, &why);
    if (outcome != LEDGERDB_DONE) why = "the ledger cannot store events now";
    teller_forget(replication, connection);
    if (!why) {
        struct teller *teller = memory_alloc(sizeof *teller);
        *teller = (struct teller){ .connection = connection, .series = hello->series, .node = hello->number };
        SLIST_INSERT_HEAD(&replication->tellers, teller, others);
        replication->heard_ms = 0;
    }
    struct buffer *out = channel_begin(replication->courier, COURIER_NODE_WELCOME, connection);
    put_u64(out, parcel);
    put_text(out, text_of(why ? why : ""));
    channel_end(replication->courier);
}

static void arrival_add(struct replication *replication, uint64_t connection, const struct parcel *parcel)
{
    const struct teller *teller = teller_find(replication, connection);
    if (!teller) return;
    struct arrival *arrival = memory_alloc(sizeof *arrival);
    *arrival = (struct arrival){ .connection = connection,
                                 .number = parcel->number,
                                 .given_up = parcel->given_up,
                                 .series = teller->series,
                                 .node = teller->node };
    buffer_add_text(&arrival->records, parcel->records);
    STAILQ_INSERT_TAIL(&replication->arrivals, arrival, line);
}

static bool on_frame(void *context, struct frame *frame)
{
    struct replication *replication = CONTEXT(context, struct replication, REPLICATION_MAGIC);
    struct reader reader = reader_of(frame->payload);
    struct node_hello hello;
    struct parcel parcel;
    switch (frame->type) {
    case COURIER_PARCEL_WANTED:
        replication->is_wished = true;
        replication->wish = frame->id;
        replication->after = get_u64(&reader);
        replication_serve(replication, replication->old_ms);
        return reader_done(&reader);
    case COURIER_PARCELS_TOLD:
        replication->told = get_u64(&reader);
        return reader_done(&reader);
    case COURIER_NODE_HELLO:
        if (!node_hello_get(&reader, &hello) || !reader_done(&reader)) return false;
        welcome(replication, frame->id, &hello);
        return true;
    case COURIER_NODE_PARCEL:
        if (!parcel_get(&reader, &parcel) || !reader_done(&reader)) return false;
        arrival_add(replication, frame->id, &parcel);
        return true;
    case COURIER_NODE_GONE:
        teller_forget(replication, frame->id);
        return !replication->exchange || exchange_frame(replication->exchange, frame);
    case COURIER_PEER:
    case COURIER_PEER_SAYS:
    case COURIER_PEER_HEARD:
        return !replication->exchange || exchange_frame(replication->exchange, frame);
    default:
        return false;
    }
}

/* Connections are told by numbers of that courier's: what it brought and is not stored will come again. */
static void courier_forget(struct replication *replication)
{
    tellers_drop(replication);
    if (replication->exchange) exchange_set_courier(replication->exchange, NULL);
    channel_close(replication->courier);
    replication->courier = NULL;
    replication->is_wished = false;
    struct arrival *arrival;
    STAILQ_FOREACH(arrival, &replication->arrivals, line) arrival->connection = 0;
}

static void on_closed(void *context)
{
    courier_forget(CONTEXT(context, struct replication, REPLICATION_MAGIC));
}

static const struct channel_events courier_events = { on_frame, on_closed };

void replication_open(struct replication *replication, int fd)
{
    courier_forget(replication);
    replication->courier = channel_open(replication->loop, fd, &courier_events, replication);
    if (replication->exchange) exchange_set_courier(replication->exchange, replication->courier);
    series_say(replication);
}

/* --- arrivals --- */

bool replication_has_arrivals(const struct replication *replication)
{
    return !STAILQ_EMPTY(&replication->arrivals);
}

static enum ledgerdb_outcome arrival_store(struct replication *replication, struct arrival *arrival,
                                           unsigned *count,
                                           enum ledgerdb_outcome (*store)(void *, struct text), void *context)
{
    struct database *database = replication->database;
    struct reader reader = reader_of(buffer_text(&arrival->records));
    uint64_t events = 0, refused = 0;
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    if (nodes_has_parcel(database, arrival->node, arrival->series, arrival->number)) return LEDGERDB_DONE;
    database_set_node(database, arrival->node);
    while (reader.rest.length && outcome == LEDGERDB_DONE) {
        struct text record = get_text(&reader);
        if (reader.failed || !nodes_may_tell(arrival->node, record))
            refused++;
        else
            outcome = store(context, record), events++;
        if (reader.failed) break;
    }
    database_set_node(database, replication->config->node.number);
    *count += (unsigned)(events + refused);
    replication->facts.events += events;
    replication->facts.refused += refused;
    if (refused)
        log_warning("node %u: %llu events make no sense or are not its own: left out", arrival->node,
                    (unsigned long long)refused);
    if (outcome != LEDGERDB_DONE) return outcome;
    return nodes_advance(database, arrival->node, arrival->number, loop_wall_ms(replication->loop), events,
                         refused, arrival->given_up);
}

enum ledgerdb_outcome replication_store(struct replication *replication, unsigned most, unsigned *count,
                                        enum ledgerdb_outcome (*store)(void *context, struct text record),
                                        void *context)
{
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    struct arrival *arrival;
    STAILQ_FOREACH(arrival, &replication->arrivals, line) {
        if (*count >= most || outcome != LEDGERDB_DONE) break;
        outcome = arrival_store(replication, arrival, count, store, context);
        arrival->is_stored = outcome == LEDGERDB_DONE;
    }
    return outcome;
}

void replication_kept(struct replication *replication)
{
    for (const struct arrival *arrival;
         (arrival = STAILQ_FIRST(&replication->arrivals)) && arrival->is_stored;) {
        if (arrival->connection && replication->courier)
            courier_number_send(replication->courier, COURIER_NODE_STORED, arrival->connection,
                                arrival->number);
        arrival_drop(replication);
    }
}

void replication_again(struct replication *replication)
{
    struct arrival *arrival;
    STAILQ_FOREACH(arrival, &replication->arrivals, line) arrival->is_stored = false;
}

/* --- the outbox --- */

static void wish_grant(struct replication *replication)
{
    struct outbox_parcel parcel;
    if (!replication->is_wished || !replication->courier) return;
    if (outbox_next(replication->database, replication->after, &parcel) != LEDGERDB_ROW) return;
    replication->is_wished = false;
    parcel_put(&(struct parcel){ parcel.number, replication->facts.outbox.given_up, parcel.records },
               channel_begin(replication->courier, COURIER_PARCEL, replication->wish));
    channel_end(replication->courier);
}

static void release(struct replication *replication)
{
    uint64_t now = loop_now_ms(replication->loop), told = replication->told;
    uint64_t keep = replication->config->ledger.unsent_ms;
    if (now - replication->released_ms < SERVE_LEAST_MS) return;
    replication->released_ms = now;
    const struct outbox_facts *outbox = &replication->facts.outbox;
    bool is_old = outbox->oldest_ms && outbox->oldest_ms + keep < replication->old_ms;
    if (told <= replication->released && !is_old) return;
    enum ledgerdb_outcome outcome = database_begin(replication->database);
    if (outcome == LEDGERDB_DONE) outcome = outbox_release(replication->database, told);
    if (outcome == LEDGERDB_DONE && is_old)
        outcome = outbox_give_up(replication->database, replication->old_ms - keep);
    if (outcome == LEDGERDB_DONE) outcome = database_commit(replication->database);
    if (outcome != LEDGERDB_DONE) database_rollback(replication->database);
    if (outcome == LEDGERDB_DONE) replication->released = told;
    if (outcome == LEDGERDB_DONE && is_old)
        log_error(
            "ALARM: events that no collecting node took for so long are given up; they are in this node's"
            " ledger only");
    replication->looked_ms = 0;
}

static void look(struct replication *replication)
{
    uint64_t now = loop_now_ms(replication->loop), wall = loop_wall_ms(replication->loop);
    struct outbox_facts *outbox = &replication->facts.outbox;
    if (replication->looked_ms && now - replication->looked_ms < LOOK_MS) return;
    replication->looked_ms = now;
    outbox_look(replication->database, outbox);
    bool is_behind = outbox->oldest_ms && outbox->oldest_ms + replication->config->ledger.behind_ms < wall;
    if (is_behind && !replication->is_behind)
        log_error("ALARM: events have waited for the collecting node for %llu s",
                  (unsigned long long)((wall - outbox->oldest_ms) / 1000));
    if (!is_behind && replication->is_behind) log_warning("events go to the collecting node again");
    replication->is_behind = is_behind;
}

/* Those that are connected live, also while nothing happens there. */
static void heard(struct replication *replication)
{
    uint64_t now = loop_now_ms(replication->loop), wall = loop_wall_ms(replication->loop);
    if (SLIST_EMPTY(&replication->tellers) ||
        (replication->heard_ms && now - replication->heard_ms < NODES_HEARD_MS))
        return;
    replication->heard_ms = now;
    enum ledgerdb_outcome outcome = database_begin(replication->database);
    const struct teller *teller;
    SLIST_FOREACH(teller, &replication->tellers, others)
        if (outcome == LEDGERDB_DONE) outcome = nodes_heard(replication->database, teller->node, wall);
    if (outcome == LEDGERDB_DONE) outcome = database_commit(replication->database);
    if (outcome != LEDGERDB_DONE) database_rollback(replication->database);
}

void replication_serve(struct replication *replication, uint64_t old_ms)
{
    replication->old_ms = old_ms;
    if (!replication->database) return;
    heard(replication);
    if (!outbox_is_on(replication->database)) return;
    release(replication);
    look(replication);
    wish_grant(replication);
}

void replication_look(struct replication *replication, struct replication_facts *out)
{
    if (replication->database && replication->facts.sends)
        outbox_look(replication->database, &replication->facts.outbox);
    *out = replication->facts;
}
