/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Fork servers and workers as the dispatcher sees them: asked for, given work, timed, replaced. One worker
   more than may be busy is kept, so that a death costs no waiting. Large messages have workers of their own,
   as many as may be busy, which run when the others leave the cores to them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/context.h"
#include "base/date.h"
#include "base/die.h"
#include "base/hash.h"
#include "base/log.h"
#include "config/bundle.h"
#include "scan/dispatcher_private.h"
#include "scan/scan_private.h"

enum { SPARE = 1, CLOCK_MARGIN_MS = 5000, RETRY_FIRST_MS = 500, RETRY_MOST_MS = 30000, TROUBLE_AFTER = 3 };
enum { OVERTIME_MS = 50, OVERTIME = 4, STARVED_MS = 500, INFECTED_MOST = 256, PROCESS_CLOCK = 2 };

uint32_t worker_pool_size(const struct dispatcher *dispatcher)
{
    uint32_t wanted = dispatcher->child->config->processes.scan;
    return wanted ? wanted : dispatcher->core_count;
}

uint32_t worker_pool_busy(const struct dispatcher *dispatcher)
{
    return dispatcher->busy_count[REQUEST_SMALL] + dispatcher->busy_count[REQUEST_LARGE];
}

static uint32_t worker_pool_wanted(const struct dispatcher *dispatcher, enum request_weight weight)
{
    if (weight == REQUEST_LARGE) return dispatcher->has_large ? worker_pool_size(dispatcher) : 0;
    return worker_pool_size(dispatcher) + SPARE;
}

/* --- trouble --- */

static void trouble(struct dispatcher *dispatcher, const char *why)
{
    uint64_t wait_ms = RETRY_FIRST_MS;
    for (uint32_t i = 0; i < dispatcher->failures && wait_ms < RETRY_MOST_MS; i++) wait_ms *= 2;
    if (wait_ms > RETRY_MOST_MS) wait_ms = RETRY_MOST_MS;
    log_error("no scan worker: %s: next try in %llu ms", why, (unsigned long long)wait_ms);
    if (++dispatcher->failures >= TROUBLE_AFTER && worker_pool_busy(dispatcher) == 0 &&
        !worker_pool_idle(dispatcher, REQUEST_SMALL)) {
        snprintf(dispatcher->trouble, sizeof dispatcher->trouble, "%s", why);
        dispatcher_refuse_waiting(dispatcher, why);
    }
    timer_set(dispatcher->retry, wait_ms);
}

/* --- workers --- */

static void generation_launch(struct dispatcher *dispatcher, bool is_reload);

static struct pool_worker *member_find(struct dispatcher *dispatcher, uint64_t number)
{
    struct pool_worker *member;
    LIST_FOREACH(member, &dispatcher->workers, others)
        if (member->number == number) return member;
    return NULL;
}

/* With `reload frugal` the last one that ends makes room for the next. */
static void generation_end(struct generation *generation)
{
    struct dispatcher *dispatcher = generation->dispatcher;
    channel_close(generation->channel);
    if (dispatcher->generation == generation) dispatcher->generation = NULL;
    if (dispatcher->next_generation == generation) dispatcher->next_generation = NULL;
    free(generation);
    if (--dispatcher->generations > 0 || !dispatcher->is_dropping) return;
    dispatcher->is_dropping = false;
    generation_launch(dispatcher, false);
}

static void member_remove(struct pool_worker *member)
{
    struct dispatcher *dispatcher = member->dispatcher;
    struct generation *generation = member->generation;
    LIST_REMOVE(member, others);
    if (member->state == WORKER_BUSY) dispatcher->busy_count[member->weight]--;
    reader_pool_end(dispatcher->readers, member);
    channel_close(member->channel);
    timer_free(member->clock);
    timer_free(member->overtime);
    free(member);
    generation->workers--;
    bool is_old = generation != dispatcher->generation && generation != dispatcher->next_generation;
    if (is_old && generation->workers == 0) generation_end(generation);
}

