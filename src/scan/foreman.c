/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Requests: taken, bounded, in an order that shares.c knows, given to idle workers, answered to whoever
 * still waits. */
#include "scan/foreman.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/context.h"
#include "base/die.h"
#include "base/log.h"
#include "scan/foreman_private.h"
#include "scan/scan_private.h"

/* --- answers --- */

static void request_drop(struct foreman *foreman, struct request *request)
{
    shares_end(&foreman->waiting, request);
    request_free(request);
}

void foreman_answer(struct foreman *foreman, struct request *request, uint16_t type, struct text payload)
{
    if (request->receiver) channel_send(request->receiver->channel, type, request->id, payload);
    foreman->answered++;
    request_drop(foreman, request);
    bool is_last = foreman->stop_timer && crew_busy(foreman) <= 1 && !foreman->waiting.count;
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

void foreman_take_back(struct foreman *foreman, struct request *request)
{
    shares_take_back(&foreman->waiting, request);
}

void foreman_refuse_waiting(struct foreman *foreman, const char *why)
{
    for (struct request *request; (request = shares_any(&foreman->waiting)) != NULL;) {
        foreman->refused++;
        foreman_fail(foreman, request, SCAN_NOT_READY, why);
    }
}

static void dispatch(struct foreman *foreman, enum request_weight weight)
{
    while (foreman->busy_count[weight] < crew_size(foreman)) {
        struct crew_member *member = crew_idle(foreman, weight);
        struct request *request = member ? shares_give(&foreman->waiting, weight) : NULL;
        if (!request) return;
        crew_give(member, request);
    }
}

void foreman_dispatch(struct foreman *foreman)
{
    dispatch(foreman, REQUEST_SMALL);
    dispatch(foreman, REQUEST_LARGE);
}

static void request_take(struct receiver *receiver, struct frame *frame)
{
    struct foreman *foreman = receiver->foreman;
    struct request *request = request_new(receiver, frame, loop_now_ms(foreman->child->loop));
    const char *why = NULL;
    if (frame->is_short) why = "no descriptor is left for its content";
    if (foreman->child->is_stopping) why = "the scanner is being stopped";
    if (foreman->trouble[0]) why = foreman->trouble;
    if (!why && !shares_add(&foreman->waiting, request)) why = "too many messages wait for the scanner";
    if (why) {
        foreman->refused++;
        foreman_fail(foreman, request, SCAN_NOT_READY, why);
        return;
    }
    if (request->weight == REQUEST_LARGE && !foreman->has_large) {
        foreman->has_large = true;
        crew_fill(foreman);
    }
    foreman_dispatch(foreman);
}

/* What waits is dropped; what a worker has is finished for nobody. `id` is ignored when `is_all`. */
static void requests_forget(struct receiver *receiver, uint64_t id, bool is_all)
{
    struct foreman *foreman = receiver->foreman;
    struct request *next;
    for (enum request_weight weight = REQUEST_SMALL; weight < REQUEST_WEIGHTS; weight++)
        for (struct request *request = foreman->waiting.first[weight]; request; request = next) {
            next = request->next;
            if (request->receiver == receiver && (is_all || request->id == id))
                request_drop(foreman, request);
        }
    for (struct request *request = foreman->waiting.given; request; request = request->next)
        if (request->receiver == receiver && (is_all || request->id == id)) request->receiver = NULL;
}

/* --- receivers --- */

static bool receiver_frame(void *context, struct frame *frame)
{
    struct receiver *receiver = CONTEXT(context, struct receiver, RECEIVER_MAGIC);
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
    struct receiver *receiver = CONTEXT(context, struct receiver, RECEIVER_MAGIC);
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
    receiver->magic = RECEIVER_MAGIC;
    receiver->foreman = foreman;
    receiver->next = foreman->receivers;
    foreman->receivers = receiver;
    receiver->channel = channel_open(foreman->child->loop, fd, &events, receiver);
}

/* --- life --- */

static void retry(void *context)
{
    struct foreman *foreman = CONTEXT(context, struct foreman, FOREMAN_MAGIC);
    if (!foreman->brood && !foreman->next_brood) crew_start(foreman, false);
    crew_fill(foreman);
}

struct foreman *foreman_new(struct child *child, int warden, pid_t warden_pid, uint32_t core_count)
{
    struct foreman *foreman = memory_alloc(sizeof *foreman);
    foreman->magic = FOREMAN_MAGIC;
    foreman->child = child;
    foreman->core_count = core_count;
    foreman->worker_ms = loop_now_ms(child->loop);
    foreman->retry = timer_new(child->loop, retry, foreman);
    foreman->warden = channel_open(child->loop, warden, &crew_warden_events, foreman);
    foreman->log_fds[MASTER_LOG_STDERR] = foreman->log_fds[MASTER_LOG_TARGET] = -1;
    foreman->warden_vigil.pid = warden_pid;
    vigil_open(foreman);
    crew_start(foreman, false);
    return foreman;
}

void foreman_reload(struct foreman *foreman)
{
    crew_start(foreman, true);
}

static void stop_check(void *context)
{
    struct foreman *foreman = CONTEXT(context, struct foreman, FOREMAN_MAGIC);
    (void)foreman;
    child_exit(foreman->child, EX_OK);
}

void foreman_stop(struct foreman *foreman, uint32_t within_ms)
{
    bool is_idle = crew_busy(foreman) == 0 && !foreman->waiting.count;
    foreman->stop_timer = timer_new(foreman->child->loop, stop_check, foreman);
    timer_set(foreman->stop_timer, is_idle ? 0 : within_ms);
}

/* A worker that is being forked is told when its channel comes. */
void foreman_log(struct foreman *foreman, enum master_log which, int fd)
{
    if (foreman->log_fds[which] >= 0) close(foreman->log_fds[which]);
    foreman->log_fds[which] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    crew_tell_log(foreman, foreman->warden, WARDEN_LOG);
    if (foreman->brood) crew_tell_log(foreman, foreman->brood->channel, NURSERY_LOG);
    if (foreman->next_brood) crew_tell_log(foreman, foreman->next_brood->channel, NURSERY_LOG);
    for (struct crew_member *member = foreman->crew; member; member = member->next)
        crew_tell_log(foreman, member->channel, WORKER_LOG);
}

void foreman_status(const struct foreman *foreman, struct buffer *out)
{
    const struct brood *brood = foreman->brood;
    child_status_add(out, "workers", "%u, %u busy", crew_size(foreman), crew_busy(foreman));
    child_status_add(out, "waiting", "%u", foreman->waiting.count);
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
    bool has_worker = foreman->busy_count[REQUEST_SMALL] > 0 || crew_idle(foreman, REQUEST_SMALL);
    if (has_worker) foreman->worker_ms = now;
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
