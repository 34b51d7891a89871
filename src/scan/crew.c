/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Nurseries and workers as the foreman sees them: asked for, given work, timed, replaced. One worker more
   than may be busy is kept, so that a death costs no waiting. Large messages have workers of their own, as
   many as may be busy, which run when the others leave the cores to them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/context.h"
#include "base/die.h"
#include "base/log.h"
#include "config/bundle.h"
#include "scan/foreman_private.h"
#include "scan/scan_private.h"

enum { SPARE = 1, CLOCK_MARGIN_MS = 5000, RETRY_FIRST_MS = 500, RETRY_MOST_MS = 30000, TROUBLE_AFTER = 3 };

uint32_t crew_size(const struct foreman *foreman)
{
    uint32_t wanted = foreman->child->config->processes.scan;
    return wanted ? wanted : foreman->core_count;
}

uint32_t crew_busy(const struct foreman *foreman)
{
    return foreman->busy_count[REQUEST_SMALL] + foreman->busy_count[REQUEST_LARGE];
}

static uint32_t crew_wanted(const struct foreman *foreman, enum request_weight weight)
{
    if (weight == REQUEST_LARGE) return foreman->has_large ? crew_size(foreman) : 0;
    return crew_size(foreman) + SPARE;
}

/* --- trouble --- */

static void trouble(struct foreman *foreman, const char *why)
{
    uint64_t wait_ms = RETRY_FIRST_MS;
    for (uint32_t i = 0; i < foreman->failures && wait_ms < RETRY_MOST_MS; i++) wait_ms *= 2;
    if (wait_ms > RETRY_MOST_MS) wait_ms = RETRY_MOST_MS;
    log_error("no scan worker: %s: next try in %llu ms", why, (unsigned long long)wait_ms);
    if (++foreman->failures >= TROUBLE_AFTER && crew_busy(foreman) == 0 &&
        !crew_idle(foreman, REQUEST_SMALL)) {
        snprintf(foreman->trouble, sizeof foreman->trouble, "%s", why);
        foreman_refuse_waiting(foreman, why);
    }
    timer_set(foreman->retry, wait_ms);
}

/* --- workers --- */

static struct crew_member *member_find(struct foreman *foreman, uint64_t number)
{
    struct crew_member *member = foreman->crew;
    while (member && member->number != number) member = member->next;
    return member;
}

static void brood_end(struct brood *brood)
{
    struct foreman *foreman = brood->foreman;
    channel_close(brood->channel);
    if (foreman->brood == brood) foreman->brood = NULL;
    if (foreman->next_brood == brood) foreman->next_brood = NULL;
    free(brood);
}

static void member_remove(struct crew_member *member)
{
    struct foreman *foreman = member->foreman;
    struct brood *brood = member->brood;
    struct crew_member **at = &foreman->crew;
    while (*at != member) at = &(*at)->next;
    *at = member->next;
    if (member->state == WORKER_BUSY) foreman->busy_count[member->weight]--;
    channel_close(member->channel);
    timer_free(member->clock);
    free(member);
    brood->workers--;
    bool is_old = brood != foreman->brood && brood != foreman->next_brood;
    if (is_old && brood->workers == 0) brood_end(brood);
}

struct crew_member *crew_idle(struct foreman *foreman, enum request_weight weight)
{
    for (struct crew_member *member = foreman->crew; member; member = member->next)
        if (member->weight == weight && member->state == WORKER_IDLE && !member->is_retiring) return member;
    return NULL;
}

void crew_give(struct crew_member *member, struct request *request)
{
    struct foreman *foreman = member->foreman;
    const struct config *config = foreman->child->config;
    uint64_t clock_ms = (uint64_t)config->virus.max_time_ms + CLOCK_MARGIN_MS;
    if (config->limits.verdict_ms && clock_ms > config->limits.verdict_ms)
        clock_ms = config->limits.verdict_ms;
    uint64_t number = member->number;
    int fds[FRAME_DESCRIPTORS], count = 0;
    for (int i = 0; i < request->fd_count; i++) {
        fds[count] = fcntl(request->fds[i], F_DUPFD_CLOEXEC, 3);
        if (fds[count] < 0) die_errno("a descriptor cannot be duplicated");
        count++;
    }
    member->request = request;
    member->state = WORKER_BUSY;
    foreman->busy_count[member->weight]++;
    timer_set(member->clock, clock_ms);
    channel_send_fds(member->channel, request->type, request->id, buffer_text(&request->payload), fds, count);
    member->is_given = true;
    channel_flush(member->channel); /* may find the worker dead, and then there is no member any more */
    member = member_find(foreman, number);
    if (member) member->is_given = false;
}

