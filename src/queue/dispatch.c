/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Deliveries out to deliver, results back. A result is acknowledged when what it says is on disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/context.h"
#include "base/log.h"
#include "config/domains.h"
#include "queue/queue_private.h"

static struct buffer *lead_slot(struct queue *queue, uint64_t id, uint64_t **out_id)
{
    size_t place = (size_t)((id * 0x9E3779B97F4A7C15u) >> 32) % CACHED_LEADS;
    *out_id = &queue->leads.slots[place].id;
    return &queue->leads.slots[place].bytes;
}

void queue_lead_remember(struct queue *queue, uint64_t id, const struct lead *lead)
{
    uint64_t *owner;
    struct buffer *slot = lead_slot(queue, id, &owner);
    buffer_clear(slot);
    lead_put(lead, slot);
    *owner = id;
    if (buffer_length(slot) <= CACHED_LEAD_MOST) return;
    buffer_free(slot);
    *owner = 0;
}

static bool lead_find(struct queue *queue, struct message *message, struct lead *out)
{
    uint64_t *owner;
    struct buffer *slot = lead_slot(queue, message->id, &owner);
    if (*owner == message->id && buffer_length(slot) == message->lead_length)
        return lead_get(queue->arena, arena_text(queue->arena, buffer_text(slot)), out);
    return journal_read_lead(queue->journal, queue->arena, message, out);
}

bool queue_envelope(struct queue *queue, struct message *message, struct lead *out_lead,
                    struct envelope *out_envelope)
{
    if (lead_find(queue, message, out_lead)) {
        struct reader reader = reader_of(out_lead->envelope);
        if (envelope_get(queue->arena, &reader, out_envelope) &&
            out_envelope->recipient_count == message->recipient_count)
            return true;
    }
    char id[MESSAGE_ID_SIZE];
    log_of(LOG_LEVEL_ERROR, message_id_print(message->id, id),
           "ALARM: %s: its record cannot be read; it is held", id);
    return false;
}

/* Routes and limits */

static bool is_static_route(const struct domain *domain)
{
    for (size_t i = 0; i < domain->target_count; i++)
        if (!domain->targets[i].is_address) return false;
    return domain->target_count > 0;
}

static struct schedule_route route_of(void *context, struct text name)
{
    const struct child *child = &CONTEXT(context, struct queue, QUEUE_MAGIC)->child;
    const struct domain *domain = config_find_domain(child->config, name);
    uint32_t connections = domain->connections ? domain->connections : child->config->deliver.connections;
    bool is_detour = child->is_draining && child->drain_to.port > 0; /* all goes to one address */
    return (struct schedule_route){ connections * JOBS_PER_CONNECTION, is_detour || is_static_route(domain) };
}

struct schedule_policy dispatch_policy(struct queue *queue)
{
    const struct config *config = queue->child.config;
    bool is_draining = queue->child.is_draining; /* somebody waits for the queue to be empty */
    uint32_t all = config->deliver.connections_all, kept = config->deliver.connections_static;
    return (struct schedule_policy){ .retry_first_ms =
                                         is_draining ? DRAIN_RETRY_FIRST_MS : config->queue.retry_first_ms,
                                     .retry_most_ms =
                                         is_draining ? DRAIN_RETRY_MOST_MS : config->queue.retry_most_ms,
                                     .limit_all = all * JOBS_PER_CONNECTION,
                                     .limit_dynamic = (all > kept ? all - kept : 1) * JOBS_PER_CONNECTION,
                                     .context = queue,
                                     .route = route_of };
}

/* Segments that deliver has */

static bool carrier_has(const struct carrier *carrier, uint32_t segment)
{
    for (size_t i = carrier->segment_count; i > 0; i--)
        if (carrier->segments[i - 1] == segment) return true;
    return false;
}

