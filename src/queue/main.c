/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* queue: keeps every message until each of its recipients has an ending. Here it starts, meets its peers,
   follows a reload and stops. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/context.h"
#include "base/die.h"
#include "base/file.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "queue/queue_private.h"

static void folders_open(struct queue *queue)
{
    queue->folder = child_folder_fd(&queue->child, "spool");
    if (queue->folder < 0) die("queue was given no spool folder");
    if (!file_path_of(queue->folder, queue->spool_path, sizeof queue->spool_path))
        die_errno("the spool folder has no path");
    if (mkdirat(queue->folder, "journal", 0700) != 0 && errno != EEXIST)
        die_errno("the journal's folder cannot be made");
    queue->journal_folder = openat(queue->folder, "journal", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (queue->journal_folder < 0) die_errno("the journal's folder cannot be opened");
    fsync(queue->folder);
}

static void maps_open(struct queue *queue)
{
    int counters = child_map_fd(&queue->child, "counters", NULL);
    int events = child_map_fd(&queue->child, "events", NULL);
    message_id_not_before(&queue->ids, counters_epoch_ms(counters));
    if (counters >= 0) queue->page = counters_map(counters, COUNTERS_SLOT_QUEUE, true);
    if (counters >= 0 && !queue->page) die_errno("the counters cannot be mapped");
    if (queue->page) {
        measures_begin(&queue->page->measures);
        queue->measures = &queue->page->measures.queue;
    }
    if (events >= 0) queue->events = ring_map(events);
    if (events >= 0 && !queue->events) die_errno("the ring of events cannot be mapped");
    if (counters >= 0) queue->baseline = counters_map(counters, COUNTERS_SLOT_BASELINE, true);
}

/* The three counts begin together: whoever made the counters anew finds here what the journal had then. */
static void baseline_set(struct queue *queue)
{
    struct counters_slot *slot = queue->baseline;
    if (!slot) return;
    if (!slot->baseline.is_set) {
        struct queue_counters now = journal_counters(queue->journal);
        slot->baseline.accepted = now.accepted;
        slot->baseline.own = now.own;
        memcpy(slot->baseline.ended, now.ended, sizeof now.ended);
        slot->baseline.live = now.live;
        slot->baseline.is_set = 1;
    }
    counters_unmap(slot);
    queue->baseline = NULL;
}

static uint64_t chance(void)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed) die_errno("no random numbers");
    return seed;
}

static void journal_begin(struct queue *queue)
{
    const struct config *config = queue->child.config;
    struct journal_options options = { queue->journal_folder,    &disk_real,
                                       queue->message_index,     config->queue.segment_bytes,
                                       config->queue.free_bytes, 2 * NOTICE_BODY_MOST };
    struct journal_listener listener = event_log_listener(queue);
    struct journal_found found;
    char error[200];
    uint64_t begun = loop_now_ms(queue->child.loop);
    queue->journal = journal_open(&options, &listener, &found, error, sizeof error);
    if (!queue->journal) die("the journal: %s", error);
    transactions_forget_heard(queue->transactions);
    journal_on_segment_end(queue->journal, dispatch_segment_ended, queue);
    const char *how = found.segments == 0 ? "new" : found.was_clean ? "stopped in order" : "stopped at once";
    log_info("journal: %llu messages in %llu segments, %llu records read, %llu tails cut, %llu damaged, "
             "%s, begun at %llu ms",
             (unsigned long long)found.messages, (unsigned long long)found.segments,
             (unsigned long long)found.records, (unsigned long long)found.torn,
             (unsigned long long)found.damaged, how, (unsigned long long)begun);
}

static int arrival_order(const void *a, const void *b)
{
    const struct message *x = *(struct message *const *)a, *y = *(struct message *const *)b;
    return x->arrived_ms < y->arrived_ms ? -1 : x->arrived_ms > y->arrived_ms;
}

