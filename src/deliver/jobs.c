/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Jobs by id, from queue and back to it. */
#include "deliver/jobs.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/owner.h"
#include "deliver/hash_table.h"
#include "ipc/event.h"

enum { SPARE_MOST = 256, SPARE_BYTES_MOST = 64 * 1024 };

struct job_segment {
    struct hash_node node;
    uint32_t number, jobs;
    int fd;
    bool is_listed; /* in the table: new jobs may name it */
};

enum job_state { JOB_WAITING, JOB_UNDER_WAY, JOB_DONE };

struct job {
    struct errand errand; /* first */
    struct hash_node node;
    struct jobs *jobs;
    struct arena *arena;
    struct job_segment *segment;
    struct deliver_job job;
    struct result_hold hold; /* once it is done */
    bool is_done;
    struct job *next_spare;
};

struct jobs {
    struct loop *loop;
    struct pool *pool;
    struct ring *events;
    struct results *results; /* NULL: none */
    struct channel *queue;   /* NULL while there is none */
    struct hash_table by_id, segments;
    struct job *spare;
    unsigned spare_count;
    struct buffer record;
    struct jobs_counts counts;
    bool is_stopping;
    void (*refused)(void *context, const struct deliver_job *job); /* NULL: nobody hears */
    void *refused_context;
};

struct jobs *jobs_new(struct loop *loop, struct pool *pool, struct ring *events)
{
    struct jobs *jobs = memory_alloc(sizeof *jobs);
    jobs->loop = loop;
    jobs->pool = pool;
    jobs->events = events;
    return jobs;
}

void jobs_set_refused(struct jobs *jobs, void (*refused)(void *context, const struct deliver_job *job),
                      void *context)
{
    jobs->refused = refused;
    jobs->refused_context = context;
}

void jobs_set_results(struct jobs *jobs, struct results *results)
{
    jobs->results = results;
}

/* --- segments --- */

static struct job_segment *segment_find(const struct jobs *jobs, uint32_t number)
{
    struct hash_node *node = hash_table_first(&jobs->segments, hash_table_number(number));
    for (; node; node = hash_table_next(node)) {
        struct job_segment *segment = OWNER_OF(node, struct job_segment, node);
        if (segment->number == number) return segment;
    }
    return NULL;
}

static void segment_release(struct jobs *jobs, struct job_segment *segment)
{
    if (segment->jobs > 0 || segment->is_listed) return;
    close(segment->fd);
    free(segment);
    jobs->counts.segments--;
}

static void segment_unlist(struct jobs *jobs, struct job_segment *segment)
{
    hash_table_remove(&jobs->segments, &segment->node);
    segment->is_listed = false;
    segment_release(jobs, segment);
}

static bool segment_take(struct jobs *jobs, struct frame *frame)
{
    struct reader reader = reader_of(frame->payload);
    uint32_t number = get_u32(&reader);
    int fd = frame_take_fd(frame, 0);
    if (!reader_done(&reader) || fd < 0) {
        if (fd >= 0) close(fd);
        return false;
    }
    struct job_segment *old = segment_find(jobs, number);
    if (old) segment_unlist(jobs, old);
    struct job_segment *segment = memory_alloc(sizeof *segment);
    *segment = (struct job_segment){ .number = number, .fd = fd, .is_listed = true };
    hash_table_add(&jobs->segments, &segment->node, hash_table_number(number));
    jobs->counts.segments++;
    return true;
}

static bool segment_end(struct jobs *jobs, struct frame *frame)
{
    struct reader reader = reader_of(frame->payload);
    struct job_segment *segment = segment_find(jobs, get_u32(&reader));
    if (segment && !reader.failed) segment_unlist(jobs, segment);
    return reader_done(&reader);
}

/* --- jobs --- */

static struct job *job_find(const struct jobs *jobs, uint64_t id)
{
    struct hash_node *node = hash_table_first(&jobs->by_id, hash_table_number(id));
    for (; node; node = hash_table_next(node)) {
        struct job *job = OWNER_OF(node, struct job, node);
        if (job->job.id == id) return job;
    }
    return NULL;
}

