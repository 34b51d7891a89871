/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Requests: taken, bounded, in an order that fair_shares.c knows, given to idle workers, answered to whoever
 * still waits. */
#include "scan/dispatcher.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/context.h"
#include "base/date.h"
#include "base/die.h"
#include "base/log.h"
#include "scan/dispatcher_private.h"
#include "scan/scan_private.h"
#include "scan/signing.h"

enum { LOST_MS = 1000 }; /* what a message counts that ended its worker */

/* --- answers --- */

/* Of a message; what is only decided about is read already. */
static void spent_count(struct dispatcher *dispatcher, const struct request *request)
{
    if (request->type == SCAN_READ) shares_spent(&dispatcher->waiting, request, request->spent_ms);
}

static void request_drop(struct dispatcher *dispatcher, struct request *request)
{
    shares_end(&dispatcher->waiting, request);
    request_free(request);
}

void dispatcher_answer(struct dispatcher *dispatcher, struct request *request, uint16_t type,
                       struct text payload)
{
    if (request->receiver) channel_send(request->receiver->channel, type, request->id, payload);
    uint32_t own = request->is_let_go ? 0 : 1;
    dispatcher->answered++;
    request_drop(dispatcher, request);
    bool is_last = dispatcher->stop_timer && worker_pool_busy(dispatcher) <= own &&
                   !dispatcher->waiting.count && sealer_count(dispatcher->sealer) == 0;
    if (is_last) timer_set(dispatcher->stop_timer, 0); /* the worker's answer leaves with this turn */
}

void dispatcher_fail(struct dispatcher *dispatcher, struct request *request, enum scan_failure failure,
                     const char *why)
{
    struct buffer payload = { 0 };
    put_u8(&payload, (uint8_t)failure);
    put_text(&payload, text_of(why));
    dispatcher_answer(dispatcher, request, SCAN_FAILED, buffer_text(&payload));
    buffer_free(&payload);
}

/* A request whose worker died is not tried again by us: the client's next try is, and if a worker dies of it
   again, the message is held for people to look at. */
void dispatcher_lost(struct dispatcher *dispatcher, struct request *request, bool is_timed_out)
{
    uint8_t digest[DIGEST_BYTES];
    request_digest(request, digest);
    request->spent_ms = LOST_MS;
    spent_count(dispatcher, request);
    dispatcher->lost_count++;
    if (is_timed_out)
        dispatcher->timed_out++;
    else
        dispatcher->died++;
    if (poisons_meet(&dispatcher->poisons, digest))
        dispatcher_fail(dispatcher, request, SCAN_POISON, "the same message ended a worker before");
    else if (is_timed_out)
        dispatcher_fail(dispatcher, request, SCAN_TIMED_OUT, "the scan took too long");
    else
        dispatcher_fail(dispatcher, request, SCAN_WORKER_DIED, "the scan worker died");
}

static void judged_answer(struct dispatcher *dispatcher, struct request *request, uint16_t type,
                          struct text payload)
{
    struct buffer signed_payload = { 0 };
    arena_reset(dispatcher->arena);
    /* nobody vouches for what is not relayed */
    bool is_plain = (request->type == SCAN_AGAIN && type == SCAN_FACTS) ||
                    (request->type == SCAN_LESSON && type == SCAN_LESSON_IS);
    if (type == SCAN_FAILED || !request->receiver || is_plain)
        dispatcher_answer(dispatcher, request, type, payload);
    else if (signing_write(dispatcher->key, dispatcher->arena, request, type, payload,
                           loop_now_ms(dispatcher->child->loop), &signed_payload))
        dispatcher_answer(dispatcher, request, type, buffer_text(&signed_payload));
    else
        dispatcher_fail(dispatcher, request, SCAN_WORKER_DIED, "what the worker answered makes no sense");
    buffer_free(&signed_payload);
}

static void sealed(void *context, struct request *request, struct text payload)
{
    judged_answer(CONTEXT(context, struct dispatcher, DISPATCHER_MAGIC), request, SCAN_VERDICT, payload);
}

void dispatcher_judged(struct dispatcher *dispatcher, struct request *request, uint16_t type,
                       struct text payload)
{
    bool is_to_seal = type == SCAN_VERDICT && request->receiver && buffer_length(&request->seals) > 0;
    spent_count(dispatcher, request);
    if (is_to_seal)
        sealer_begin(dispatcher->sealer, request, payload);
    else
        judged_answer(dispatcher, request, type, payload);
}

/* --- waiting --- */

void dispatcher_take_back(struct dispatcher *dispatcher, struct request *request)
{
    shares_take_back(&dispatcher->waiting, request);
}

