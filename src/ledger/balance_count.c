/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Counts wait for one another: there is one under way, the others are in line. */
#include "ledger/balance_count.h"

#include <stdlib.h>
#include <sys/queue.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/context.h"
#include "ipc/ask_master.h"
#include "ledgerdb/count.h"

enum { ROWS_A_TURN = 4000 };

struct balance_count {
    STAILQ_ENTRY(balance_count) line;
    uint64_t since_ms;
    int fd;
};

struct balance_count_server {
    enum { BALANCE_COUNT_SERVER_MAGIC = 0x4f704372 } magic;
    struct loop *loop;
    struct ingest *ingest;
    struct timer *turn;
    STAILQ_HEAD(balance_count_line, balance_count) line;
    struct count *count; /* of the first */
};

static void client_answer(int fd, uint8_t code, struct text text)
{
    struct buffer payload = { 0 };
    put_u8(&payload, code);
    put_text(&payload, text);
    channel_send_now(fd, MASTER_DONE, 0, buffer_text(&payload), NULL, 0);
    buffer_free(&payload);
}

static void balance_count_end(struct balance_count_server *server)
{
    struct balance_count *balance = STAILQ_FIRST(&server->line);
    if (server->count) count_end(server->count);
    server->count = NULL;
    STAILQ_REMOVE_HEAD(&server->line, line);
    close(balance->fd);
    free(balance);
    if (!STAILQ_EMPTY(&server->line)) timer_set(server->turn, 0);
}

static void sums_print(struct balance_count_server *server, const struct balance_count *balance,
                       const struct count_sums *sums, struct buffer *out)
{
    struct ingest_counts counts;
    ingest_counts(server->ingest, &counts);
    buffer_printf(out, "{\"since_ms\":%llu,\"accepted\":%llu,\"own\":%llu",
                  (unsigned long long)balance->since_ms, (unsigned long long)sums->accepted,
                  (unsigned long long)sums->own);
    for (int i = ENDING_NONE + 1; i < ENDING_COUNT; i++)
        buffer_printf(out, ",\"%s\":%llu", ending_name((enum ending)i), (unsigned long long)sums->ended[i]);
    buffer_printf(out, ",\"again\":%llu,\"missing\":%llu", (unsigned long long)sums->again,
                  (unsigned long long)sums->missing);
    for (int i = HELD_KEPT; i < HELD_STATES; i++)
        buffer_printf(out, ",\"held %s\":%llu", held_state_name((enum held_state)i),
                      (unsigned long long)sums->held[i]);
    buffer_printf(out,
                  ",\"relayed\":%llu,\"live\":%llu,\"unmatched\":%llu,\"lost\":%llu,\"lost "
                  "refusals\":%llu,\"malformed\":%llu,\"backlog\":%u}",
                  (unsigned long long)sums->relayed, (unsigned long long)sums->live,
                  (unsigned long long)sums->unmatched, (unsigned long long)counts.lost.events,
                  (unsigned long long)counts.lost.refusals, (unsigned long long)counts.malformed,
                  counts.backlog_percent);
}

static void balance_count_tell(struct balance_count_server *server, const struct count_sums *sums,
                               enum ledgerdb_outcome outcome)
{
    struct buffer out = { 0 };
    struct balance_count *balance = STAILQ_FIRST(&server->line);
    uint8_t code = outcome == LEDGERDB_DONE    ? EX_OK
                   : outcome == LEDGERDB_LATER ? EX_TEMPFAIL
                                               : EX_UNAVAILABLE;
    if (outcome == LEDGERDB_DONE)
        sums_print(server, balance, sums, &out);
    else
        buffer_printf(&out, "the ledger database cannot be read to its end%s; the log says why",
                      code == EX_TEMPFAIL ? " now" : "");
    client_answer(balance->fd, code, buffer_text(&out));
    buffer_free(&out);
    balance_count_end(server);
}

static void turn(void *context)
{
    struct balance_count_server *server =
        CONTEXT(context, struct balance_count_server, BALANCE_COUNT_SERVER_MAGIC);
    struct count_sums sums;
    enum ledgerdb_outcome outcome = LEDGERDB_LATER;
    if (STAILQ_EMPTY(&server->line)) return;
    if (!server->count && ingest_database(server->ingest))
        server->count = count_begin(ingest_database(server->ingest), STAILQ_FIRST(&server->line)->since_ms);
    if (!server->count)
        balance_count_tell(server, &sums, LEDGERDB_LATER);
    else if (count_step(server->count, ROWS_A_TURN, &sums, &outcome))
        balance_count_tell(server, &sums, outcome);
    else
        timer_set(server->turn, 0);
}

struct balance_count_server *balance_count_server_new(struct loop *loop, struct ingest *ingest)
{
    struct balance_count_server *server = memory_alloc(sizeof *server);
    *server = (struct balance_count_server){ .magic = BALANCE_COUNT_SERVER_MAGIC,
                                             .loop = loop,
                                             .ingest = ingest,
                                             .turn = timer_new(loop, turn, server) };
    STAILQ_INIT(&server->line);
    return server;
}

void balance_count_server_free(struct balance_count_server *server)
{
    while (!STAILQ_EMPTY(&server->line)) balance_count_end(server);
    timer_free(server->turn);
    free(server);
}

void balance_count_begin(struct balance_count_server *server, uint64_t since_ms, int fd)
{
    struct balance_count *balance = memory_alloc(sizeof *balance);
    *balance = (struct balance_count){ .since_ms = since_ms, .fd = fd };
    STAILQ_INSERT_TAIL(&server->line, balance, line);
    if (STAILQ_FIRST(&server->line) == balance) timer_set(server->turn, 0);
}