static struct job *job_new(struct jobs *jobs)
{
    struct job *job = jobs->spare;
    struct arena *arena = job ? job->arena : arena_new(0);
    if (job) {
        jobs->spare = job->next_spare;
        jobs->spare_count--;
    } else {
        job = memory_alloc(sizeof *job);
    }
    *job = (struct job){ .jobs = jobs, .arena = arena };
    return job;
}

static void job_free(struct job *job)
{
    struct jobs *jobs = job->jobs;
    bool is_large = arena_used(job->arena) > SPARE_BYTES_MOST;
    if (job->segment) {
        job->segment->jobs--;
        segment_release(jobs, job->segment);
    }
    payload_close(&job->errand.payload);
    if (is_large || jobs->spare_count >= SPARE_MOST) {
        arena_free(job->arena);
        free(job);
        return;
    }
    arena_reset(job->arena);
    job->next_spare = jobs->spare;
    jobs->spare = job;
    jobs->spare_count++;
}

static void job_forget(struct job *job)
{
    struct jobs *jobs = job->jobs;
    hash_table_remove(&jobs->by_id, &job->node);
    if (job->is_done && jobs->results) results_let_go(jobs->results, &job->hold);
    job_free(job);
}

static enum job_state state_of(const struct job *job)
{
    return job->is_done ? JOB_DONE : job->errand.is_started ? JOB_UNDER_WAY : JOB_WAITING;
}

/* --- results --- */

static void result_send(const struct job *job)
{
    struct channel *queue = job->jobs->queue;
    const struct errand *errand = &job->errand;
    if (!queue) return;
    struct deliver_result result = { .id = job->job.id,
                                     .message_id = job->job.message_id,
                                     .destination_down = errand->destination_down,
                                     .relay = errand->relay.length ? errand->relay : TEXT("none"),
                                     .tls = errand->tls,
                                     .connect_ms = errand->connect_ms,
                                     .transfer_ms = errand->transfer_ms,
                                     .recipient_count = job->job.envelope.recipient_count,
                                     .recipients = errand->handover.results };
    deliver_result_put(&result, channel_begin(queue, DELIVER_RESULT, job->job.id));
    channel_end(queue);
}

/* The whole line as the server said it: queue makes the same of it for log and notices. */
static struct text reply_line(const struct recipient_result *result, char *room, size_t size)
{
    int length = snprintf(room, size, "%u %.*s%s%.*s", result->code, TEXT_ARG(result->enhanced),
                          result->enhanced.length ? " " : "", TEXT_ARG(result->reply));
    return text_from(room, (size_t)length < size ? (size_t)length : size - 1);
}

/* Into the record before anybody else hears of it: the server has the message now. */
static void delivered_record(struct job *job, const struct recipient_result *result)
{
    struct jobs *jobs = job->jobs;
    char room[600];
    if (!jobs->events && !jobs->results) return;
    struct event_ended event = { .id = job->job.message_id,
                                 .time_ms = loop_wall_ms(jobs->loop),
                                 .recipient = result->number,
                                 .ending = ENDING_DELIVERED,
                                 .dsn = result->enhanced,
                                 .relay = job->errand.relay,
                                 .reply = reply_line(result, room, sizeof room) };
    buffer_clear(&jobs->record);
    event_ended_put(&event, &jobs->record);
    if (jobs->results) results_keep(jobs->results, buffer_text(&jobs->record), result->dsn_relayed);
    if (jobs->events) ring_append(jobs->events, buffer_text(&jobs->record));
}

/* A peer that was only to take over has no last word: the message waits for its own servers, or for a peer
   that takes it. When the node has been put back meanwhile, its own servers are tried at once. */
static void refusal_soften(struct job *job, struct recipient_result *result)
{
    if (!job->errand.is_detour || result->ending == RECIPIENT_DELIVERED) return;
    if (!pool_has_detour(job->jobs->pool)) {
        result->ending = RECIPIENT_NOT_TRIED;
        job->errand.destination_down = false;
    }
    if (result->ending != RECIPIENT_FAILED) return;
    result->ending = RECIPIENT_DEFERRED;
    result->code = 0;
    result->enhanced =
        arena_printf(job->arena, "4%.*s", TEXT_ARG(text_slice(result->enhanced, 1, result->enhanced.length)));
}