static void member_idle(struct crew_member *member)
{
    struct foreman *foreman = member->foreman;
    timer_clear(member->clock);
    if (member->state == WORKER_BUSY) foreman->busy_count[member->weight]--;
    member->state = WORKER_IDLE;
    member->request = NULL;
    bool is_old = ++member->served >= foreman->child->config->processes.scan_messages;
    if (is_old || member->is_retiring) member_remove(member);
    crew_fill(foreman);
    foreman_dispatch(foreman);
}

static void member_retire(struct crew_member *member)
{
    member->is_retiring = true;
    if (member->state != WORKER_BUSY) member_remove(member);
}

/* Each worker of a new brood lets one of the old brood go, of its own weight; the last lets all. */
static void brood_take_over(struct brood *brood, enum request_weight weight)
{
    struct foreman *foreman = brood->foreman;
    uint32_t ready = 0, let_go = 1;
    uint32_t wanted = crew_wanted(foreman, REQUEST_SMALL) + crew_wanted(foreman, REQUEST_LARGE);
    foreman->brood = brood;
    if (foreman->next_brood == brood) foreman->next_brood = NULL;
    for (const struct crew_member *member = foreman->crew; member; member = member->next)
        if (member->brood == brood && member->state != WORKER_STARTING) ready++;
    bool is_whole = ready >= wanted;
    if (is_whole) let_go = UINT32_MAX;
    for (struct crew_member *old = foreman->crew, *next; old && let_go > 0; old = next) {
        next = old->next;
        if (old->brood == brood || old->is_retiring || (!is_whole && old->weight != weight)) continue;
        member_retire(old);
        let_go--;
    }
}

static void member_ready(struct crew_member *member)
{
    struct foreman *foreman = member->foreman;
    member->state = WORKER_IDLE;
    foreman->failures = 0;
    foreman->trouble[0] = '\0';
    brood_take_over(member->brood, member->weight);
    crew_fill(foreman);
    foreman_dispatch(foreman);
}

static bool member_answer(struct crew_member *member, struct frame *frame)
{
    struct request *request = member->request;
    if (!request || frame->id != request->id) return false;
    member->foreman->lost_count = frame->type == SCAN_FAILED ? member->foreman->lost_count + 1 : 0;
    foreman_answer(member->foreman, request, frame->type, frame->payload);
    member_idle(member);
    return true;
}

static bool member_frame(void *context, struct frame *frame)
{
    struct crew_member *member = CONTEXT(context, struct crew_member, CREW_MEMBER_MAGIC);
    struct reader reader = reader_of(frame->payload);
    switch (frame->type) {
    case WORKER_READY:
        if (member->state != WORKER_STARTING) return false;
        timer_clear(member->clock);
        member_ready(member);
        return true;
    case WORKER_PONG:
        member->vigil.is_heard = true;
        return true;
    case WORKER_FAILED: {
        char why[200];
        struct text said = get_text(&reader);
        snprintf(why, sizeof why, "%.*s", TEXT_ARG(said));
        trouble(member->foreman, why);
        return true;
    }
    case SCAN_FACTS:
    case SCAN_VERDICT:
    case SCAN_FAILED:
        return member_answer(member, frame);
    default:
        return false;
    }
}

static void member_gone(void *context)
{
    struct crew_member *member = CONTEXT(context, struct crew_member, CREW_MEMBER_MAGIC);
    struct foreman *foreman = member->foreman;
    struct request *request = member->request;
    bool is_timed_out = member->is_timed_out, is_given = member->is_given;
    bool was_starting = member->state == WORKER_STARTING;
    bool is_silent = was_starting && !timer_is_set(foreman->retry);
    member_remove(member);
    if (request && is_given)
        foreman_take_back(foreman, request);
    else if (request)
        foreman_lost(foreman, request, is_timed_out);
    if (is_silent) trouble(foreman, "a worker ended before it was ready");
    if (!was_starting) crew_fill(foreman);
    foreman_dispatch(foreman);
}

static void member_late(void *context)
{
    struct crew_member *member = CONTEXT(context, struct crew_member, CREW_MEMBER_MAGIC);
    log_warning("a worker had no answer in time and is killed");
    member->is_timed_out = true;
    channel_send(member->brood->channel, NURSERY_KILL, member->number, TEXT_NONE);
}