static bool segment_give(struct queue *queue, uint32_t segment)
{
    struct carrier *carrier = &queue->carrier;
    if (carrier_has(carrier, segment)) return true;
    char path[64];
    snprintf(path, sizeof path, "%08u.seg", segment);
    int fd = openat(queue->journal_folder, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        log_error("segment %s cannot be opened for deliver: %s", path, strerror(errno));
        return false;
    }
    struct buffer payload = { 0 };
    put_u32(&payload, segment);
    channel_send_fds(carrier->channel, DELIVER_SEGMENT, 0, buffer_text(&payload), &fd, 1);
    buffer_free(&payload);
    if (carrier->segment_count == carrier->segment_capacity) {
        carrier->segment_capacity = carrier->segment_capacity ? carrier->segment_capacity * 2 : 16;
        carrier->segments =
            memory_grow(carrier->segments, carrier->segment_capacity * sizeof *carrier->segments);
    }
    carrier->segments[carrier->segment_count++] = segment;
    return true;
}

void dispatch_segment_ended(void *context, uint32_t segment)
{
    struct queue *queue = CONTEXT(context, struct queue, QUEUE_MAGIC);
    struct carrier *carrier = &queue->carrier;
    for (size_t i = 0; i < carrier->segment_count; i++) {
        if (carrier->segments[i] != segment) continue;
        carrier->segments[i] = carrier->segments[--carrier->segment_count];
        put_u32(channel_begin(carrier->channel, DELIVER_SEGMENT_END, 0), segment);
        channel_end(carrier->channel);
        return;
    }
}

/* Jobs */

/* As many of the delivery's recipients as fit a frame; the rest go in the next job. */
static void job_fill(struct queue *queue, const struct delivery *delivery, const struct envelope *envelope,
                     struct deliver_job *job)
{
    const struct message *message = delivery->message;
    size_t room = FRAME_LIMIT - JOB_ROOM;
    room -= job->edits.length < room ? job->edits.length : room;
    uint32_t count = 0;
    for (uint32_t i = 0; i < message->recipient_count; i++) {
        if (!delivery_serves(delivery, &message->recipients[i])) continue;
        size_t need = envelope->recipients[i].address.length + envelope->recipients[i].orcpt.length + 16;
        if (count > 0 && need > room) break;
        room -= need < room ? need : room;
        job->envelope.recipients[count] = envelope->recipients[i];
        job->recipient_numbers[count++] = i;
    }
    job->envelope.recipient_count = count;
}

static void job_send(struct queue *queue, struct delivery *delivery, const struct lead *lead,
                     const struct envelope *envelope)
{
    const struct message *message = delivery->message;
    struct deliver_job job = { .id = delivery->job_id,
                               .message_id = message->id,
                               .arrived_ms = queue_shown(queue, message->arrived_ms),
                               .segment = message->segment,
                               .offset = message_content_offset(message),
                               .length = (uint64_t)message->prefix_length + message->body_length,
                               .prefix_length = message->prefix_length,
                               .content = message->content,
                               .edits = lead->edits[delivery->edits],
                               .envelope = *envelope };
    job.recipient_numbers =
        arena_alloc_array(queue->arena, message->recipient_count, sizeof *job.recipient_numbers);
    job.envelope.recipients =
        arena_alloc_array(queue->arena, message->recipient_count, sizeof *job.envelope.recipients);
    job_fill(queue, delivery, envelope, &job);
    job.domain = lead->recipients[job.recipient_numbers[0]].domain;
    deliver_job_put(&job, channel_begin(queue->carrier.channel, DELIVER_JOB, job.id));
    channel_end(queue->carrier.channel);
}

/* A message whose record is damaged is held, all of it, for the administrator. */
static void hold_damaged(struct queue *queue, struct message *message)
{
    struct changed_recipient *list = memory_alloc(message->recipient_count * sizeof *list);
    struct change change = { .when_ms = queue_wall(queue),
                             .recipients = list,
                             .reply = TEXT("its record in the journal is damaged") };
    for (uint32_t i = 0; i < message->recipient_count; i++)
        if (message->recipients[i].ending == ENDING_NONE)
            list[change.count++] =
                (struct changed_recipient){ i, 0, HOLD_ADMIN, message->recipients[i].attempts };
    journal_change(queue->journal, RECORD_HOLD, message, &change);
    event_log_steps(queue, RECORD_HOLD, message->id, &change);
    free(list);
    dispatch_settle(queue, message);
    turn_wanted_soon(queue);
}

/* A job whose outcome had no place would be done again after a restart. */
static bool has_place(const struct queue *queue)
{
    struct schedule_facts facts = schedule_facts(queue->schedule);
    return journal_has_place(queue->journal, journal_outcome_bytes(facts.out, facts.out_recipients));
}

