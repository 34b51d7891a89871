/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Counts wait for one another: there is one under way, the others are in line. */
#include "ledger/tally.h"

#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/context.h"
#include "books/count.h"
#include "ipc/ask_master.h"

enum { ROWS_A_TURN = 4000 };

struct tally {
    struct tally *next;
    uint64_t since_ms;
    int fd;
};

struct tally_desk {
    enum { TALLY_DESK_MAGIC = 0x4f704372 } magic;
    struct loop *loop;
    struct harvest *harvest;
    struct timer *turn;
    struct tally *first;
    struct count *count; /* of `first` */
};

static void client_answer(int fd, uint8_t code, struct text text)
{
    struct buffer payload = { 0 };
    put_u8(&payload, code);
    put_text(&payload, text);
    channel_send_now(fd, MASTER_DONE, 0, buffer_text(&payload), NULL, 0);
    buffer_free(&payload);
}

static void tally_end(struct tally_desk *desk)
{
    struct tally *tally = desk->first;
    if (desk->count) count_end(desk->count);
    desk->count = NULL;
    desk->first = tally->next;
    close(tally->fd);
    free(tally);
    if (desk->first) timer_set(desk->turn, 0);
}

static void sums_print(struct tally_desk *desk, const struct tally *tally, const struct count_sums *sums,
                       struct buffer *out)
{
    struct harvest_counts counts;
    harvest_counts(desk->harvest, &counts);
    buffer_printf(out, "{\"since_ms\":%llu,\"accepted\":%llu,\"own\":%llu",
                  (unsigned long long)tally->since_ms, (unsigned long long)sums->accepted,
                  (unsigned long long)sums->own);
    for (int i = ENDING_NONE + 1; i < ENDING_COUNT; i++)
        buffer_printf(out, ",\"%s\":%llu", ending_name((enum ending)i), (unsigned long long)sums->ended[i]);
    buffer_printf(out, ",\"again\":%llu,\"missing\":%llu", (unsigned long long)sums->again,
                  (unsigned long long)sums->missing);
    for (int i = HELD_KEPT; i < HELD_STATES; i++)
        buffer_printf(out, ",\"held %s\":%llu", held_state_name((enum held_state)i),
                      (unsigned long long)sums->held[i]);
    buffer_printf(
        out,
        ",\"relayed\":%llu,\"live\":%llu,\"unmatched\":%llu,\"lost\":%llu,\"malformed\":%llu,\"backlog\":%u}",
        (unsigned long long)sums->relayed, (unsigned long long)sums->live,
        (unsigned long long)sums->unmatched, (unsigned long long)counts.lost,
        (unsigned long long)counts.malformed, counts.backlog_percent);
}

static void tally_tell(struct tally_desk *desk, const struct count_sums *sums, enum books_outcome outcome)
{
    struct buffer out = { 0 };
    struct tally *tally = desk->first;
    if (outcome == BOOKS_DONE)
        sums_print(desk, tally, sums, &out);
    else
        buffer_printf(&out, "the ledger database cannot be read to its end; the log says why");
    client_answer(tally->fd, outcome == BOOKS_DONE ? EX_OK : EX_UNAVAILABLE, buffer_text(&out));
    buffer_free(&out);
    tally_end(desk);
}

static void turn(void *context)
{
    struct tally_desk *desk = CONTEXT(context, struct tally_desk, TALLY_DESK_MAGIC);
    struct count_sums sums;
    enum books_outcome outcome = BOOKS_LATER;
    if (!desk->first) return;
    if (!desk->count && harvest_database(desk->harvest))
        desk->count = count_begin(harvest_database(desk->harvest), desk->first->since_ms);
    if (!desk->count)
        tally_tell(desk, &sums, BOOKS_LATER);
    else if (count_step(desk->count, ROWS_A_TURN, &sums, &outcome))
        tally_tell(desk, &sums, outcome);
    else
        timer_set(desk->turn, 0);
}

struct tally_desk *tally_desk_new(struct loop *loop, struct harvest *harvest)
{
    struct tally_desk *desk = memory_alloc(sizeof *desk);
    *desk = (struct tally_desk){
        .magic = TALLY_DESK_MAGIC, .loop = loop, .harvest = harvest, .turn = timer_new(loop, turn, desk)
    };
    return desk;
}

void tally_desk_free(struct tally_desk *desk)
{
    while (desk->first) tally_end(desk);
    timer_free(desk->turn);
    free(desk);
}

void tally_begin(struct tally_desk *desk, uint64_t since_ms, int fd)
{
    struct tally *tally = memory_alloc(sizeof *tally);
    *tally = (struct tally){ .since_ms = since_ms, .fd = fd };
    struct tally **last = &desk->first;
    while (*last) last = &(*last)->next;
    *last = tally;
    if (desk->first == tally) timer_set(desk->turn, 0);
}