/* Oldest first, as they would have stood in line. */
static void schedule_begin(struct queue *queue)
{
    struct schedule_policy policy = dispatch_policy(queue);
    queue->schedule = schedule_new(queue->message_index, &policy, chance());
    size_t count = 0, place = 0;
    size_t most = queue->message_index->count + 1; /* NOLINT(*-core.NullDereference): main made the index */
    struct message **all = memory_alloc(most * sizeof(struct message *));
    for (struct message *message; (message = message_index_next(queue->message_index, &place));)
        all[count++] = message;
    qsort(all, count, sizeof(struct message *), arrival_order);
    for (size_t i = 0; i < count; i++) {
        schedule_add(queue->schedule, all[i], queue_now(queue));
        undeliverable_watch(queue, all[i]);
    }
    free(all);
    held_transfer_note_all(queue);
}

static void commit_due(void *context)
{
    struct queue *queue = CONTEXT(context, struct queue, QUEUE_MAGIC);
    turn_commit(queue);
    turn_wanted(queue);
}

/* What waits is not touched by it: it waits in steady time. */
static void clock_look(struct queue *queue)
{
    struct loop *loop = queue->child.loop;
    int64_t set_ms = steady_look(&queue->steady, loop_wall_ms(loop), loop_boot_ms(loop));
    if (set_ms >= CLOCK_SET_SAID_MS || set_ms <= -CLOCK_SET_SAID_MS)
        log_warning("the clock was set by %+lld s: what waits goes on waiting as long as before",
                    (long long)(set_ms / 1000));
}

static void tick(void *context)
{
    struct queue *queue = CONTEXT(context, struct queue, QUEUE_MAGIC);
    clock_look(queue);
    turn_space_look(queue);
    queue_measures_tick(queue);
    turn_wanted(queue);
    timer_set(queue->tick_timer, TICK_MS);
}

static void stop_finish(void *context)
{
    struct queue *queue = CONTEXT(context, struct queue, QUEUE_MAGIC);
    large_take_all(queue);
    bool is_done = turn_commit(queue);
    if (is_done) {
        journal_mark_clean(queue->journal);
        is_done = journal_commit(queue->journal) == COMMIT_DONE;
    }
    child_exit(&queue->child, is_done ? EX_OK : EX_IOERR);
}

/* Also called at each turn while stopping. A deliver that has not told all it knows may hold outcomes. */
static void stop_look(struct queue *queue)
{
    bool is_settled = queue->carrier.is_synced && schedule_facts(queue->schedule).out == 0;
    if (queue->is_stopping && (!queue->carrier.channel || is_settled)) stop_finish(queue);
}

static void turn(void *context)
{
    turn_run(context);
    stop_look(CONTEXT(context, struct queue, QUEUE_MAGIC));
}

static void timers_begin(struct queue *queue)
{
    struct loop *loop = queue->child.loop;
    queue->turn = (struct deferred){ .run = turn, .context = queue };
    queue->commit_timer = timer_new(loop, commit_due, queue);
    queue->wake_timer = timer_new(loop, turn_wake, queue);
    queue->tick_timer = timer_new(loop, tick, queue);
    queue->stop_timer = timer_new(loop, stop_finish, queue);
    queue->rescan.timer = timer_new(loop, queue_rescan_turn, queue);
    queue->large_timer = timer_new(loop, large_take, queue);
    timer_set(queue->tick_timer, TICK_MS);
    turn_wanted(queue);
}

static void receive_open(void *context, uint16_t index, int fd)
{
    intake_add_receiver(context, index, 0, fd);
}

static void report_open(void *context, uint16_t index, int fd)
{
    intake_add_receiver(context, index, MESSAGE_OWN, fd);
}

static void ledger_open(void *context, uint16_t index, int fd)
{
    intake_add_receiver(context, index, MESSAGE_AGAIN, fd);
}