static bool delivery_out(struct queue *queue, struct delivery *delivery)
{
    struct message *message = delivery->message;
    struct lead lead;
    struct envelope envelope;
    arena_reset(queue->arena);
    if (!queue_envelope(queue, message, &lead, &envelope) || delivery->edits >= lead.edits_count) {
        schedule_done(queue->schedule, delivery);
        hold_damaged(queue, message);
        return true;
    }
    if (!segment_give(queue, message->segment)) { /* looked at again at the next tick */
        schedule_give_back(queue->schedule, delivery);
        return false;
    }
    delivery->job_id = ++queue->carrier.job_id;
    journal_segment_use(queue->journal, message->segment, 1);
    job_send(queue, delivery, &lead, &envelope);
    return true;
}

void dispatch_jobs(struct queue *queue)
{
    struct carrier *carrier = &queue->carrier;
    while (carrier->channel && carrier->is_synced && channel_backlog(carrier->channel) < BACKLOG_MOST) {
        struct delivery *delivery = schedule_next(queue->schedule, queue_now(queue));
        if (!delivery) return;
        if (!has_place(queue)) { /* looked at again at the next tick */
            schedule_give_back(queue->schedule, delivery);
            return;
        }
        if (!delivery_out(queue, delivery)) return;
    }
}

/* After results */

void dispatch_settle(struct queue *queue, struct message *message)
{
    schedule_trim(queue->schedule, message);
    if (message->live_count) return;
    char id[MESSAGE_ID_SIZE];
    log_of(LOG_LEVEL_INFO, message_id_print(message->id, id), "%s: removed", id);
}

/* From before our restart: not to be given again, its result will come. */
static bool under_way_take(struct queue *queue, struct frame *frame)
{
    struct reader reader = reader_of(frame->payload);
    struct message *message = message_index_find(queue->message_index, get_u64(&reader));
    uint32_t count = get_count(&reader, ENVELOPE_RECIPIENTS_MOST, 4);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = get_u32(&reader);
        if (!message || reader.failed || number >= message->recipient_count) continue;
        struct delivery *delivery = schedule_delivery_of(message, &message->recipients[number]);
        if (!delivery || delivery->state == DELIVERY_OUT) continue;
        schedule_take(queue->schedule, delivery);
        delivery->job_id = JOB_ADOPTED;
        journal_segment_use(queue->journal, message->segment, 1);
        journal_segment_never_reuse(queue->journal, message->segment);
    }
    return reader_done(&reader);
}

static bool on_frame(void *context, struct frame *frame)
{
    struct queue *queue = CONTEXT(context, struct queue, QUEUE_MAGIC);
    switch (frame->type) {
    case DELIVER_RESULT:
        return result_take(queue, frame);
    case DELIVER_UNDER_WAY:
        return under_way_take(queue, frame);
    case DELIVER_SYNCED:
        queue->carrier.is_synced = true;
        turn_wanted(queue);
        return true;
    default:
        return false;
    }
}

/* What was out is given out again when deliver is back; bytes of it may still be in sockets. */
static void all_given_back(struct queue *queue)
{
    size_t place = 0;
    for (struct message *message; (message = message_index_next(queue->message_index, &place));) {
        for (struct delivery *one = message->deliveries; message->jobs && one; one = one->next_of_message) {
            if (one->state != DELIVERY_OUT) continue;
            journal_segment_never_reuse(queue->journal, message->segment);
            journal_segment_use(queue->journal, message->segment, -1);
            schedule_give_back(queue->schedule, one);
        }
    }
}

static void on_closed(void *context)
{
    struct queue *queue = CONTEXT(context, struct queue, QUEUE_MAGIC);
    channel_close(queue->carrier.channel);
    queue->carrier.channel = NULL;
    queue->carrier.is_synced = false;
    queue->carrier.segment_count = 0;
    queue->acknowledgement_count = 0;
    all_given_back(queue);
    if (!queue->is_stopping) event_log_again(queue, &queue->delivered, 0);
    turn_wanted(queue);
}

void dispatch_set_deliver(struct queue *queue, int fd)
{
    static const struct channel_events events = { on_frame, on_closed };
    if (queue->carrier.channel) on_closed(queue);
    queue->carrier.channel = channel_open(queue->child.loop, fd, &events, queue);
}