struct pool_worker *worker_pool_idle(struct dispatcher *dispatcher, enum request_weight weight)
{
    struct pool_worker *member;
    LIST_FOREACH(member, &dispatcher->workers, others)
        if (member->weight == weight && member->state == WORKER_IDLE && !member->is_retiring) return member;
    return NULL;
}

/* Milliseconds of processor time that the worker has used, by its own clock, which everybody may read. 0: it
   is not there. */
static uint64_t member_spent_ms(const struct pool_worker *member)
{
    struct timespec spent;
    clockid_t clock = (clockid_t)(~(unsigned)member->vigil.pid << 3 | PROCESS_CLOCK);
    if (clock_gettime(clock, &spent) != 0) return 0;
    return (uint64_t)spent.tv_sec * 1000 + (uint64_t)spent.tv_nsec / 1000000;
}

void worker_pool_give(struct pool_worker *member, struct request *request)
{
    struct dispatcher *dispatcher = member->dispatcher;
    const struct config *config = dispatcher->child->config;
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
    member->begun_ms = loop_now_ms(dispatcher->child->loop);
    member->begun_spent_ms = member_spent_ms(member);
    dispatcher->busy_count[member->weight]++;
    timer_set(member->clock, clock_ms);
    if (member->weight == REQUEST_SMALL) timer_set(member->overtime, OVERTIME_MS);
    channel_send_fds(member->channel, request->type, request->id, buffer_text(&request->payload), fds, count);
    member->is_given = true;
    channel_flush(member->channel); /* may find the worker dead, and then there is no member any more */
    member = member_find(dispatcher, number);
    if (member) member->is_given = false;
}

static void member_idle(struct pool_worker *member)
{
    struct dispatcher *dispatcher = member->dispatcher;
    timer_clear(member->clock);
    timer_clear(member->overtime);
    if (member->state == WORKER_BUSY) dispatcher->busy_count[member->weight]--;
    member->state = WORKER_IDLE;
    member->request = NULL;
    reader_pool_end(dispatcher->readers, member);
    bool is_old = ++member->served >= dispatcher->child->config->processes.scan_messages;
    if (is_old || member->is_retiring) member_remove(member);
    worker_pool_fill(dispatcher);
    dispatcher_give(dispatcher);
}

static void member_retire(struct pool_worker *member)
{
    member->is_retiring = true;
    if (member->state != WORKER_BUSY) member_remove(member);
}

/* Each worker of a new generation lets one of the old generation go, of its own weight; the last lets all. */
static void generation_take_over(struct generation *generation, enum request_weight weight)
{
    struct dispatcher *dispatcher = generation->dispatcher;
    uint32_t ready = 0, let_go = 1;
    uint32_t wanted =
        worker_pool_wanted(dispatcher, REQUEST_SMALL) + worker_pool_wanted(dispatcher, REQUEST_LARGE);
    dispatcher->generation = generation;
    if (dispatcher->next_generation == generation) dispatcher->next_generation = NULL;
    if (generation->is_stale && !dispatcher->next_generation)
        loop_defer(dispatcher->child->loop, &dispatcher->again);
    const struct pool_worker *member;
    LIST_FOREACH(member, &dispatcher->workers, others)
        if (member->generation == generation && member->state != WORKER_STARTING) ready++;
    bool is_whole = ready >= wanted;
    if (is_whole) let_go = UINT32_MAX;
    if (is_whole) dispatcher_tell_signatures(dispatcher, generation);
    for (struct pool_worker *old = LIST_FIRST(&dispatcher->workers), *next; old && let_go > 0; old = next) {
        next = LIST_NEXT(old, others);
        if (old->generation == generation || old->is_retiring || (!is_whole && old->weight != weight))
            continue;
        member_retire(old);
        let_go--;
    }
}

static void member_ready(struct pool_worker *member)
{
    struct dispatcher *dispatcher = member->dispatcher;
    member->state = WORKER_IDLE;
    dispatcher->failures = 0;
    dispatcher->trouble[0] = '\0';
    generation_take_over(member->generation, member->weight);
    worker_pool_fill(dispatcher);
    dispatcher_give(dispatcher);
}