static void deliver_open(void *context, uint16_t index, int fd)
{
    dispatch_set_deliver(context, fd);
}

static void scan_open(void *context, uint16_t index, int fd)
{
    queue_rescan_set_scan(context, fd);
}

static const struct child_peer peers[] = {
    { PROCESS_RECEIVE, receive_open }, { PROCESS_REPORT, report_open }, { PROCESS_LEDGER, ledger_open },
    { PROCESS_DELIVER, deliver_open }, { PROCESS_SCAN, scan_open },     { 0 },
};

static void on_config(void *context, const struct config *old)
{
    struct queue *queue = CONTEXT(context, struct queue, QUEUE_MAGIC);
    struct schedule_policy policy = dispatch_policy(queue);
    schedule_set_policy(queue->schedule, &policy);
    size_t place = 0;
    bool is_age_new = old->queue.expire_ms != queue->child.config->queue.expire_ms ||
                      old->queue.warn_ms != queue->child.config->queue.warn_ms;
    for (struct message *message; is_age_new && (message = message_index_next(queue->message_index, &place));)
        undeliverable_watch(queue, message);
    held_transfer_note_all(queue); /* addresses of our own and the quarantine may have come or gone */
    journal_set_free(queue->journal, queue->child.config->queue.free_bytes);
    if (old->queue.segment_bytes != queue->child.config->queue.segment_bytes)
        log_warning("`queue segment` takes effect at the next start");
    turn_wanted(queue);
}

/* What deliver has not begun comes back; what it is sending is waited for. */
static void on_stop(void *context, uint32_t within_ms)
{
    struct queue *queue = CONTEXT(context, struct queue, QUEUE_MAGIC);
    queue->is_stopping = true;
    size_t place = 0;
    for (struct message *message; (message = message_index_next(queue->message_index, &place));)
        for (struct delivery *one = message->deliveries; one && queue->carrier.channel;
             one = one->next_of_message)
            if (one->state == DELIVERY_OUT && one->job_id != JOB_ADOPTED)
                channel_send(queue->carrier.channel, DELIVER_CANCEL, one->job_id, TEXT_NONE);
    timer_set(queue->stop_timer, within_ms > 500 ? within_ms - 500 : within_ms);
    turn_wanted(queue);
}

static void on_status(void *context, struct buffer *out)
{
    struct queue *queue = CONTEXT(context, struct queue, QUEUE_MAGIC);
    struct queue_counters counters = journal_counters(queue->journal);
    struct schedule_facts facts = schedule_facts(queue->schedule);
    struct journal_facts journal = journal_facts(queue->journal);
    child_status_add(out, "messages", "%llu", (unsigned long long)counters.messages_live);
    child_status_add(out, "recipients", "%llu", (unsigned long long)counters.live);
    child_status_add(out, "held", "%llu", (unsigned long long)counters.held);
    child_status_add(out, "ready", "%llu", (unsigned long long)facts.ready);
    child_status_add(out, "waiting", "%llu", (unsigned long long)facts.waiting);
    child_status_add(out, "with deliver", "%llu", (unsigned long long)facts.out);
    child_status_add(out, "destinations", "%llu", (unsigned long long)facts.destinations);
    child_status_add(out, "destinations down", "%llu", (unsigned long long)facts.destinations_down);
    child_status_add(out, "segments", "%llu", (unsigned long long)journal.segments);
    child_status_add(out, "journal bytes", "%llu", (unsigned long long)journal.bytes);
    child_status_add(out, "commits", "%llu", (unsigned long long)journal.commits);
    child_status_add(out, "records a commit", "%.1f",
                     journal.commits ? (double)journal.commit_records / (double)journal.commits : 0.0);
    child_status_add(out, "sync us", "%llu",
                     (unsigned long long)(journal.commits ? journal.sync_us / journal.commits : 0));
    child_status_add(out, "sync us most", "%llu", (unsigned long long)journal.sync_most_us);
    child_status_add(out, "segments recycled", "%llu", (unsigned long long)journal.recycled);
    child_status_add(out, "segments in reserve", "%llu", (unsigned long long)journal.spares);
    child_status_add(out, "bytes claimed for outcomes", "%llu", (unsigned long long)journal.claimed);
    child_status_add(out, "bytes free for outcomes", "%llu",
                     (unsigned long long)journal_room(queue->journal));
    child_status_add(out, "refused without scan's word", "%llu", (unsigned long long)queue->unvouched);
    child_status_add(out, "spool full", "%s", queue->is_full ? "yes" : "no");
}