static void job_done(struct job *job)
{
    job->is_done = true;
    if (job->jobs->results) results_begin(job->jobs->results, &job->hold);
}

static void on_done(struct errand *errand)
{
    struct job *job = (struct job *)errand;
    struct jobs_counts *counts = &job->jobs->counts;
    job_done(job);
    for (uint32_t i = 0; i < job->job.envelope.recipient_count; i++) {
        struct recipient_result *result = &errand->handover.results[i];
        refusal_soften(job, result);
        if (result->ending == RECIPIENT_DELIVERED) {
            delivered_record(job, result);
            counts->delivered++;
        } else if (result->ending == RECIPIENT_DEFERRED) {
            counts->deferred++;
        } else if (result->ending == RECIPIENT_FAILED) {
            counts->failed++;
            if (result->code >= 500 && job->jobs->refused)
                job->jobs->refused(job->jobs->refused_context, &job->job);
        }
    }
    result_send(job);
}

/* --- frames --- */

/* The frame's bytes live only for the call: the job keeps a copy. */
static bool job_read(struct job *job, struct frame *frame)
{
    struct frame copy = *frame;
    copy.payload = arena_text(job->arena, frame->payload);
    if (!deliver_job_get(job->arena, &copy, &job->job)) return false;
    job->segment = segment_find(job->jobs, job->job.segment);
    if (!job->segment) return false;
    job->segment->jobs++;
    return payload_open(&job->errand.payload, job->arena, &job->job, job->segment->fd);
}

static void give_back(struct job *job)
{
    handover_end_rest_by_us(&job->errand.handover, RECIPIENT_NOT_TRIED, "4.3.2", TEXT("given back"));
    job->errand.is_started = true;
    job_done(job);
    result_send(job);
}

static void errand_start(struct job *job)
{
    struct errand *errand = &job->errand;
    errand->has_content = true;
    errand->domain = job->job.domain;
    errand->job_id = job->job.id;
    errand->message_id = job->job.message_id;
    errand->on_done = on_done;
    errand->handover.arena = job->arena;
    errand->handover.envelope = &job->job.envelope;
    errand->handover.content = job->job.content;
    handover_start(&errand->handover);
    for (uint32_t i = 0; i < job->job.envelope.recipient_count; i++)
        errand->handover.results[i].number = job->job.recipient_numbers[i];
    hash_table_add(&job->jobs->by_id, &job->node, hash_table_number(job->job.id));
    job->jobs->counts.jobs++;
}

struct errand *jobs_adopt(struct jobs *jobs, const struct flight_load *load)
{
    if (job_find(jobs, load->job_id)) return NULL;
    struct job *job = job_new(jobs);
    uint32_t count = load->recipient_count;
    job->job = (struct deliver_job){ .id = load->job_id, .message_id = load->message_id };
    job->job.envelope.recipient_count = count;
    job->job.envelope.recipients = arena_alloc_array(job->arena, count, sizeof *job->job.envelope.recipients);
    job->job.recipient_numbers = arena_alloc_array(job->arena, count, sizeof *job->job.recipient_numbers);
    memcpy(job->job.recipient_numbers, load->numbers, count * sizeof *load->numbers);
    errand_start(job);
    job->errand.is_started = true;
    for (uint32_t i = 0; i < count; i++) handover_resume(&job->errand.handover, i, load->states[i]);
    return &job->errand;
}

static bool job_take(struct jobs *jobs, struct frame *frame)
{
    struct job *job = job_new(jobs);
    if (!job_read(job, frame) || job_find(jobs, job->job.id)) {
        log_error("queue sent a job that makes no sense");
        job_free(job);
        return false;
    }
    job->errand.segment_fd = job->segment->fd;
    errand_start(job);
    if (jobs->is_stopping)
        give_back(job);
    else
        pool_add(jobs->pool, &job->errand, false);
    return true;
}

static void job_cancel(struct jobs *jobs, uint64_t id)
{
    struct job *job = job_find(jobs, id);
    if (!job || state_of(job) != JOB_WAITING) return;
    pool_remove(jobs->pool, &job->errand);
    give_back(job);
}