static bool member_answer(struct pool_worker *member, struct frame *frame)
{
    struct request *request = member->request;
    if (!request || frame->id != request->id) return false;
    member->dispatcher->lost_count = frame->type == SCAN_FAILED ? member->dispatcher->lost_count + 1 : 0;
    dispatcher_judged(member->dispatcher, request, frame->type, frame->payload);
    member_idle(member);
    return true;
}

/* To the others of the same signatures. Once a message: a worker that lies has good mail of one hash refused,
   and makes no storm of its own. */
static bool member_infected(const struct pool_worker *member, const struct frame *frame)
{
    struct pool_worker *other;
    struct request *request = member->request;
    if (!request || frame->id != request->id || request->has_told || frame->payload.length > INFECTED_MOST)
        return false;
    request->has_told = true;
    LIST_FOREACH(other, &member->dispatcher->workers, others)
        if (other != member && other->generation == member->generation && other->state != WORKER_STARTING)
            channel_send(other->channel, WORKER_INFECTED, 0, frame->payload);
    return true;
}

/* Its message was too much for a reader: as if it had been for the worker, which is well. When all of open is
   gone, the message may be innocent. */
static bool member_reader_lost(struct pool_worker *member, const struct frame *frame)
{
    struct dispatcher *dispatcher = member->dispatcher;
    struct request *request = member->request;
    struct reader reader = reader_of(frame->payload);
    bool is_hung = get_u8(&reader) != 0;
    if (!request || frame->id != request->id || !reader_done(&reader)) return false;
    if (reader_pool_is_there(dispatcher->readers))
        dispatcher_lost(dispatcher, request, is_hung);
    else
        dispatcher_fail(dispatcher, request, SCAN_NOT_READY, "the reader of containers ended");
    member_idle(member);
    return true;
}

static bool member_frame(void *context, struct frame *frame)
{
    struct pool_worker *member = CONTEXT(context, struct pool_worker, POOL_WORKER_MAGIC);
    struct reader reader = reader_of(frame->payload);
    switch (frame->type) {
    case WORKER_READY:
        if (member->state != WORKER_STARTING) return false;
        timer_clear(member->clock);
        member_ready(member);
        return true;
    case WORKER_SPENT:
        if (!member->request || frame->id != member->request->id) return false;
        member->request->spent_ms = get_u64(&reader);
        return reader_done(&reader);
    case WORKER_INFECTED:
        return member_infected(member, frame);
    case WORKER_SEALS:
        if (!member->request || frame->id != member->request->id) return false;
        buffer_clear(&member->request->seals);
        buffer_add_text(&member->request->seals, frame->payload);
        return true;
    case WORKER_READER:
        if (!member->request || frame->id != member->request->id || member->reader) return false;
        reader_pool_ask(member->dispatcher->readers, member);
        return true;
    case WORKER_TEXT_LOST:
        if (!member->request || frame->id != member->request->id) return false;
        reader_pool_text_lost(member->dispatcher->readers);
        return frame->payload.length == 0;
    case WORKER_READER_LOST:
        return member_reader_lost(member, frame);
    case WORKER_PONG:
        member->vigil.is_heard = true;
        return true;
    case WORKER_FAILED: {
        char why[200];
        struct text said = get_text(&reader);
        snprintf(why, sizeof why, "%.*s", TEXT_ARG(said));
        trouble(member->dispatcher, why);
        return true;
    }
    case SCAN_FACTS:
    case SCAN_LESSON_IS:
    case SCAN_VERDICT:
    case SCAN_FAILED:
        return member_answer(member, frame);
    default:
        return false;
    }
}

static void member_gone(void *context)
{
    struct pool_worker *member = CONTEXT(context, struct pool_worker, POOL_WORKER_MAGIC);
    struct dispatcher *dispatcher = member->dispatcher;
    struct request *request = member->request;
    bool is_timed_out = member->is_timed_out, is_given = member->is_given;
    bool was_starting = member->state == WORKER_STARTING;
    bool is_silent = was_starting && !timer_is_set(dispatcher->retry);
    member_remove(member);
    if (request && is_given)
        dispatcher_take_back(dispatcher, request);
    else if (request)
        dispatcher_lost(dispatcher, request, is_timed_out);
    if (is_silent) trouble(dispatcher, "a worker ended before it was ready");
    if (!was_starting) worker_pool_fill(dispatcher);
    dispatcher_give(dispatcher);
}