void dispatcher_refuse_waiting(struct dispatcher *dispatcher, const char *why)
{
    for (struct request *request; (request = shares_any(&dispatcher->waiting)) != NULL;) {
        dispatcher->refused++;
        dispatcher_fail(dispatcher, request, SCAN_NOT_READY, why);
    }
}

static void dispatch(struct dispatcher *dispatcher, enum request_weight weight)
{
    while (dispatcher->busy_count[weight] < worker_pool_size(dispatcher)) {
        struct pool_worker *member = worker_pool_idle(dispatcher, weight);
        struct request *request = member ? shares_give(&dispatcher->waiting, weight) : NULL;
        if (!request) return;
        worker_pool_give(member, request);
    }
}

void dispatcher_give(struct dispatcher *dispatcher)
{
    if (dispatcher->waiting.first[REQUEST_LARGE] && !dispatcher->has_large) {
        dispatcher->has_large = true;
        worker_pool_fill(dispatcher);
    }
    dispatch(dispatcher, REQUEST_SMALL);
    dispatch(dispatcher, REQUEST_LARGE);
}

/* It asks one at a time. */
static bool is_asking(const struct receiver *receiver)
{
    const struct shares *waiting = &receiver->dispatcher->waiting;
    for (const struct request *request = waiting->first[REQUEST_LARGE]; request; request = request->next)
        if (request->receiver == receiver) return true;
    for (const struct request *request = waiting->given; request; request = request->next)
        if (request->receiver == receiver) return true;
    return false;
}

static void request_take(struct receiver *receiver, struct frame *frame)
{
    struct dispatcher *dispatcher = receiver->dispatcher;
    struct request *request = request_new(receiver, frame, dispatcher->child->config->limits.ipv6_prefix,
                                          loop_now_ms(dispatcher->child->loop));
    const char *why = NULL;
    arena_reset(dispatcher->arena);
    if (receiver->is_keeper) request->weight = REQUEST_LARGE; /* its workers are nice */
    if (receiver->is_keeper && is_asking(receiver)) why = "it asks about one message at a time";
    if (!signing_admits(dispatcher->key, dispatcher->arena, request))
        why = "its facts are not those that were found in it";
    if (frame->is_short) why = "no descriptor is left for its content";
    if (dispatcher->child->is_stopping) why = "the scanner is being stopped";
    if (dispatcher->trouble[0]) why = dispatcher->trouble;
    if (!why && !shares_add(&dispatcher->waiting, request)) why = "too many messages wait for the scanner";
    if (why) {
        dispatcher->refused++;
        dispatcher_fail(dispatcher, request, SCAN_NOT_READY, why);
        return;
    }
    dispatcher_give(dispatcher);
}

/* What waits is dropped; what a worker has is finished for nobody. `id` is ignored when `is_all`. */
static void requests_forget(struct receiver *receiver, uint64_t id, bool is_all)
{
    struct dispatcher *dispatcher = receiver->dispatcher;
    struct request *next;
    for (enum request_weight weight = REQUEST_SMALL; weight < REQUEST_WEIGHTS; weight++)
        for (struct request *request = dispatcher->waiting.first[weight]; request; request = next) {
            next = request->next;
            if (request->receiver == receiver && (is_all || request->id == id))
                request_drop(dispatcher, request);
        }
    for (struct request *request = dispatcher->waiting.given; request; request = request->next)
        if (request->receiver == receiver && (is_all || request->id == id)) request->receiver = NULL;
}

/* --- receivers --- */

