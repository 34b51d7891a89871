/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One question, one answer, nothing remembered in between: what was released by which mail stands in the
   index. So a report that died may ask again, and is told what it was told before. */
#include "ledger/quarantine/ticket_release.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/context.h"
#include "ipc/message_id.h"
#include "ledger/quarantine/quarantine_store.h"
#include "ledger/ticket_entry.h"

struct ticket_release_server {
    enum { TICKET_RELEASE_SERVER_MAGIC = 0x5bf22492 } magic;
    struct loop *loop;
    struct quarantine_command_server *commands;
    struct quarantine *quarantine;
    struct ingest *ingest;
    struct approvals *approvals; /* NULL: not there yet; so are entries and config */
    struct sender_entries *entries;
    const struct config *config;
    struct channel *report; /* NULL: not there */
    struct arena *arena;    /* of the question */
    struct report_listener listener;
};

struct release_request {
    uint64_t mail; /* id of the mail that brought the ticket */
    struct text ticket, sender;
    enum ticket_wish wish;
};

/* NULL: there is none. */
static const struct held_row *row_find(const struct held_rows *rows, uint32_t number)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->items[i].number == number) return &rows->items[i];
    return NULL;
}

static enum redeemed release(struct ticket_release_server *server, const struct release_request *request,
                             const struct held_row *row, struct text by, uint64_t *out_release)
{
    struct commander user = { .uid = UINT32_MAX, .user = request->sender };
    struct text about =
        arena_printf(server->arena, "%s, 1 recipients, by mail with a ticket", held_class_name(row->class));
    if (!quarantine_command_record(server->commands, &user, "quarantine", row->message, "release", about))
        return REDEEMED_LATER;
    return quarantine_release(server->quarantine, row, 1, by, out_release) == LEDGERDB_DONE ? REDEEMED_DONE
                                                                                            : REDEEMED_LATER;
}

/* On record, as every act that was refused. */
static enum redeemed denied(struct ticket_release_server *server, const struct release_request *request,
                            const struct held_row *row)
{
    struct commander user = { .uid = UINT32_MAX, .user = request->sender };
    struct text about =
        arena_printf(server->arena, "refused: no ticket releases %s", held_class_name(row->class));
    return quarantine_command_record(server->commands, &user, "quarantine", row->message, "release", about)
               ? REDEEMED_DENIED
               : REDEEMED_LATER;
}

/* --- what a ticket asks for beside a release --- */

static enum redeemed entry_enter(struct ticket_release_server *server, const struct release_request *request,
                                 const struct held_row *row)
{
    struct kept_entry kept;
    struct commander user = { .uid = UINT32_MAX, .user = request->sender };
    enum entry_verb verb = request->wish == TICKET_BLOCK ? ENTRY_BLOCK : ENTRY_ALLOW;
    if (!server->entries || !server->config || !server->config->digest.senders ||
        !ticket_entry_of(server->arena, row, verb, &kept))
        return REDEEMED_NO_WISH;
    kept.made_ms = loop_wall_ms(server->loop);
    struct text about = arena_printf(server->arena, "%.*s for %.*s, by mail with a ticket",
                                     TEXT_ARG(kept.entry.what), TEXT_ARG(kept.entry.to));
    if (!quarantine_command_record(server->commands, &user, sender_entry_verb_name(verb), row->message, "add",
                                   about))
        return REDEEMED_LATER;
    switch (ticket_entry_make(server->entries, &kept)) {
    case TICKET_ENTRY_DONE:
        return REDEEMED_ENTERED;
    case TICKET_ENTRY_FULL:
        return REDEEMED_FULL;
    default:
        return REDEEMED_LATER;
    }
}

/* "name=weekly.shop.example;" in the field that scan wrote for the message's recipients. */
static struct text class_parameter(struct text field, struct text name)
{
    size_t at = text_find(field, name);
    struct text rest = text_slice(field, at + name.length, field.length);
    size_t end = 0;
    while (end < rest.length && rest.at[end] != ';' && (unsigned char)rest.at[end] > ' ') end++;
    return at < field.length ? text_slice(rest, 0, end) : TEXT_NONE;
}

