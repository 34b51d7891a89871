/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Messages from receive: into the batch, and nothing is answered before the batch is on disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/context.h"
#include "base/log.h"
#include "queue/queue_private.h"

enum { ARRIVAL_AGO_MOST_MS = 6 * 3600 * 1000 }; /* a transaction takes less */

void waiter_add(struct queue *queue, struct receiver *receiver, struct message *message,
                const struct body *body)
{
    if (queue->waiter_count == queue->waiter_capacity) {
        queue->waiter_capacity = queue->waiter_capacity ? queue->waiter_capacity * 2 : 64;
        queue->waiters = memory_grow(queue->waiters, queue->waiter_capacity * sizeof *queue->waiters);
    }
    struct waiter *waiter = &queue->waiters[queue->waiter_count++];
    *waiter = (struct waiter){ .receiver = receiver, .message = message, .id = message->id };
    if (body) waiter->body = *body;
    turn_wanted(queue);
}

static void not_kept(struct receiver *receiver, uint64_t id, enum keep_refusal refusal, struct text why)
{
    struct buffer *out = channel_begin(receiver->channel, QUEUE_NOT_KEPT, id);
    put_u8(out, refusal);
    put_text(out, why);
    channel_end(receiver->channel);
}

/* The domain of an address in lower case; an address without one ("postmaster") is the administrator's. */
struct text queue_domain_of(const struct queue *queue, struct arena *arena, struct text address)
{
    struct text domain = envelope_domain_of(address);
    if (!domain.length) domain = envelope_domain_of(queue->child.config->admin);
    if (!domain.length) domain = queue->child.config->hostname;
    return arena_text_lower(arena, domain);
}

static struct text hold_reason(const struct keep_request *request)
{
    for (uint32_t i = 0; i < request->envelope.recipient_count; i++) {
        if (request->recipients[i].hold == HOLD_QUARANTINE) return TEXT("quarantined by verdict");
        if (request->recipients[i].hold == HOLD_POISON) return TEXT("it ended a scan worker twice");
        if (request->recipients[i].hold == HOLD_REPORT) return TEXT("for this node itself");
        if (request->recipients[i].hold != HOLD_NONE) return TEXT("held on arrival");
    }
    return TEXT_NONE;
}

/* In steady time. The clock may have been set since the transaction began. */
static uint64_t arrival_of(const struct queue *queue, uint64_t wall_ms)
{
    uint64_t at = steady_from_wall(&queue->steady, wall_ms), now = queue_now(queue);
    return at > now || at + ARRIVAL_AGO_MOST_MS < now ? now : at;
}

static void lead_make(struct queue *queue, const struct keep_request *request, struct lead *out)
{
    const struct envelope *envelope = &request->envelope;
    *out = (struct lead){ .arrived_ms = arrival_of(queue, request->arrived_ms),
                          .direction = request->direction,
                          .flags = request->authenticated ? MESSAGE_AUTHENTICATED : 0,
                          .content = request->content,
                          .prefix_length = (uint32_t)request->prefix.length,
                          .recipient_count = envelope->recipient_count,
                          .edits_count = request->edits_count,
                          .hold_reason = hold_reason(request) };
    _Static_assert(sizeof out->edits == sizeof request->edits, "the journal has room for all that is kept");
    memcpy(out->edits, request->edits, sizeof out->edits);
    out->recipients = arena_alloc_array(queue->arena, envelope->recipient_count, sizeof *out->recipients);
    for (uint32_t i = 0; i < envelope->recipient_count; i++) {
        out->recipients[i].domain = queue_domain_of(queue, queue->arena, envelope->recipients[i].address);
        out->recipients[i].hold = (uint8_t)request->recipients[i].hold;
        out->recipients[i].edits = request->recipients[i].edits;
    }
}