static void on_health(void *context, struct health_facts *out)
{
    struct queue *queue = CONTEXT(context, struct queue, QUEUE_MAGIC);
    struct queue_counters counters = journal_counters(queue->journal);
    struct schedule_facts facts = schedule_facts(queue->schedule);
    uint64_t now = loop_now_ms(queue->child.loop);
    int64_t free_bytes = disk_real.free_bytes(NULL, queue->journal_folder);
    if (facts.ready + facts.out == 0) queue->moved_ms = now;
    health_know(out, HEALTH_QUEUE_STILL_MS, now - queue->moved_ms);
    health_know(out, HEALTH_QUEUE_FULL, queue->is_full);
    if (free_bytes >= 0) health_know(out, HEALTH_DISK_FREE, (uint64_t)free_bytes);
    health_know(out, HEALTH_MESSAGES, counters.messages_live);
    health_know(out, HEALTH_DELIVERIES, facts.deliveries);
    health_know(out, HEALTH_DESTINATIONS_DOWN, facts.destinations_down);
    health_know(out, HEALTH_HELD, counters.held);
}

/* Everything is due at once; or, taken back, by the usual rules again. */
static void on_drain(void *context)
{
    struct queue *queue = CONTEXT(context, struct queue, QUEUE_MAGIC);
    struct schedule_policy policy = dispatch_policy(queue);
    schedule_set_policy(queue->schedule, &policy);
    schedule_retry_all(queue->schedule, queue_now(queue));
    turn_wanted(queue);
}

static void on_client(void *context, const struct commander *commander, struct text command, int fd)
{
    client_command(CONTEXT(context, struct queue, QUEUE_MAGIC), commander, command, fd);
}

static const struct child_events events = { .peers = peers,
                                            .on_config = on_config,
                                            .on_stop = on_stop,
                                            .on_status = on_status,
                                            .on_client = on_client,
                                            .on_health = on_health,
                                            .on_drain = on_drain };

int main(int argc, char **argv)
{
    static struct queue queue = { .magic = QUEUE_MAGIC };
    child_start(&queue.child, PROCESS_QUEUE, argc, argv);
    TAILQ_INIT(&queue.large);
    queue.arena = arena_new(64 * 1024);
    queue.ids.process = OWN_PROCESS;
    queue.ids.node = queue.child.config->node.number;
    queue.moved_ms = loop_now_ms(queue.child.loop);
    folders_open(&queue);
    steady_begin(&queue.steady, queue.folder, "clock", NULL, loop_wall_ms(queue.child.loop),
                 loop_boot_ms(queue.child.loop));
    queue.carrier.job_id = queue_now(&queue) << 20; /* steady: none is given twice */
    maps_open(&queue);
    queue.message_index = message_index_new(RECENT_IDS);
    queue.transactions = transactions_new();
    vouching_begin(&queue);
    const char *const folders[] = { queue.spool_path, NULL };
    if (!child_jail(&queue.child, JAIL_FILES | JAIL_BODIES, folders, NULL)) return EX_OSERR;
    journal_begin(&queue);
    baseline_set(&queue);
    schedule_begin(&queue);
    if (queue.page) queue.page->queue = journal_counters(queue.journal);
    timers_begin(&queue);
    return child_run(&queue.child, &events, &queue);
}