bool jobs_frame(struct jobs *jobs, struct frame *frame)
{
    struct job *job;
    switch (frame->type) {
    case DELIVER_SEGMENT:
        return segment_take(jobs, frame);
    case DELIVER_SEGMENT_END:
        return segment_end(jobs, frame);
    case DELIVER_JOB:
        return job_take(jobs, frame);
    case DELIVER_RESULT_KEPT:
        job = job_find(jobs, frame->id);
        if (job && state_of(job) == JOB_DONE) job_forget(job);
        if (!job && jobs->results) results_kept(jobs->results, frame->id);
        return true;
    case DELIVER_CANCEL:
        job_cancel(jobs, frame->id);
        return true;
    default:
        return false;
    }
}

/* --- a queue that comes and goes --- */

static void under_way_send(const struct job *job, struct channel *queue)
{
    struct buffer *frame = channel_begin(queue, DELIVER_UNDER_WAY, job->job.id);
    put_u64(frame, job->job.message_id);
    put_u32(frame, job->job.envelope.recipient_count);
    for (uint32_t i = 0; i < job->job.envelope.recipient_count; i++)
        put_u32(frame, job->job.recipient_numbers[i]);
    channel_end(queue);
}

void jobs_queue_opened(struct jobs *jobs, struct channel *queue)
{
    size_t slot = 0;
    struct hash_node *next = NULL, *node;
    jobs->queue = queue;
    if (jobs->results) results_tell(jobs->results, queue);
    while ((node = hash_table_walk(&jobs->by_id, &slot, &next))) {
        const struct job *job = OWNER_OF(node, struct job, node);
        if (state_of(job) == JOB_DONE)
            result_send(job);
        else
            under_way_send(job, queue); /* one that waits came back from a broken connection meanwhile */
    }
    channel_send(queue, DELIVER_SYNCED, 0, TEXT_NONE);
}

void jobs_queue_closed(struct jobs *jobs)
{
    size_t slot = 0;
    struct hash_node *next = NULL, *node;
    jobs->queue = NULL;
    while ((node = hash_table_walk(&jobs->by_id, &slot, &next))) {
        struct job *job = OWNER_OF(node, struct job, node);
        if (state_of(job) != JOB_WAITING) continue;
        pool_remove(jobs->pool, &job->errand);
        job_forget(job);
    }
    slot = 0;
    next = NULL;
    while ((node = hash_table_walk(&jobs->segments, &slot, &next)))
        segment_unlist(jobs, OWNER_OF(node, struct job_segment, node));
}

void jobs_free(struct jobs *jobs)
{
    size_t slot = 0;
    struct hash_node *next = NULL, *node;
    jobs_queue_closed(jobs);
    while ((node = hash_table_walk(&jobs->by_id, &slot, &next))) job_forget(OWNER_OF(node, struct job, node));
    for (struct job *job = jobs->spare, *after; job; job = after) {
        after = job->next_spare;
        arena_free(job->arena);
        free(job);
    }
    hash_table_free(&jobs->by_id);
    hash_table_free(&jobs->segments);
    buffer_free(&jobs->record);
    free(jobs);
}

void jobs_stop(struct jobs *jobs)
{
    size_t slot = 0;
    struct hash_node *next = NULL, *node;
    jobs->is_stopping = true;
    while ((node = hash_table_walk(&jobs->by_id, &slot, &next))) {
        struct job *job = OWNER_OF(node, struct job, node);
        if (state_of(job) != JOB_WAITING) continue;
        pool_remove(jobs->pool, &job->errand);
        give_back(job);
    }
}

void jobs_count(const struct jobs *jobs, struct jobs_counts *out)
{
    size_t slot = 0;
    struct hash_node *next = NULL, *node;
    *out = jobs->counts;
    while ((node = hash_table_walk(&jobs->by_id, &slot, &next))) {
        enum job_state state = state_of(OWNER_OF(node, struct job, node));
        out->waiting += state == JOB_WAITING;
        out->under_way += state == JOB_UNDER_WAY;
        out->unkept += state == JOB_DONE;
    }
}