static bool receiver_frame(void *context, struct frame *frame)
{
    struct receiver *receiver = CONTEXT(context, struct receiver, RECEIVER_MAGIC);
    bool is_of_keeper = frame->type == SCAN_AGAIN || frame->type == SCAN_LESSON;
    if (receiver->is_keeper != is_of_keeper) return false;
    switch (frame->type) {
    case SCAN_LESSON:
    case SCAN_AGAIN:
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
    requests_forget(receiver, 0, true);
    LIST_REMOVE(receiver, others);
    channel_close(receiver->channel);
    free(receiver);
}

static void signatures_put(const struct receiver *receiver, const struct generation *generation)
{
    struct buffer facts = { 0 };
    put_text(&facts, text_of(generation->engine));
    for (uint32_t i = 0; i < generation->set_count; i++) {
        const struct engine_set *set = &generation->sets[i];
        put_text(&facts, text_of(set->name));
        put_text(&facts, text_of(set->version));
        put_u32(&facts, set->signatures);
        put_u64(&facts, (uint64_t)set->newest_s);
    }
    put_u64(channel_begin(receiver->channel, SCAN_SIGNATURES, 0), text_checksum(buffer_text(&facts)));
    channel_end(receiver->channel);
    buffer_free(&facts);
}

void dispatcher_tell_signatures(struct dispatcher *dispatcher, struct generation *generation)
{
    const struct receiver *receiver;
    if (generation->is_told || !generation->engine[0]) return;
    generation->is_told = true;
    LIST_FOREACH(receiver, &dispatcher->receivers, others)
        if (receiver->is_keeper) signatures_put(receiver, generation);
}

static struct receiver *receiver_add(struct dispatcher *dispatcher, int fd, bool is_keeper)
{
    static const struct channel_events events = { receiver_frame, receiver_gone };
    struct receiver *receiver = memory_alloc(sizeof *receiver);
    receiver->magic = RECEIVER_MAGIC;
    receiver->dispatcher = dispatcher;
    receiver->is_keeper = is_keeper;
    LIST_INSERT_HEAD(&dispatcher->receivers, receiver, others);
    receiver->channel = channel_open(dispatcher->child->loop, fd, &events, receiver);
    return receiver;
}

void dispatcher_add_receiver(struct dispatcher *dispatcher, int fd)
{
    receiver_add(dispatcher, fd, false);
}

void dispatcher_add_keeper(struct dispatcher *dispatcher, int fd)
{
    const struct receiver *receiver = receiver_add(dispatcher, fd, true);
    if (dispatcher->generation && dispatcher->generation->is_told)
        signatures_put(receiver, dispatcher->generation);
}

/* --- life --- */

static void retry(void *context)
{
    struct dispatcher *dispatcher = CONTEXT(context, struct dispatcher, DISPATCHER_MAGIC);
    if (!dispatcher->generation && !dispatcher->next_generation && !dispatcher->is_dropping)
        worker_pool_start(dispatcher, false);
    worker_pool_fill(dispatcher);
}

struct dispatcher *dispatcher_new(struct child *child, int warden, pid_t warden_pid, struct digest_key *key,
                                  uint32_t core_count)
{
    struct dispatcher *dispatcher = memory_alloc(sizeof *dispatcher);
    dispatcher->magic = DISPATCHER_MAGIC;
    dispatcher->child = child;
    dispatcher->key = key;
    dispatcher->arena = arena_new(16 * 1024);
    dispatcher->sealer = sealer_new(child, sealed, dispatcher);
    dispatcher->readers = reader_pool_new(dispatcher);
    dispatcher->core_count = core_count;
    dispatcher->worker_ms = loop_now_ms(child->loop);
    dispatcher->retry = timer_new(child->loop, retry, dispatcher);
    dispatcher->again = (struct deferred){ .run = worker_pool_again, .context = dispatcher };
    dispatcher->warden = channel_open(child->loop, warden, &worker_pool_warden_events, dispatcher);
    dispatcher->log_fds[MASTER_LOG_STDERR] = dispatcher->log_fds[MASTER_LOG_TARGET] = -1;
    dispatcher->warden_vigil.pid = warden_pid;
    vigil_open(dispatcher);
    worker_pool_start(dispatcher, false);
    return dispatcher;
}

void dispatcher_connect_signer(struct dispatcher *dispatcher, int fd)
{
    sealer_connect(dispatcher->sealer, fd);
}

void dispatcher_reload(struct dispatcher *dispatcher)
{
    worker_pool_start(dispatcher, true);
}

void dispatcher_connect_open(struct dispatcher *dispatcher, int fd)
{
    reader_pool_connect(dispatcher->readers, fd);
}

static void stop_check(void *context)
{
    struct dispatcher *dispatcher = CONTEXT(context, struct dispatcher, DISPATCHER_MAGIC);
    (void)dispatcher;
    child_exit(dispatcher->child, EX_OK);
}

void dispatcher_stop(struct dispatcher *dispatcher, uint32_t within_ms)
{
    bool is_idle = worker_pool_busy(dispatcher) == 0 && !dispatcher->waiting.count &&
                   sealer_count(dispatcher->sealer) == 0;
    dispatcher->stop_timer = timer_new(dispatcher->child->loop, stop_check, dispatcher);
    timer_set(dispatcher->stop_timer, is_idle ? 0 : within_ms);
}

/* A worker that is being forked is told when its channel comes. */
void dispatcher_log(struct dispatcher *dispatcher, enum master_log which, int fd)
{
    if (dispatcher->log_fds[which] >= 0) close(dispatcher->log_fds[which]);
    dispatcher->log_fds[which] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    worker_pool_tell_log(dispatcher, dispatcher->warden, WARDEN_LOG);
    if (dispatcher->generation)
        worker_pool_tell_log(dispatcher, dispatcher->generation->channel, FORK_SERVER_LOG);
    if (dispatcher->next_generation)
        worker_pool_tell_log(dispatcher, dispatcher->next_generation->channel, FORK_SERVER_LOG);
    struct pool_worker *member;
    LIST_FOREACH(member, &dispatcher->workers, others)
        worker_pool_tell_log(dispatcher, member->channel, WORKER_LOG);
}

static void sets_status(const struct dispatcher *dispatcher, const struct generation *generation,
                        struct buffer *out)
{
    int64_t now_s = (int64_t)(loop_wall_ms(dispatcher->child->loop) / 1000);
    for (uint32_t i = 0; i < generation->set_count; i++) {
        const struct engine_set *set = &generation->sets[i];
        char name[64], time[DATE_SIZE];
        long long hours = now_s > set->newest_s ? (now_s - set->newest_s) / 3600 : 0;
        snprintf(name, sizeof name, "signatures %s", set->name);
        child_status_add(out, name, "of %s, %lld h old, %u signatures, %s",
                         date_print_iso((uint64_t)set->newest_s * 1000, time), hours, set->signatures,
                         set->version);
    }
    const char *refused = dispatcher->keeps_old ? dispatcher->kept_why : generation->refused;
    if (refused[0]) child_status_add(out, "signatures refused", "%s", refused);
}

void dispatcher_status(const struct dispatcher *dispatcher, struct buffer *out)
{
    const struct generation *generation = dispatcher->generation;
    child_status_add(out, "workers", "%u", worker_pool_size(dispatcher));
    child_status_add(out, "workers busy", "%u", worker_pool_busy(dispatcher));
    child_status_add(out, "waiting", "%u", dispatcher->waiting.count);
    child_status_add(out, "judged", "%llu", (unsigned long long)dispatcher->answered);
    child_status_add(out, "workers died", "%llu", (unsigned long long)dispatcher->died);
    child_status_add(out, "workers timed out", "%llu", (unsigned long long)dispatcher->timed_out);
    sealer_status(dispatcher->sealer, out);
    reader_pool_status(dispatcher->readers, out);
    child_status_add(out, "refused", "%llu", (unsigned long long)dispatcher->refused);
    if (dispatcher->trouble[0]) child_status_add(out, "trouble", "%s", dispatcher->trouble);
    if (!generation) return;
    const char *without =
        generation->missing[0] ? "none: all mail is unscanned" : "none: the virus check is off";
    child_status_add(out, "engine", "%s", generation->engine[0] ? generation->engine : without);
    child_status_add(out, "signatures", "%u", generation->signatures);
    if (generation->missing[0]) child_status_add(out, "engine trouble", "%s", generation->missing);
    sets_status(dispatcher, generation, out);
}

static enum health_engine engine_health(const struct generation *generation)
{
    if (!generation->engine[0]) return generation->missing[0] ? HEALTH_ENGINE_NONE : HEALTH_ENGINE_OFF;
    if (generation->missing[0]) return HEALTH_ENGINE_BUILTIN;
    return generation->embedded == EMBEDDED_ONLY ? HEALTH_ENGINE_TRIAL : HEALTH_ENGINE_WHOLE;
}

static void also_health(const struct generation *generation, int64_t now_s, struct health_facts *out)
{
    for (uint32_t i = 0; i < generation->set_count; i++) {
        const struct engine_set *set = &generation->sets[i];
        if (!set->is_also) continue;
        health_know(out, HEALTH_ALSO, set->signatures);
        health_know(out, HEALTH_ALSO_AGE_S, now_s > set->newest_s ? (uint64_t)(now_s - set->newest_s) : 0);
    }
}

void dispatcher_health(struct dispatcher *dispatcher, struct health_facts *out)
{
    const struct generation *generation = dispatcher->generation;
    uint64_t now = loop_now_ms(dispatcher->child->loop);
    int64_t now_s = (int64_t)(loop_wall_ms(dispatcher->child->loop) / 1000);
    bool has_worker =
        dispatcher->busy_count[REQUEST_SMALL] > 0 || worker_pool_idle(dispatcher, REQUEST_SMALL);
    if (has_worker) dispatcher->worker_ms = now;
    health_know(out, HEALTH_SCAN_DOWN_MS, now - dispatcher->worker_ms);
    health_know(out, HEALTH_SCAN_LOST, dispatcher->lost_count);
    if (!generation) return;
    health_know(out, HEALTH_ENGINE, engine_health(generation));
    health_know(out, HEALTH_SIGNATURES, generation->signatures);
    health_know(out, HEALTH_SIGNATURES_KEPT, dispatcher->keeps_old || generation->refused[0]);
    also_health(generation, now_s, out);
    if (!generation->newest_s) return;
    health_know(out, HEALTH_SIGNATURES_AGE_S,
                now_s > generation->newest_s ? (uint64_t)(now_s - generation->newest_s) : 0);
}