/* False: the message is no newsletter. What came with it is not looked at, but what was to be added. */
static bool newsletter_of(struct ticket_release_server *server, const struct held_row *row,
                          struct approval *out)
{
    static const struct text head = TEXT("X-Sekimori-Class: newsletter;");
    enum { FIELD_MOST = 1200 };
    struct stored_message stored;
    if (quarantine_store_read_facts(quarantine_store_of(server->quarantine), row->message, &stored) !=
        QUARANTINE_STORE_DONE)
        return false;
    for (unsigned i = 0; i < stored.facts.edits_count; i++) {
        size_t at = text_find(stored.facts.edits[i], head);
        struct text field = text_slice(stored.facts.edits[i], at, at + FIELD_MOST);
        if (out->name.length || at == stored.facts.edits[i].length) continue;
        out->name = arena_text_lower(server->arena, class_parameter(field, TEXT("name=")));
        out->domain = arena_text_lower(server->arena, class_parameter(field, TEXT("domain=")));
    }
    stored_message_free(&stored);
    out->recipient = out->by = arena_text_lower(server->arena, row->address);
    out->time_ms = loop_wall_ms(server->loop);
    return server->approvals && approval_is_good(out);
}

/* On record before it is done; what is so already is not. False: not now. */
static bool approval_take(struct ticket_release_server *server, uint64_t mail, struct approval *approval,
                          bool is_wanted, uint32_t *changed)
{
    struct commander user = { .uid = UINT32_MAX, .user = approval->by };
    struct text about = arena_printf(server->arena, "%.*s/%.*s for %.*s, by mail", TEXT_ARG(approval->name),
                                     TEXT_ARG(approval->domain), TEXT_ARG(approval->recipient));
    if (!approval_is_good(approval) || approvals_has(server->approvals, approval) == is_wanted) return true;
    if (!quarantine_command_record(server->commands, &user, "newsletter", mail,
                                   is_wanted ? "approve" : "forget", about))
        return false;
    enum approval_outcome outcome = is_wanted ? approvals_add(server->approvals, approval)
                                              : approvals_forget(server->approvals, approval);
    *changed += outcome == APPROVAL_DONE;
    return outcome != APPROVAL_UNSAVED;
}

static enum redeemed approval_enter(struct ticket_release_server *server,
                                    const struct release_request *request, const struct held_row *row)
{
    struct approval approval = { 0 };
    uint32_t changed = 0;
    if (!newsletter_of(server, row, &approval)) return REDEEMED_NO_WISH;
    if (!approval_take(server, request->mail, &approval, true, &changed)) return REDEEMED_LATER;
    return approvals_has(server->approvals, &approval) ? REDEEMED_ENTERED : REDEEMED_FULL;
}

/* As far as the ticket goes: what it cannot release it cannot speak about. */
static enum redeemed wish_enter(struct ticket_release_server *server, const struct release_request *request,
                                const struct held_row *row, enum ticket_outcome outcome)
{
    if (outcome == TICKET_OLD) return REDEEMED_OLD;
    if (!quarantine_command_ticket_opens(server->commands, row->class)) return denied(server, request, row);
    return request->wish == TICKET_APPROVE ? approval_enter(server, request, row)
                                           : entry_enter(server, request, row);
}

/* --- tickets --- */

static enum redeemed row_redeem(struct ticket_release_server *server, const struct release_request *request,
                                const struct held_row *row, enum ticket_outcome outcome,
                                uint64_t *out_release)
{
    char mail[MESSAGE_ID_SIZE];
    struct text by = arena_printf(server->arena, "release by %.*s with a ticket, mail %s",
                                  TEXT_ARG(request->sender), message_id_print(request->mail, mail));
    switch (row->state) {
    case HELD_RELEASING:
    case HELD_RELEASED:
        *out_release = row->release;
        return text_equal(row->by, by) ? REDEEMED_DONE : REDEEMED_USED;
    case HELD_KEPT:
        if (outcome == TICKET_OLD) return REDEEMED_OLD;
        if (!quarantine_command_ticket_opens(server->commands, row->class))
            return denied(server, request, row);
        return row->is_arriving ? REDEEMED_LATER : release(server, request, row, by, out_release);
    default:
        return REDEEMED_GONE;
    }
}

static enum redeemed redeem(struct ticket_release_server *server, const struct release_request *request,
                            uint64_t *out_release)
{
    struct ticket ticket;
    struct held_rows rows;
    struct database *database = ingest_database(server->ingest);
    enum ticket_outcome outcome = quarantine_command_ticket(server->commands, request->ticket, &ticket);
    if (outcome == TICKET_FALSE) return REDEEMED_FALSE;
    if (!database ||
        held_of_message(database_sql(database), server->arena, ticket.message, &rows) != LEDGERDB_DONE)
        return REDEEMED_LATER;
    const struct held_row *row = row_find(&rows, ticket.number);
    if (!row) return REDEEMED_GONE;
    if (request->wish == TICKET_RELEASE) return row_redeem(server, request, row, outcome, out_release);
    enum redeemed entered = wish_enter(server, request, row, outcome);
    if (request->wish == TICKET_BLOCK || entered != REDEEMED_ENTERED) return entered;
    enum redeemed released = row_redeem(server, request, row, outcome, out_release);
    return released == REDEEMED_DONE || released == REDEEMED_LATER ? released : entered;
}