static void member_ask(struct brood *brood, enum request_weight weight)
{
    struct foreman *foreman = brood->foreman;
    struct crew_member *member = memory_alloc(sizeof *member);
    *member = (struct crew_member){ .magic = CREW_MEMBER_MAGIC,
                                    .next = foreman->crew,
                                    .foreman = foreman,
                                    .brood = brood,
                                    .number = ++foreman->last_number,
                                    .weight = weight,
                                    .state = WORKER_STARTING };
    member->clock = timer_new(foreman->child->loop, member_late, member);
    foreman->crew = member;
    brood->workers++;
    put_u8(channel_begin(brood->channel, NURSERY_WORKER, member->number), weight == REQUEST_LARGE);
    channel_end(brood->channel);
}

/* Of the newest brood that can: as many as are missing; while it takes over, one at a time. */
void crew_fill(struct foreman *foreman)
{
    struct brood *brood =
        foreman->next_brood && foreman->next_brood->is_ready ? foreman->next_brood : foreman->brood;
    if (!brood || !brood->is_ready || timer_is_set(foreman->retry) || foreman->child->is_stopping) return;
    uint32_t have[REQUEST_WEIGHTS] = { 0 }, starting = 0, others = 0;
    for (const struct crew_member *member = foreman->crew; member; member = member->next) {
        if (member->brood != brood) others++;
        if (member->brood != brood || member->is_retiring) continue;
        have[member->weight]++;
        if (member->state == WORKER_STARTING) starting++;
    }
    for (enum request_weight weight = REQUEST_SMALL; weight < REQUEST_WEIGHTS; weight++)
        while (have[weight] < crew_wanted(foreman, weight) && (others == 0 || starting == 0)) {
            member_ask(brood, weight);
            have[weight]++;
            starting++;
        }
}

void crew_tell_log(struct foreman *foreman, struct channel *channel, uint16_t type)
{
    for (int which = 0; channel && which < 2; which++) {
        int copy = foreman->log_fds[which] < 0 ? -1 : fcntl(foreman->log_fds[which], F_DUPFD_CLOEXEC, 3);
        if (copy < 0) continue;
        put_u8(channel_begin(channel, type, 0), (uint8_t)which);
        channel_end_fds(channel, &copy, 1);
    }
}

/* --- nurseries --- */

static pid_t pid_of(const struct frame *frame)
{
    struct reader reader = reader_of(frame->payload);
    return (pid_t)get_u32(&reader);
}

static void worker_is(struct brood *brood, struct frame *frame)
{
    static const struct channel_events events = { member_frame, member_gone };
    struct foreman *foreman = brood->foreman;
    struct crew_member *member = member_find(foreman, frame->id);
    int fd = frame_take_fd(frame, 0);
    if (!member || member->channel || fd < 0) {
        if (fd >= 0) close(fd);
        if (member && !member->channel) {
            member_remove(member);
            trouble(foreman, "a worker cannot be forked");
        }
        return;
    }
    member->channel = channel_open(foreman->child->loop, fd, &events, member);
    member->vigil.pid = pid_of(frame);
    crew_tell_log(foreman, member->channel, WORKER_LOG);
    timer_set(member->clock, RETRY_MOST_MS);
}

/* New signatures that cannot be used, or are gone, change nothing; a configuration that wants others does. */
static bool is_worse(const struct brood *brood, const struct brood *old)
{
    if (!brood->missing[0] || !old || !old->engine[0]) return false;
    if (!brood->engine[0]) return true;
    return !old->missing[0] && old->embedded == brood->embedded;
}

static void brood_log(const struct brood *brood, bool is_kept_out)
{
    const char *more = is_kept_out ? ": the old signatures stay" : "";
    if (!brood->engine[0] && brood->missing[0])
        log_error("no engine: %s%s", brood->missing, more);
    else if (!brood->engine[0])
        log_info("the virus check is off: no signatures are loaded");
    else if (brood->missing[0])
        log_error("no message counts as scanned: %s%s", brood->missing, more);
    else
        log_info("signatures are loaded: %s, %u signatures", brood->engine, brood->signatures);
}

static bool nursery_ready(struct brood *brood, struct frame *frame)
{
    struct foreman *foreman = brood->foreman;
    struct reader reader = reader_of(frame->payload);
    struct text engine = get_text(&reader);
    brood->signatures = get_u32(&reader);
    brood->newest_s = (int64_t)get_u64(&reader);
    struct text missing = get_text(&reader);
    snprintf(brood->engine, sizeof brood->engine, "%.*s", TEXT_ARG(engine));
    snprintf(brood->missing, sizeof brood->missing, "%.*s", TEXT_ARG(missing));
    brood->is_ready = true;
    foreman->keeps_old = is_worse(brood, foreman->brood);
    brood_log(brood, foreman->keeps_old);
    if (foreman->keeps_old)
        brood_end(brood);
    else
        crew_fill(foreman);
    return true;
}

