/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Requests: taken in order, bounded, given to idle workers, answered to whoever still waits. */
#include "scan/foreman.h"

#include <stdlib.h>
#include <sysexits.h>

#include "base/codec.h"
#include "base/die.h"
#include "base/log.h"
#include "scan/foreman_private.h"

enum { WAITING_MOST = 4096, WAITING_BYTES_MOST = 64 << 20 };

/* --- answers --- */

void foreman_answer(struct foreman *foreman, struct request *request, uint16_t type, struct text payload)
{
    if (request->receiver) channel_send(request->receiver->channel, type, request->id, payload);
    foreman->answered++;
    request_free(request);
    bool is_last = foreman->stop_timer && foreman->busy_count <= 1 && !foreman->waiting;
    if (is_last) timer_set(foreman->stop_timer, 0); /* the worker's answer leaves with this turn */
}

void foreman_fail(struct foreman *foreman, struct request *request, enum scan_failure failure,
                  const char *why)
{
    struct buffer payload = { 0 };
    put_u8(&payload, (uint8_t)failure);
    put_text(&payload, text_of(why));
    foreman_answer(foreman, request, SCAN_FAILED, buffer_text(&payload));
    buffer_free(&payload);
}

/* A request whose worker died is not tried again by us: the client's next try is, and if a worker dies of it
   again, the message is held for people to look at. */
void foreman_lost(struct foreman *foreman, struct request *request, bool is_timed_out)
{
    uint8_t digest[DIGEST_BYTES];
    request_digest(request, digest);
    foreman->lost_count++;
    if (is_timed_out)
        foreman->timed_out++;
    else
        foreman->died++;
    if (poisons_meet(&foreman->poisons, digest))
        foreman_fail(foreman, request, SCAN_POISON, "the same message ended a worker before");
    else if (is_timed_out)
        foreman_fail(foreman, request, SCAN_TIMED_OUT, "the scan took too long");
    else
        foreman_fail(foreman, request, SCAN_WORKER_DIED, "the scan worker died");
}

/* --- waiting --- */

static struct request *waiting_take(struct foreman *foreman, struct request **at)
{
    struct request *request = *at;
    *at = request->next;
    if (!request->next) foreman->last_waiting = at;
    request->next = NULL;
    foreman->waiting_count--;
    foreman->waiting_bytes -= buffer_length(&request->payload);
    return request;
}

void foreman_take_back(struct foreman *foreman, struct request *request)
{
    request->next = foreman->waiting;
    if (!foreman->waiting) foreman->last_waiting = &request->next;
    foreman->waiting = request;
    foreman->waiting_count++;
    foreman->waiting_bytes += buffer_length(&request->payload);
}

void foreman_refuse_waiting(struct foreman *foreman, const char *why)
{
    while (foreman->waiting) {
        foreman->refused++;
        foreman_fail(foreman, waiting_take(foreman, &foreman->waiting), SCAN_NOT_READY, why);
    }
}

void foreman_dispatch(struct foreman *foreman)
{
    while (foreman->waiting && foreman->busy_count < crew_size(foreman)) {
        struct crew_member *member = crew_idle(foreman);
        if (!member) return;
        crew_give(member, waiting_take(foreman, &foreman->waiting));
    }
}

static void request_take(struct receiver *receiver, struct frame *frame)
{
    struct foreman *foreman = receiver->foreman;
    struct request *request = request_new(receiver, frame, loop_now_ms(foreman->child->loop));
    size_t bytes = buffer_length(&request->payload);
    const char *why = NULL;
    if (foreman->waiting_count >= WAITING_MOST || foreman->waiting_bytes + bytes > WAITING_BYTES_MOST)
        why = "too many messages wait for the scanner";
    if (foreman->child->is_stopping) why = "the scanner is being stopped";
    if (foreman->trouble[0]) why = foreman->trouble;
    if (why) {
        foreman->refused++;
        foreman_fail(foreman, request, SCAN_NOT_READY, why);
        return;
    }
    *foreman->last_waiting = request;
    foreman->last_waiting = &request->next;
    foreman->waiting_count++;
    foreman->waiting_bytes += bytes;
    foreman_dispatch(foreman);
}

/* What waits is dropped; what a worker has is finished for nobody. `id` is ignored when `is_all`. */
static void requests_forget(struct receiver *receiver, uint64_t id, bool is_all)
{
    struct foreman *foreman = receiver->foreman;
    for (struct request **at = &foreman->waiting; *at;) {
        if ((*at)->receiver == receiver && (is_all || (*at)->id == id))
            request_free(waiting_take(foreman, at));
        else
            at = &(*at)->next;
    }
    for (struct crew_member *member = foreman->crew; member; member = member->next)
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
    struct receiver **at = &receiver->foreman->receivers;
    requests_forget(receiver, 0, true);
    while (*at != receiver) at = &(*at)->next;
    *at = receiver->next;
    channel_close(receiver->channel);
    free(receiver);
}

