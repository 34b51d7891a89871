/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One question, one answer, nothing remembered in between: what was released by which mail stands in the
   index. So a report that died may ask again, and is told what it was told before. */
#include "ledger/quarantine/redeem.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/context.h"
#include "ipc/message_id.h"

struct redeem_desk {
    enum { REDEEM_DESK_MAGIC = 0x5bf22492 } magic;
    struct loop *loop;
    struct curator_desk *curators;
    struct custody *custody;
    struct harvest *harvest;
    struct channel *report; /* NULL: not there */
    struct arena *arena;    /* of the question */
};

struct request {
    uint64_t mail; /* id of the mail that brought the ticket */
    struct text ticket, sender;
};

/* NULL: there is none. */
static const struct held_row *row_find(const struct held_rows *rows, uint32_t number)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->items[i].number == number) return &rows->items[i];
    return NULL;
}

static enum redeemed release(struct redeem_desk *desk, const struct request *request,
                             const struct held_row *row, struct text by, uint64_t *out_release)
{
    struct commander user = { .uid = UINT32_MAX, .user = request->sender };
    struct text about =
        arena_printf(desk->arena, "%s, 1 recipients, by mail with a ticket", held_class_name(row->class));
    if (!curator_record(desk->curators, &user, row->message, "release", about)) return REDEEMED_LATER;
    return custody_release(desk->custody, row, 1, by, out_release) == BOOKS_DONE ? REDEEMED_DONE
                                                                                 : REDEEMED_LATER;
}

/* On record, as every act that was refused. */
static enum redeemed denied(struct redeem_desk *desk, const struct request *request,
                            const struct held_row *row)
{
    struct commander user = { .uid = UINT32_MAX, .user = request->sender };
    struct text about =
        arena_printf(desk->arena, "refused: no ticket releases %s", held_class_name(row->class));
    return curator_record(desk->curators, &user, row->message, "release", about) ? REDEEMED_DENIED
                                                                                 : REDEEMED_LATER;
}

static enum redeemed redeem(struct redeem_desk *desk, const struct request *request, uint64_t *out_release)
{
    struct ticket ticket;
    struct held_rows rows;
    char mail[MESSAGE_ID_SIZE];
    struct database *database = harvest_database(desk->harvest);
    enum ticket_outcome outcome = curator_ticket(desk->curators, request->ticket, &ticket);
    if (outcome == TICKET_FALSE) return REDEEMED_FALSE;
    if (!database ||
        held_of_message(database_sql(database), desk->arena, ticket.message, &rows) != BOOKS_DONE)
        return REDEEMED_LATER;
    const struct held_row *row = row_find(&rows, ticket.number);
    if (!row) return REDEEMED_GONE;
    struct text by = arena_printf(desk->arena, "release by %.*s with a ticket, mail %s",
                                  TEXT_ARG(request->sender), message_id_print(request->mail, mail));
    switch (row->state) {
    case HELD_RELEASING:
    case HELD_RELEASED:
        *out_release = row->release;
        return text_equal(row->by, by) ? REDEEMED_DONE : REDEEMED_USED;
    case HELD_KEPT:
        if (outcome == TICKET_OLD) return REDEEMED_OLD;
        if (!curator_ticket_opens(desk->curators, row->class)) return denied(desk, request, row);
        return row->is_arriving ? REDEEMED_LATER : release(desk, request, row, by, out_release);
    default:
        return REDEEMED_GONE;
    }
}

static bool on_frame(void *context, struct frame *frame)
{
    struct redeem_desk *desk = CONTEXT(context, struct redeem_desk, REDEEM_DESK_MAGIC);
    struct reader reader = reader_of(frame->payload);
    struct request request = { .mail = frame->id };
    request.ticket = get_text(&reader);
    request.sender = get_text(&reader);
    if (frame->type != LEDGER_REDEEM || !reader_done(&reader)) return false;
    arena_reset(desk->arena);
    uint64_t released = 0;
    enum redeemed outcome = redeem(desk, &request, &released);
    struct buffer *out = channel_begin(desk->report, LEDGER_REDEEMED, frame->id);
    put_u8(out, outcome);
    put_u64(out, released);
    channel_end(desk->report);
    return true;
}

static void on_closed(void *context)
{
    struct redeem_desk *desk = CONTEXT(context, struct redeem_desk, REDEEM_DESK_MAGIC);
    channel_close(desk->report);
    desk->report = NULL;
}

void redeem_desk_set_report(struct redeem_desk *desk, int fd)
{
    static const struct channel_events events = { on_frame, on_closed };
    channel_close(desk->report);
    desk->report = channel_open(desk->loop, fd, &events, desk);
}

struct redeem_desk *redeem_desk_new(struct loop *loop, struct curator_desk *curators, struct custody *custody,
                                    struct harvest *harvest)
{
    struct redeem_desk *desk = memory_alloc(sizeof *desk);
    *desk = (struct redeem_desk){
        .magic = REDEEM_DESK_MAGIC, .loop = loop, .curators = curators, .custody = custody, .harvest = harvest
    };
    desk->arena = arena_new(0);
    return desk;
}

void redeem_desk_free(struct redeem_desk *desk)
{
    channel_close(desk->report);
    arena_free(desk->arena);
    free(desk);
}