static bool nursery_frame(void *context, struct frame *frame)
{
    struct brood *brood = CONTEXT(context, struct brood, BROOD_MAGIC);
    struct foreman *foreman = brood->foreman;
    struct reader reader = reader_of(frame->payload);
    switch (frame->type) {
    case NURSERY_READY:
        return nursery_ready(brood, frame);
    case NURSERY_FAILED: {
        struct text why = get_text(&reader);
        snprintf(brood->missing, sizeof brood->missing, "%.*s", TEXT_ARG(why));
        return true; /* it ends, and nursery_gone says why */
    }
    case NURSERY_WORKER_IS:
        worker_is(brood, frame);
        return true;
    case NURSERY_PONG:
        brood->vigil.is_heard = true;
        return true;
    case NURSERY_STALE:
        log_info("signatures have changed: loading them anew");
        if (!foreman->next_brood && brood == foreman->brood) crew_start(foreman, true);
        return true;
    default:
        return false;
    }
}

/* Its workers die with it; those that were only asked for will never come. */
static void nursery_gone(void *context)
{
    struct brood *brood = CONTEXT(context, struct brood, BROOD_MAGIC);
    struct foreman *foreman = brood->foreman;
    char why[256];
    bool is_retired = brood != foreman->brood && brood != foreman->next_brood;
    snprintf(why, sizeof why, "%s", brood->missing[0] ? brood->missing : "the nursery ended");
    brood->is_ready = false;
    brood->workers++; /* keeps it while its members go */
    for (struct crew_member *member = foreman->crew, *next; member; member = next) {
        next = member->next;
        if (member->brood != brood) continue;
        struct request *request = member->request;
        member_remove(member);
        if (request) foreman_fail(foreman, request, SCAN_NOT_READY, why);
    }
    brood_end(brood);
    if (!is_retired) trouble(foreman, why);
}

static void nursery_is(struct foreman *foreman, struct frame *frame)
{
    static const struct channel_events events = { nursery_frame, nursery_gone };
    struct brood *brood = foreman->next_brood;
    int fd = frame_take_fd(frame, 0);
    if (!brood || brood->number != frame->id) {
        if (fd >= 0) close(fd);
        return;
    }
    if (fd >= 0) {
        brood->channel = channel_open(foreman->child->loop, fd, &events, brood);
        brood->vigil = (struct vigil){ .pid = pid_of(frame), .is_heard = true };
        crew_tell_log(foreman, brood->channel, NURSERY_LOG);
        return;
    }
    foreman->next_brood = NULL;
    free(brood);
    trouble(foreman, "a nursery cannot be forked");
}

/* --- the warden --- */

static bool warden_frame(void *context, struct frame *frame)
{
    struct foreman *foreman = CONTEXT(context, struct foreman, FOREMAN_MAGIC);
    foreman->warden_vigil.is_heard = true;
    if (frame->type == WARDEN_NURSERY_IS) nursery_is(foreman, frame);
    return frame->type == WARDEN_NURSERY_IS || frame->type == WARDEN_PONG;
}

static void warden_gone(void *context)
{
    (void)context;
    die("the warden is gone");
}

const struct channel_events crew_warden_events = { warden_frame, warden_gone };

/* A nursery that is still loading is let go: its configuration or signatures are old already. */
void crew_start(struct foreman *foreman, bool is_reload)
{
    struct brood *late = foreman->next_brood;
    struct brood *brood = memory_alloc(sizeof *brood);
    brood->magic = BROOD_MAGIC;
    brood->foreman = foreman;
    brood->number = ++foreman->last_number;
    brood->embedded = foreman->child->config->virus.embedded;
    foreman->next_brood = brood;
    if (late && late->workers == 0) brood_end(late);
    int fds[1] = { config_bundle_memory(foreman->child->config) };
    if (fds[0] < 0) die_errno("the configuration cannot be handed on");
    struct buffer payload = { 0 };
    put_u8(&payload, is_reload);
    channel_send_fds(foreman->warden, WARDEN_NURSERY, brood->number, buffer_text(&payload), fds, 1);
    buffer_free(&payload);
}