/* --- newsletters --- */

static bool on_approve(struct ticket_release_server *server, const struct frame *frame)
{
    struct reader reader = reader_of(frame->payload);
    struct text recipient = arena_text_lower(server->arena, get_text(&reader));
    uint32_t changed = 0, count = get_count(&reader, LEDGER_APPROVE_MOST, 9);
    bool is_done = server->approvals && recipient.length > 0;
    for (uint32_t i = 0; i < count && !reader.failed; i++) {
        struct approval approval = { .recipient = recipient, .by = recipient };
        approval.name = arena_text_lower(server->arena, get_text(&reader));
        approval.domain = arena_text_lower(server->arena, get_text(&reader));
        approval.time_ms = loop_wall_ms(server->loop);
        bool is_wanted = get_u8(&reader) == 1;
        if (is_done && !reader.failed)
            is_done = approval_take(server, frame->id, &approval, is_wanted, &changed);
    }
    if (!reader_done(&reader)) return false;
    struct buffer *out = channel_begin(server->report, LEDGER_APPROVED, frame->id);
    put_u8(out, is_done);
    put_u32(out, changed);
    channel_end(server->report);
    return true;
}

static bool on_frame(void *context, struct frame *frame)
{
    struct ticket_release_server *server =
        CONTEXT(context, struct ticket_release_server, TICKET_RELEASE_SERVER_MAGIC);
    arena_reset(server->arena);
    if (frame->type == LEDGER_APPROVE) return on_approve(server, frame);
    if (frame->type != LEDGER_REDEEM && server->listener.frame)
        return server->listener.frame(server->listener.context, server->report, frame);
    struct reader reader = reader_of(frame->payload);
    struct release_request request = { .mail = frame->id };
    request.ticket = get_text(&reader);
    request.sender = get_text(&reader);
    request.wish = get_u8(&reader);
    if (request.wish >= TICKET_WISHES) return false;
    if (frame->type != LEDGER_REDEEM || !reader_done(&reader)) return false;
    uint64_t released = 0;
    enum redeemed outcome = redeem(server, &request, &released);
    struct buffer *out = channel_begin(server->report, LEDGER_REDEEMED, frame->id);
    put_u8(out, outcome);
    put_u64(out, released);
    channel_end(server->report);
    return true;
}

static void on_closed(void *context)
{
    struct ticket_release_server *server =
        CONTEXT(context, struct ticket_release_server, TICKET_RELEASE_SERVER_MAGIC);
    channel_close(server->report);
    server->report = NULL;
}

void ticket_release_server_set_listener(struct ticket_release_server *server, struct report_listener listener)
{
    server->listener = listener;
}

void ticket_release_server_set_approvals(struct ticket_release_server *server, struct approvals *approvals)
{
    server->approvals = approvals;
}

void ticket_release_server_set_entries(struct ticket_release_server *server, struct sender_entries *entries)
{
    server->entries = entries;
}

void ticket_release_server_set_config(struct ticket_release_server *server, const struct config *config)
{
    server->config = config;
}

void ticket_release_server_set_report(struct ticket_release_server *server, int fd)
{
    static const struct channel_events events = { on_frame, on_closed };
    channel_close(server->report);
    server->report = channel_open(server->loop, fd, &events, server);
}

struct ticket_release_server *ticket_release_server_new(struct loop *loop,
                                                        struct quarantine_command_server *commands,
                                                        struct quarantine *quarantine, struct ingest *ingest)
{
    struct ticket_release_server *server = memory_alloc(sizeof *server);
    *server = (struct ticket_release_server){ .magic = TICKET_RELEASE_SERVER_MAGIC,
                                              .loop = loop,
                                              .commands = commands,
                                              .quarantine = quarantine,
                                              .ingest = ingest };
    server->arena = arena_new(0);
    return server;
}

void ticket_release_server_free(struct ticket_release_server *server)
{
    channel_close(server->report);
    arena_free(server->arena);
    free(server);
}