static void keep(struct queue *queue, struct receiver *receiver, struct keep_request *request)
{
    struct lead lead;
    lead_make(queue, request, &lead);
    lead.flags |= receiver->flags;
    struct buffer envelope = { 0 };
    envelope_put(&request->envelope, &envelope);
    lead.envelope = buffer_text(&envelope);
    struct text body = body_text(&request->body);
    struct message *message = NULL;
    if (body.length == request->body.size)
        message = journal_keep(queue->journal, request->id, &lead, request->prefix, body);
    if (message) {
        waiter_add(queue, receiver, message, request->body.fd ? &request->body : NULL);
        queue_lead_remember(queue, request->id, &lead);
        transactions_add(queue->transactions, request->envelope.transaction, request->id, lead.arrived_ms);
        event_log_remember_accepted(queue, request->id, &lead, &request->envelope,
                                    request->prefix.length + request->body.size);
        event_log_queued(queue, message, request->envelope.sender);
        if (lead.hold_reason.length) held_transfer_note(queue, request->id);
    } else {
        not_kept(receiver, request->id, KEEP_MALFORMED, TEXT("the message cannot be read or is too large"));
        body_free(&request->body);
    }
    buffer_free(&envelope);
}

/* A node sends again what it did not hear our reply to. The first one may still be in the batch. */
static bool is_kept_before(struct queue *queue, struct receiver *receiver, const struct keep_request *request)
{
    uint64_t as = transactions_find(queue->transactions, request->envelope.transaction, queue_now(queue));
    const struct message *message = as ? message_index_find(queue->message_index, as) : NULL;
    if (!as) return false;
    if (message && (message->flags & MESSAGE_PENDING)) turn_commit(queue);
    if (!message_index_was_kept(queue->message_index, as)) {
        transactions_forget(queue->transactions, as);
        return false;
    }
    put_u64(channel_begin(receiver->channel, QUEUE_KEPT_BEFORE, request->id), as);
    channel_end(receiver->channel);
    return true;
}

/* The same message, offered again since the answer to the first offer was lost? */
static bool is_same(const struct queue *queue, const struct message *message,
                    const struct keep_request *request)
{
    uint64_t at = arrival_of(queue, request->arrived_ms);
    bool is_told = steady_from_wall(&queue->steady, request->arrived_ms) == at; /* else it means nothing */
    return (!is_told || message->arrived_ms == at) && message->body_length == request->body.size &&
           message->prefix_length == request->prefix.length &&
           message->recipient_count == request->envelope.recipient_count;
}

static int body_file_new(struct queue *queue)
{
    int fd = openat(queue->folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) log_error("no file for a large body: %s", strerror(errno));
    return fd;
}

/* A body in a file is copied first: receive has that file open, and could change what was looked at. */
static bool body_own(struct queue *queue, struct body *body)
{
    if (!body->is_file) return true;
    int fd = body_file_new(queue);
    return fd >= 0 && body_to_file(body, fd);
}

static bool is_admitted(struct queue *queue, struct receiver *receiver, struct keep_request *request)
{
    if (!body_own(queue, &request->body)) {
        not_kept(receiver, request->id, KEEP_DISK_FULL, TEXT("there is no room for its content"));
        return false;
    }
    if (vouching_admits(queue, request, body_text(&request->body))) return true;
    not_kept(receiver, request->id, KEEP_UNVOUCHED, TEXT("scan does not vouch for it"));
    return false;
}

bool intake_keep(struct queue *queue, struct receiver *receiver, struct frame *frame)
{
    struct keep_request request;
    arena_reset(queue->arena);
    if (!keep_request_get(queue->arena, frame, &request)) return false;
    if (request.body.is_lost) {
        not_kept(receiver, request.id, KEEP_DISK_FULL, TEXT("no descriptor is left for its content"));
        return true;
    }
    const struct message *before = message_index_find(queue->message_index, request.id);
    if (before && !is_same(queue, before, &request)) {
        not_kept(receiver, request.id, KEEP_MALFORMED, TEXT("its id is that of another message"));
        body_free(&request.body);
        return true;
    }
    if (before) { /* asked twice: the first one counts */
        log_warning("receive %u offers message %016llx again", receiver->index,
                    (unsigned long long)request.id);
        body_free(&request.body);
        if (!(before->flags & MESSAGE_PENDING))
            channel_send(receiver->channel, QUEUE_KEPT, request.id, TEXT_NONE);
        return true;
    }
    if (is_kept_before(queue, receiver, &request)) {
        body_free(&request.body);
        return true;
    }
    if (queue->is_full) {
        not_kept(receiver, request.id, KEEP_DISK_FULL, text_of(queue->why_full));
        body_free(&request.body);
        return true;
    }
    if (!receiver->flags && !is_admitted(queue, receiver, &request)) {
        body_free(&request.body);
        return true;
    }
    keep(queue, receiver, &request);
    if (journal_batch_bytes(queue->journal) > BATCH_MOST) turn_commit(queue);
    return true;
}