static void member_late(void *context)
{
    struct pool_worker *member = CONTEXT(context, struct pool_worker, POOL_WORKER_MAGIC);
    log_warning("a worker had no answer in time and is killed");
    member->is_timed_out = true;
    channel_send(member->generation->channel, FORK_SERVER_KILL, member->number, TEXT_NONE);
}

/* On a busy machine time passes that no worker has had: another one would not get more of it. One that does
   nothing at all is not waited for much longer. */
static bool is_kept_waiting(const struct pool_worker *member)
{
    uint64_t now_ms = loop_now_ms(member->dispatcher->child->loop);
    return member_spent_ms(member) - member->begun_spent_ms < OVERTIME_MS / 2 &&
           now_ms - member->begun_ms < STARVED_MS;
}

/* A small message is dear: its worker ends with it among those of the large, and another takes its place, so
   that the cheap need not wait for it. There are not more of these than OVERTIME for each that may be busy.
 */
static void member_overtime(void *context)
{
    struct pool_worker *member = CONTEXT(context, struct pool_worker, POOL_WORKER_MAGIC);
    struct dispatcher *dispatcher = member->dispatcher;
    if (is_kept_waiting(member) ||
        dispatcher->busy_count[REQUEST_LARGE] >= OVERTIME * worker_pool_size(dispatcher)) {
        timer_set(member->overtime, OVERTIME_MS);
        return;
    }
    dispatcher->busy_count[REQUEST_SMALL]--;
    dispatcher->busy_count[REQUEST_LARGE]++;
    member->weight = REQUEST_LARGE;
    member->is_retiring = true;
    shares_late(&dispatcher->waiting, member->request);
    worker_pool_fill(dispatcher);
    dispatcher_give(dispatcher);
}

static void member_ask(struct generation *generation, enum request_weight weight)
{
    struct dispatcher *dispatcher = generation->dispatcher;
    struct pool_worker *member = memory_alloc(sizeof *member);
    *member = (struct pool_worker){ .magic = POOL_WORKER_MAGIC,
                                    .dispatcher = dispatcher,
                                    .generation = generation,
                                    .number = ++dispatcher->last_number,
                                    .weight = weight,
                                    .state = WORKER_STARTING };
    member->clock = timer_new(dispatcher->child->loop, member_late, member);
    member->overtime = timer_new(dispatcher->child->loop, member_overtime, member);
    LIST_INSERT_HEAD(&dispatcher->workers, member, others);
    generation->workers++;
    put_u8(channel_begin(generation->channel, FORK_SERVER_WORKER, member->number), weight == REQUEST_LARGE);
    channel_end(generation->channel);
}

/* Of the newest generation that can: as many as are missing; while it takes over, one at a time. */
void worker_pool_fill(struct dispatcher *dispatcher)
{
    struct generation *generation = dispatcher->next_generation && dispatcher->next_generation->is_ready
                                        ? dispatcher->next_generation
                                        : dispatcher->generation;
    if (!generation || !generation->is_ready || timer_is_set(dispatcher->retry) ||
        dispatcher->child->is_stopping)
        return;
    uint32_t have[REQUEST_WEIGHTS] = { 0 }, starting = 0, others = 0;
    const struct pool_worker *member;
    LIST_FOREACH(member, &dispatcher->workers, others) {
        if (member->generation != generation) others++;
        if (member->generation != generation || member->is_retiring) continue;
        have[member->weight]++;
        if (member->state == WORKER_STARTING) starting++;
    }
    for (enum request_weight weight = REQUEST_SMALL; weight < REQUEST_WEIGHTS; weight++)
        while (have[weight] < worker_pool_wanted(dispatcher, weight) && (others == 0 || starting == 0)) {
            member_ask(generation, weight);
            have[weight]++;
            starting++;
        }
}