void foreman_add_receiver(struct foreman *foreman, int fd)
{
    static const struct channel_events events = { receiver_frame, receiver_gone };
    struct receiver *receiver = memory_alloc(sizeof *receiver);
    receiver->foreman = foreman;
    receiver->next = foreman->receivers;
    foreman->receivers = receiver;
    receiver->channel = channel_open(foreman->child->loop, fd, &events, receiver);
}

/* --- life --- */

static void retry(void *context)
{
    struct foreman *foreman = context;
    if (!foreman->brood && !foreman->next_brood) crew_start(foreman, false);
    crew_fill(foreman);
}

struct foreman *foreman_new(struct child *child, int warden, uint32_t core_count)
{
    struct foreman *foreman = memory_alloc(sizeof *foreman);
    foreman->child = child;
    foreman->core_count = core_count;
    foreman->last_waiting = &foreman->waiting;
    foreman->worker_ms = loop_now_ms(child->loop);
    foreman->retry = timer_new(child->loop, retry, foreman);
    foreman->warden = channel_open(child->loop, warden, &crew_warden_events, foreman);
    crew_start(foreman, false);
    return foreman;
}

void foreman_reload(struct foreman *foreman)
{
    crew_start(foreman, true);
}

static void stop_check(void *context)
{
    struct foreman *foreman = context;
    (void)foreman;
    child_exit(foreman->child, EX_OK);
}

void foreman_stop(struct foreman *foreman, uint32_t within_ms)
{
    bool is_idle = foreman->busy_count == 0 && !foreman->waiting;
    foreman->stop_timer = timer_new(foreman->child->loop, stop_check, foreman);
    timer_set(foreman->stop_timer, is_idle ? 0 : within_ms);
}

void foreman_status(const struct foreman *foreman, struct buffer *out)
{
    const struct brood *brood = foreman->brood;
    child_status_add(out, "workers", "%u, %u busy", crew_size(foreman), foreman->busy_count);
    child_status_add(out, "waiting", "%u", foreman->waiting_count);
    child_status_add(out, "judged", "%llu", (unsigned long long)foreman->answered);
    child_status_add(out, "workers died, timed out", "%llu, %llu", (unsigned long long)foreman->died,
                     (unsigned long long)foreman->timed_out);
    child_status_add(out, "refused", "%llu", (unsigned long long)foreman->refused);
    if (foreman->trouble[0]) child_status_add(out, "trouble", "%s", foreman->trouble);
    if (!brood) return;
    const char *without = brood->missing[0] ? "none: all mail is unscanned" : "none: the virus check is off";
    child_status_add(out, "engine", "%s", brood->engine[0] ? brood->engine : without);
    child_status_add(out, "signatures", "%u", brood->signatures);
    if (brood->missing[0]) child_status_add(out, "engine trouble", "%s", brood->missing);
}

static enum health_engine engine_health(const struct brood *brood)
{
    if (!brood->engine[0]) return brood->missing[0] ? HEALTH_ENGINE_NONE : HEALTH_ENGINE_OFF;
    if (brood->missing[0]) return HEALTH_ENGINE_BUILTIN;
    return brood->embedded == EMBEDDED_ONLY ? HEALTH_ENGINE_TRIAL : HEALTH_ENGINE_WHOLE;
}

void foreman_health(struct foreman *foreman, struct health_facts *out)
{
    const struct brood *brood = foreman->brood;
    uint64_t now = loop_now_ms(foreman->child->loop);
    int64_t now_s = (int64_t)(loop_wall_ms(foreman->child->loop) / 1000);
    if (foreman->busy_count > 0 || crew_idle(foreman)) foreman->worker_ms = now;
    health_know(out, HEALTH_SCAN_DOWN_MS, now - foreman->worker_ms);
    health_know(out, HEALTH_SCAN_LOST, foreman->lost_count);
    if (!brood) return;
    health_know(out, HEALTH_ENGINE, engine_health(brood));
    health_know(out, HEALTH_SIGNATURES, brood->signatures);
    health_know(out, HEALTH_SIGNATURES_KEPT, foreman->keeps_old);
    if (!brood->newest_s) return;
    health_know(out, HEALTH_SIGNATURES_AGE_S,
                now_s > brood->newest_s ? (uint64_t)(now_s - brood->newest_s) : 0);
}
