/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Requests: taken in order, bounded, given to idle workers, answered to whoever still waits. */
#include "scan/pool.h"

#include <stdlib.h>
#include <sysexits.h>

#include "base/codec.h"
#include "base/die.h"
#include "base/log.h"
#include "scan/pool_private.h"

enum { WAITING_MOST = 4096, WAITING_BYTES_MOST = 64 << 20 };

/* --- answers --- */

void pool_answer(struct pool *pool, struct request *request, uint16_t type, struct text payload)
{
    if (request->receiver) channel_send(request->receiver->channel, type, request->id, payload);
    pool->answered++;
    request_free(request);
    bool is_last = pool->stop_timer && pool->busy_count <= 1 && !pool->waiting;
    if (is_last) timer_set(pool->stop_timer, 0); /* the worker's answer leaves with this turn */
}

void pool_fail(struct pool *pool, struct request *request, enum scan_failure failure, const char *why)
{
    struct buffer payload = { 0 };
    put_u8(&payload, (uint8_t)failure);
    put_text(&payload, text_of(why));
    pool_answer(pool, request, SCAN_FAILED, buffer_text(&payload));
    buffer_free(&payload);
}

/* A request whose worker died is not tried again by us: the client's next try is, and if a worker dies of it
   again, the message is held for people to look at. */
void pool_lost(struct pool *pool, struct request *request, bool is_timed_out)
{
    uint8_t digest[DIGEST_BYTES];
    request_digest(request, digest);
    if (is_timed_out)
        pool->timed_out++;
    else
        pool->died++;
    if (poisons_meet(&pool->poisons, digest))
        pool_fail(pool, request, SCAN_POISON, "the same message ended a worker before");
    else if (is_timed_out)
        pool_fail(pool, request, SCAN_TIMED_OUT, "the scan took too long");
    else
        pool_fail(pool, request, SCAN_WORKER_DIED, "the scan worker died");
}

/* --- waiting --- */

static struct request *waiting_take(struct pool *pool, struct request **at)
{
    struct request *request = *at;
    *at = request->next;
    if (!request->next) pool->last_waiting = at;
    request->next = NULL;
    pool->waiting_count--;
    pool->waiting_bytes -= buffer_length(&request->payload);
    return request;
}

void pool_refuse_waiting(struct pool *pool, const char *why)
{
    while (pool->waiting) {
        pool->refused++;
        pool_fail(pool, waiting_take(pool, &pool->waiting), SCAN_NOT_READY, why);
    }
}

void pool_dispatch(struct pool *pool)
{
    while (pool->waiting && pool->busy_count < crew_size(pool)) {
        struct crew_member *member = crew_idle(pool);
        if (!member) return;
        crew_give(member, waiting_take(pool, &pool->waiting));
    }
}

static void request_take(struct receiver *receiver, struct frame *frame)
{
    struct pool *pool = receiver->pool;
    struct request *request = request_new(receiver, frame, loop_now_ms(pool->child->loop));
    size_t bytes = buffer_length(&request->payload);
    const char *why = NULL;
    if (pool->waiting_count >= WAITING_MOST || pool->waiting_bytes + bytes > WAITING_BYTES_MOST)
        why = "too many messages wait for the scanner";
    if (pool->child->is_stopping) why = "the scanner is being stopped";
    if (pool->trouble[0]) why = pool->trouble;
    if (why) {
        pool->refused++;
        pool_fail(pool, request, SCAN_NOT_READY, why);
        return;
    }
    *pool->last_waiting = request;
    pool->last_waiting = &request->next;
    pool->waiting_count++;
    pool->waiting_bytes += bytes;
    pool_dispatch(pool);
}

/* What waits is dropped; what a worker has is finished for nobody. `id` is ignored when `is_all`. */
static void requests_forget(struct receiver *receiver, uint64_t id, bool is_all)
{
    struct pool *pool = receiver->pool;
    for (struct request **at = &pool->waiting; *at;) {
        if ((*at)->receiver == receiver && (is_all || (*at)->id == id))
            request_free(waiting_take(pool, at));
        else
            at = &(*at)->next;
    }
    for (struct crew_member *member = pool->crew; member; member = member->next)
        if (member->request && member->request->receiver == receiver && (is_all || member->request->id == id))
            member->request->receiver = NULL;
}

/* --- receivers --- */

static bool receiver_frame(void *context, struct frame *frame)
{
    struct receiver *receiver = context;
    switch (frame->type) {
    case SCAN_READ:
    case SCAN_DECIDE:
        request_take(receiver, frame);
        return true;
    case SCAN_CANCEL:
        requests_forget(receiver, frame->id, false);
        return true;
    default:
        return false;
    }
}

static void receiver_gone(void *context)
{
    struct receiver *receiver = context;
    struct receiver **at = &receiver->pool->receivers;
    requests_forget(receiver, 0, true);
    while (*at != receiver) at = &(*at)->next;
    *at = receiver->next;
    channel_close(receiver->channel);
    free(receiver);
}

void pool_add_receiver(struct pool *pool, int fd)
{
    static const struct channel_events events = { receiver_frame, receiver_gone };
    struct receiver *receiver = memory_alloc(sizeof *receiver);
    receiver->pool = pool;
    receiver->next = pool->receivers;
    pool->receivers = receiver;
    receiver->channel = channel_open(pool->child->loop, fd, &events, receiver);
}

/* --- life --- */

static void retry(void *context)
{
    struct pool *pool = context;
    if (!pool->brood && !pool->next_brood) crew_start(pool, false);
    crew_fill(pool);
}

struct pool *pool_new(struct child *child, int warden, uint32_t core_count)
{
    struct pool *pool = memory_alloc(sizeof *pool);
    pool->child = child;
    pool->core_count = core_count;
    pool->last_waiting = &pool->waiting;
    pool->retry = timer_new(child->loop, retry, pool);
    pool->warden = channel_open(child->loop, warden, &crew_warden_events, pool);
    crew_start(pool, false);
    return pool;
}

void pool_reload(struct pool *pool)
{
    crew_start(pool, true);
}

static void stop_check(void *context)
{
    struct pool *pool = context;
    (void)pool;
    child_exit(pool->child, EX_OK);
}

void pool_stop(struct pool *pool, uint32_t within_ms)
{
    bool is_idle = pool->busy_count == 0 && !pool->waiting;
    pool->stop_timer = timer_new(pool->child->loop, stop_check, pool);
    timer_set(pool->stop_timer, is_idle ? 0 : within_ms);
}

void pool_status(const struct pool *pool, struct buffer *out)
{
    const struct brood *brood = pool->brood;
    child_status_add(out, "workers", "%u, %u busy", crew_size(pool), pool->busy_count);
    child_status_add(out, "waiting", "%u", pool->waiting_count);
    child_status_add(out, "judged", "%llu", (unsigned long long)pool->answered);
    child_status_add(out, "workers died, timed out", "%llu, %llu", (unsigned long long)pool->died,
                     (unsigned long long)pool->timed_out);
    child_status_add(out, "refused", "%llu", (unsigned long long)pool->refused);
    if (pool->trouble[0]) child_status_add(out, "trouble", "%s", pool->trouble);
    if (!brood) return;
    child_status_add(out, "engine", "%s", brood->engine[0] ? brood->engine : "none: all mail is unscanned");
    child_status_add(out, "signatures", "%u", brood->signatures);
    if (brood->missing[0]) child_status_add(out, "engine trouble", "%s", brood->missing);
}