void worker_pool_tell_log(struct dispatcher *dispatcher, struct channel *channel, uint16_t type)
{
    for (int which = 0; channel && which < 2; which++) {
        int copy =
            dispatcher->log_fds[which] < 0 ? -1 : fcntl(dispatcher->log_fds[which], F_DUPFD_CLOEXEC, 3);
        if (copy < 0) continue;
        put_u8(channel_begin(channel, type, 0), (uint8_t)which);
        channel_end_fds(channel, &copy, 1);
    }
}

/* --- fork servers --- */

static pid_t pid_of(const struct frame *frame)
{
    struct reader reader = reader_of(frame->payload);
    return (pid_t)get_u32(&reader);
}

static void worker_is(struct generation *generation, struct frame *frame)
{
    static const struct channel_events events = { member_frame, member_gone };
    struct dispatcher *dispatcher = generation->dispatcher;
    struct pool_worker *member = member_find(dispatcher, frame->id);
    int fd = frame_take_fd(frame, 0);
    if (!member || member->channel || fd < 0) {
        if (fd >= 0) close(fd);
        if (member && !member->channel) {
            member_remove(member);
            trouble(dispatcher, "a worker cannot be forked");
        }
        return;
    }
    member->channel = channel_open(dispatcher->child->loop, fd, &events, member);
    member->vigil.pid = pid_of(frame);
    worker_pool_tell_log(dispatcher, member->channel, WORKER_LOG);
    timer_set(member->clock, RETRY_MOST_MS);
}

/* New signatures that cannot be used, or are gone, change nothing; a configuration that wants others does. */
static bool is_worse(const struct generation *generation, const struct generation *old)
{
    if (!old || !old->engine[0]) return false;
    if (generation->refused[0] && !old->refused[0] && old->folders == generation->folders) return true;
    if (!generation->missing[0]) return false;
    if (!generation->engine[0]) return true;
    return !old->missing[0] && old->embedded == generation->embedded;
}

static void sets_log(const struct generation *generation)
{
    for (uint32_t i = 0; i < generation->set_count; i++) {
        char day[DATE_SIZE];
        const struct engine_set *set = &generation->sets[i];
        log_info("signatures of %s: %u, %s, the newest of %s", set->name, set->signatures, set->version,
                 date_print_iso((uint64_t)set->newest_s * 1000, day));
    }
}

static void generation_log(const struct generation *generation, bool is_kept_out)
{
    const char *more = is_kept_out ? ": the old signatures stay" : "";
    if (!generation->engine[0] && generation->missing[0])
        log_error("no engine: %s%s", generation->missing, more);
    else if (!generation->engine[0])
        log_info("the virus check is off: no signatures are loaded");
    else if (generation->missing[0])
        log_error("no message counts as scanned: %s%s", generation->missing, more);
    else if (generation->refused[0])
        log_error("%s%s", generation->refused, is_kept_out ? more : ": that set is not loaded");
    if (is_kept_out || !generation->engine[0]) return;
    log_info("signatures are loaded: %s, %u signatures", generation->engine, generation->signatures);
    sets_log(generation);
}

static void sets_read(struct reader *reader, struct generation *generation)
{
    uint32_t count = get_u8(reader);
    for (uint32_t i = 0; i < count && i < ENGINE_SETS_MOST; i++) {
        struct engine_set *set = &generation->sets[i];
        struct text name = get_text(reader), version = get_text(reader);
        snprintf(set->name, sizeof set->name, "%.*s", TEXT_ARG(name));
        snprintf(set->version, sizeof set->version, "%.*s", TEXT_ARG(version));
        set->signatures = get_u32(reader);
        set->newest_s = (int64_t)get_u64(reader);
        set->is_also = get_u8(reader) != 0;
        generation->set_count = i + 1;
    }
}