/* A message that is still in the batch is answered when it is on disk: the batch goes first. */
static void resolve(struct queue *queue, struct receiver *receiver, uint64_t id)
{
    const struct message *message = message_index_find(queue->message_index, id);
    if (message && (message->flags & MESSAGE_PENDING)) turn_commit(queue);
    bool kept = message_index_was_kept(queue->message_index, id);
    if (kept) event_log_again(queue, &queue->accepted, id); /* who asks cannot have told ledger */
    put_u8(channel_begin(receiver->channel, QUEUE_RESOLVED, id), kept);
    channel_end(receiver->channel);
}

static void body_file(struct queue *queue, struct receiver *receiver, uint64_t id)
{
    int fd = queue->is_full ? -1 : body_file_new(queue);
    channel_send_fds(receiver->channel, QUEUE_BODY_FILE_IS, id, TEXT_NONE, &fd, fd >= 0 ? 1 : 0);
}

static bool on_frame(void *context, struct frame *frame)
{
    struct receiver *receiver = CONTEXT(context, struct receiver, RECEIVER_MAGIC);
    struct queue *queue = receiver->queue;
    switch (frame->type) {
    case QUEUE_KEEP:
        if (!large_is(frame)) return intake_keep(queue, receiver, frame);
        large_put(queue, receiver, frame);
        return true;
    case QUEUE_CONFIRMED:
        transactions_forget(queue->transactions, frame->id);
        return true;
    case QUEUE_RESOLVE:
        resolve(queue, receiver, frame->id);
        return true;
    case QUEUE_BODY_FILE:
        body_file(queue, receiver, frame->id);
        return true;
    case QUEUE_ALERT:
        return own_mail_alert_take(queue, frame);
    default:
        return held_transfer_frame(queue, receiver, frame);
    }
}

/* What it was told and did not pass on to the ledger, we do. */
static void on_closed(void *context)
{
    struct receiver *receiver = CONTEXT(context, struct receiver, RECEIVER_MAGIC);
    struct queue *queue = receiver->queue;
    large_forget(queue, receiver);
    turn_commit(queue);
    held_transfer_taker_gone(queue, receiver);
    for (size_t i = 0; i < queue->waiter_count; i++)
        if (queue->waiters[i].receiver == receiver) queue->waiters[i].receiver = NULL;
    if (!queue->is_stopping) event_log_again(queue, &queue->accepted, 0);
    LIST_REMOVE(receiver, others);
    channel_close(receiver->channel);
    free(receiver);
}

static void space_send(struct queue *queue, struct receiver *receiver)
{
    struct buffer *out = channel_begin(receiver->channel, QUEUE_SPACE, 0);
    put_u8(out, queue->is_full);
    put_text(out, queue->is_full ? text_of(queue->why_full) : TEXT_NONE);
    channel_end(receiver->channel);
}

void intake_tell_space(struct queue *queue)
{
    struct receiver *one;
    LIST_FOREACH(one, &queue->receivers, others) space_send(queue, one);
}

void intake_tell_alert(struct queue *queue, uint64_t id, struct text alert)
{
    struct receiver *one;
    LIST_FOREACH(one, &queue->receivers, others)
        if (one->flags & MESSAGE_OWN) channel_send(one->channel, QUEUE_ALERTED, id, alert);
}

void intake_add_receiver(struct queue *queue, uint16_t index, uint8_t flags, int fd)
{
    static const struct channel_events events = { on_frame, on_closed };
    struct receiver *receiver = memory_alloc(sizeof *receiver);
    receiver->magic = RECEIVER_MAGIC;
    receiver->queue = queue;
    receiver->index = index;
    receiver->flags = flags;
    receiver->channel = channel_open(queue->child.loop, fd, &events, receiver);
    LIST_INSERT_HEAD(&queue->receivers, receiver, others);
    held_transfer_set_taker(queue, receiver);
    space_send(queue, receiver);
}