static void generation_read(struct reader *reader, struct generation *generation)
{
    struct text engine = get_text(reader);
    generation->signatures = get_u32(reader);
    generation->newest_s = (int64_t)get_u64(reader);
    struct text missing = get_text(reader), refused = get_text(reader);
    snprintf(generation->engine, sizeof generation->engine, "%.*s", TEXT_ARG(engine));
    snprintf(generation->missing, sizeof generation->missing, "%.*s", TEXT_ARG(missing));
    snprintf(generation->refused, sizeof generation->refused, "%.*s", TEXT_ARG(refused));
    sets_read(reader, generation);
}

/* The old one goes on. It has told of this state of the disk, and will of the next; for what it told of while
   the new one was loaded another is begun. */
static void generation_refuse(struct generation *generation)
{
    struct dispatcher *dispatcher = generation->dispatcher;
    bool has_changed = dispatcher->generation && dispatcher->generation->is_stale;
    snprintf(dispatcher->kept_why, sizeof dispatcher->kept_why, "%s",
             generation->missing[0] ? generation->missing : generation->refused);
    generation_end(generation);
    if (has_changed) worker_pool_start(dispatcher, true);
}

static bool fork_server_ready(struct generation *generation, struct frame *frame)
{
    struct dispatcher *dispatcher = generation->dispatcher;
    struct reader reader = reader_of(frame->payload);
    generation_read(&reader, generation);
    generation->is_ready = true;
    dispatcher->keeps_old = is_worse(generation, dispatcher->generation);
    generation_log(generation, dispatcher->keeps_old);
    if (dispatcher->keeps_old)
        generation_refuse(generation);
    else
        worker_pool_fill(dispatcher);
    return true;
}

/* What the old one says while another is being loaded is of use only where that one is refused. */
static void fork_server_stale(struct generation *generation)
{
    struct dispatcher *dispatcher = generation->dispatcher;
    generation->is_stale = true;
    if (dispatcher->next_generation || generation != dispatcher->generation) return;
    log_info("signatures have changed: loading them anew");
    worker_pool_start(dispatcher, true);
}

static bool fork_server_frame(void *context, struct frame *frame)
{
    struct generation *generation = CONTEXT(context, struct generation, GENERATION_MAGIC);
    struct reader reader = reader_of(frame->payload);
    switch (frame->type) {
    case FORK_SERVER_READY:
        return fork_server_ready(generation, frame);
    case FORK_SERVER_FAILED: {
        struct text why = get_text(&reader);
        snprintf(generation->missing, sizeof generation->missing, "%.*s", TEXT_ARG(why));
        return true; /* it ends, and fork_server_gone says why */
    }
    case FORK_SERVER_WORKER_IS:
        worker_is(generation, frame);
        return true;
    case FORK_SERVER_PONG:
        generation->vigil.is_heard = true;
        return true;
    case FORK_SERVER_STALE:
        fork_server_stale(generation);
        return true;
    default:
        return false;
    }
}

/* Its workers die with it; those that were only asked for will never come. */
static void fork_server_gone(void *context)
{
    struct generation *generation = CONTEXT(context, struct generation, GENERATION_MAGIC);
    struct dispatcher *dispatcher = generation->dispatcher;
    char why[256];
    bool is_retired = generation != dispatcher->generation && generation != dispatcher->next_generation;
    snprintf(why, sizeof why, "%s", generation->missing[0] ? generation->missing : "the nursery ended");
    generation->is_ready = false;
    generation->workers++; /* keeps it while its members go */
    for (struct pool_worker *member = LIST_FIRST(&dispatcher->workers), *next; member; member = next) {
        next = LIST_NEXT(member, others);
        if (member->generation != generation) continue;
        struct request *request = member->request;
        member_remove(member);
        if (request) dispatcher_fail(dispatcher, request, SCAN_NOT_READY, why);
    }
    generation_end(generation);
    if (!is_retired) trouble(dispatcher, why);
}

static void fork_server_is(struct dispatcher *dispatcher, struct frame *frame)
{
    static const struct channel_events events = { fork_server_frame, fork_server_gone };
    struct generation *generation = dispatcher->next_generation;
    int fd = frame_take_fd(frame, 0);
    if (!generation || generation->number != frame->id) {
        if (fd >= 0) close(fd);
        return;
    }
    if (fd >= 0) {
        generation->channel = channel_open(dispatcher->child->loop, fd, &events, generation);
        generation->vigil = (struct vigil){ .pid = pid_of(frame), .is_heard = true };
        worker_pool_tell_log(dispatcher, generation->channel, FORK_SERVER_LOG);
        return;
    }
    dispatcher->next_generation = NULL;
    dispatcher->generations--;
    free(generation);
    trouble(dispatcher, "a nursery cannot be forked");
}

/* --- the warden --- */

static bool warden_frame(void *context, struct frame *frame)
{
    struct dispatcher *dispatcher = CONTEXT(context, struct dispatcher, DISPATCHER_MAGIC);
    dispatcher->warden_vigil.is_heard = true;
    if (frame->type == WARDEN_FORK_SERVER_IS) fork_server_is(dispatcher, frame);
    return frame->type == WARDEN_FORK_SERVER_IS || frame->type == WARDEN_PONG;
}

static void warden_gone(void *context)
{
    (void)context;
    die("the warden is gone");
}

const struct channel_events worker_pool_warden_events = { warden_frame, warden_gone };

/* The one that has taken over said before it did that its signatures are old. */
void worker_pool_again(void *context)
{
    struct dispatcher *dispatcher = CONTEXT(context, struct dispatcher, DISPATCHER_MAGIC);
    if (!dispatcher->next_generation && !dispatcher->child->is_stopping) worker_pool_start(dispatcher, true);
}

static uint64_t folders_number(const struct config *config)
{
    struct buffer paths = { 0 };
    put_text(&paths, config->virus.fetched);
    put_text(&paths, config->virus.also);
    uint64_t number = hash_text(buffer_text(&paths));
    buffer_free(&paths);
    return number;
}

static void generation_launch(struct dispatcher *dispatcher, bool is_reload)
{
    struct generation *generation = memory_alloc(sizeof *generation);
    generation->magic = GENERATION_MAGIC;
    generation->dispatcher = dispatcher;
    generation->number = ++dispatcher->last_number;
    generation->embedded = dispatcher->child->config->virus.embedded;
    generation->folders = folders_number(dispatcher->child->config);
    dispatcher->next_generation = generation;
    dispatcher->generations++;
    int fds[1] = { config_bundle_memory(dispatcher->child->config, BUNDLE_NO_KEYS) };
    if (fds[0] < 0) die_errno("the configuration cannot be handed on");
    struct buffer payload = { 0 };
    put_u8(&payload, is_reload);
    channel_send_fds(dispatcher->warden, WARDEN_FORK_SERVER, generation->number, buffer_text(&payload), fds,
                     1);
    buffer_free(&payload);
}

/* Messages wait from here on, but for those that are being judged: the last of them ends the old one. */
static void generation_drop(struct dispatcher *dispatcher)
{
    struct generation *old = dispatcher->generation;
    dispatcher->is_dropping = true;
    dispatcher->generation = NULL; /* from here on it is old */
    old->workers++;                /* keeps it while its members go */
    for (struct pool_worker *member = LIST_FIRST(&dispatcher->workers), *next; member; member = next) {
        next = LIST_NEXT(member, others);
        if (!member->is_retiring) member_retire(member);
    }
    if (--old->workers == 0) generation_end(old);
}

/* A fork server that is still loading is let go: its configuration or signatures are old already. */
void worker_pool_start(struct dispatcher *dispatcher, bool is_reload)
{
    struct generation *late = dispatcher->next_generation;
    if (dispatcher->is_dropping) return; /* the next one will have them */
    if (dispatcher->generation) dispatcher->generation->is_stale = false;
    dispatcher->next_generation = NULL;
    if (late && late->workers == 0) generation_end(late);
    if (is_reload && dispatcher->generation && dispatcher->child->config->virus.is_frugal)
        generation_drop(dispatcher);
    else
        generation_launch(dispatcher, is_reload);
}
