/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Looks again at what waits when scan has new signatures: one message at a time, what was there when the pass
   began. What is infected after all is held as what virus mail is held as, where the configuration would not
   have let it through; ledger is told first, and takes it into the quarantine as a virus. What deliver has at
   that moment goes its way, and is looked at again when it comes back. Which signatures a pass was finished
   with stands in spool/signatures. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/context.h"
#include "base/file.h"
#include "base/log.h"
#include "config/domains.h"
#include "ipc/ask_scan.h"
#include "mail/envelope.h"
#include "queue/queue_private.h"

enum {
    PAUSE_MS = 20,       /* between one message and the next */
    BUSY_MS = 500,       /* what deliver has may have come back */
    AGAIN_MS = 5 * 1000, /* scan cannot now */
    LOSSES_MOST = 4,
    PASS_LEAST_MS = 1000,
    NUMBER_MOST = 32 /* bytes of spool/signatures */
};
static const char done_file[] = "signatures";

/* --- a pass --- */

static uint64_t done_read(const struct queue *queue)
{
    char text[NUMBER_MOST];
    uint64_t number = 0;
    int fd = openat(queue->folder, done_file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (fd >= 0) close(fd);
    if (length > 0) text_to_number(text_trim(text_from(text, (size_t)length)), UINT64_MAX, &number);
    return number;
}

static void done_write(const struct queue *queue, uint64_t number)
{
    struct buffer text = { 0 };
    buffer_printf(&text, "%" PRIu64 "\n", number);
    if (!file_replace(queue->folder, done_file, buffer_text(&text), 0600))
        log_error("spool/%s cannot be written: %s: what waits is looked at again at the next start",
                  done_file, strerror(errno));
    buffer_free(&text);
}

/* Notices of our own have no files of strangers; what somebody released out of the quarantine was decided
 * about. */
static bool is_of_interest(const struct message *message)
{
    return !(message->flags & (MESSAGE_OWN | MESSAGE_AGAIN)) && message->live_count > 0;
}

static void pass_begin(struct queue *queue)
{
    struct queue_rescan *rescan = &queue->rescan;
    size_t place = 0;
    free(rescan->ids);
    rescan->ids = NULL;
    rescan->count = rescan->next = rescan->busy = 0;
    rescan->found = rescan->failed = 0;
    rescan->losses = 0;
    rescan->signatures = rescan->wanted;
    rescan->begun_ms = loop_now_ms(queue->child.loop);
    if (done_read(queue) == rescan->signatures) return;
    rescan->ids = memory_alloc((queue->message_index->count + 1) * sizeof *rescan->ids);
    for (const struct message *one; (one = message_index_next(queue->message_index, &place));)
        if (is_of_interest(one)) rescan->ids[rescan->count++] = one->id;
}

/* False: not yet. However often scan says that it has others, a pass is begun once a second. */
static bool pass_look(struct queue *queue)
{
    struct queue_rescan *rescan = &queue->rescan;
    uint64_t now = loop_now_ms(queue->child.loop);
    if (rescan->wanted == rescan->signatures) return true;
    if (now < rescan->begun_ms + PASS_LEAST_MS) {
        timer_set(rescan->timer, rescan->begun_ms + PASS_LEAST_MS - now);
        return false;
    }
    pass_begin(queue);
    return true;
}

static void pass_end(struct queue *queue)
{
    struct queue_rescan *rescan = &queue->rescan;
    if (rescan->count)
        log_info(
            "queue: %zu messages were looked at again with new signatures, %u are infected, %u could not be"
            " judged",
            rescan->count, rescan->found, rescan->failed);
    done_write(queue, rescan->signatures);
    free(rescan->ids);
    rescan->ids = NULL;
    rescan->count = rescan->next = 0;
}

/* --- one message --- */

static void go_on(struct queue *queue, bool is_judged)
{
    struct queue_rescan *rescan = &queue->rescan;
    rescan->asked = 0;
    rescan->losses = 0;
    rescan->next++;
    rescan->failed += !is_judged;
    timer_set(rescan->timer, PAUSE_MS);
}

/* Infected, but deliver has it: it comes last, when deliver has it no more. */
static void postpone(struct queue *queue)
{
    struct queue_rescan *rescan = &queue->rescan;
    uint64_t id = rescan->ids[rescan->next];
    size_t behind = rescan->count - rescan->next - 1;
    memmove(&rescan->ids[rescan->next], &rescan->ids[rescan->next + 1], behind * sizeof id);
    rescan->ids[rescan->count - 1] = id;
    rescan->busy++;
    rescan->asked = 0;
    rescan->losses = 0;
    timer_set(rescan->timer, PAUSE_MS);
}

static bool is_out(const struct message *message)
{
    for (uint32_t i = 0; i < message->recipient_count; i++) {
        const struct delivery *delivery = schedule_delivery_of(message, &message->recipients[i]);
        if (delivery && delivery->state == DELIVERY_OUT) return true;
    }
    return false;
}

/* One of those that deliver had is due. False: deliver has them all. */
static bool busy_take(struct queue *queue)
{
    struct queue_rescan *rescan = &queue->rescan;
    for (size_t i = rescan->next; i < rescan->count; i++) {
        uint64_t id = rescan->ids[i];
        const struct message *message = message_index_find(queue->message_index, id);
        if (message && is_out(message)) continue;
        rescan->ids[i] = rescan->ids[rescan->next];
        rescan->ids[rescan->next] = id;
        rescan->busy--;
        return true;
    }
    return false;
}

/* NULL: that was all, or deliver has the others. */
static struct message *message_next(struct queue *queue)
{
    struct queue_rescan *rescan = &queue->rescan;
    for (; rescan->next < rescan->count; rescan->next++) {
        if (rescan->next == rescan->count - rescan->busy && !busy_take(queue)) return NULL;
        struct message *message = message_index_find(queue->message_index, rescan->ids[rescan->next]);
        if (message && is_of_interest(message)) return message;
    }
    return NULL;
}

/* Perhaps it is what ended it, or somebody ends scan again and again. */
static void lost(struct queue *queue)
{
    struct queue_rescan *rescan = &queue->rescan;
    if (++rescan->losses == LOSSES_MOST) {
        go_on(queue, false);
        return;
    }
    rescan->asked = 0;
    timer_set(rescan->timer, PAUSE_MS);
}

static bool message_send(struct queue *queue, struct message *message)
{
    struct buffer content = { 0 };
    struct lead lead;
    struct envelope envelope;
    bool is_good = queue_envelope(queue, message, &lead, &envelope) &&
                   journal_read_content(queue->journal, message, &content);
    struct text bytes = buffer_text(&content);
    if (is_good)
        is_good =
            scan_again_send(queue->rescan.scan, queue->arena, message->id, (enum direction)message->direction,
                            &envelope, text_slice(bytes, message->prefix_length, bytes.length));
    buffer_free(&content);
    return is_good;
}

void queue_rescan_turn(void *context)
{
    struct queue *queue = CONTEXT(context, struct queue, QUEUE_MAGIC);
    struct queue_rescan *rescan = &queue->rescan;
    if (!rescan->scan || rescan->asked || queue->is_stopping) return;
    if (!pass_look(queue) || !rescan->ids) return;
    struct message *message = message_next(queue);
    if (!message && rescan->busy) {
        timer_set(rescan->timer, BUSY_MS);
        return;
    }
    if (!message) {
        pass_end(queue);
        return;
    }
    arena_reset(queue->arena);
    rescan->asked = message->id;
    if (!message_send(queue, message)) go_on(queue, false);
}

/* --- what scan says --- */

/* The configuration would not have let it through to this recipient. */
static bool is_unwanted(const struct queue *queue, const struct message *message, struct text address,
                        enum virus_class class)
{
    const struct config *config = queue->child.config;
    const struct domain *domain = config_find_domain(config, envelope_domain_of(address));
    enum action action = config_virus_action(config, class, (enum direction)message->direction);
    return config_virus_mode(config, domain) == MODE_ON && action != ACTION_ACCEPT && action != ACTION_TAG;
}

static void found_tell(struct queue *queue, const struct message *message, const struct facts *facts)
{
    const struct event_found event = event_found_of(message->id, queue_wall(queue), true, facts);
    struct buffer record = { 0 };
    event_found_put(&event, &record);
    put_text(&queue->events_pending, buffer_text(&record));
    buffer_free(&record);
}

/* Those that can be held: who is held already stays so, and what deliver has may be delivered. */
static uint32_t gather(struct queue *queue, const struct message *message, const struct envelope *envelope,
                       enum virus_class class, struct changed_recipient *list, uint32_t *out_gone)
{
    uint32_t count = 0;
    *out_gone = 0;
    for (uint32_t i = 0; i < message->recipient_count; i++) {
        const struct queued_recipient *recipient = &message->recipients[i];
        if (recipient->ending != ENDING_NONE || recipient->hold != HOLD_NONE) continue;
        if (!is_unwanted(queue, message, envelope->recipients[i].address, class)) continue;
        const struct delivery *delivery = schedule_delivery_of(message, recipient);
        if (delivery && delivery->state == DELIVERY_OUT)
            ++*out_gone;
        else
            list[count++] =
                (struct changed_recipient){ i, ENDING_NONE, HOLD_QUARANTINE, recipient->attempts };
    }
    return count;
}

static void hold(struct queue *queue, struct message *message, struct changed_recipient *list, uint32_t count,
                 const struct virus_finding *finding)
{
    struct change change = { .when_ms = queue_wall(queue),
                             .recipients = list,
                             .count = count,
                             .reply = arena_printf(queue->arena, "%s" QUEUE_RESCAN_FOUND "%.*s",
                                                   class_name(class_of_virus(finding->class)),
                                                   TEXT_ARG(finding->name)) };
    journal_change(queue->journal, RECORD_HOLD, message, &change);
    event_log_steps(queue, RECORD_HOLD, message->id, &change);
    dispatch_settle(queue, message);
    held_transfer_note(queue, message->id);
    turn_wanted_soon(queue);
}

/* How many recipients deliver has at this moment. */
static uint32_t condemn(struct queue *queue, struct message *message, const struct facts *facts)
{
    struct lead lead;
    struct envelope envelope;
    char id[MESSAGE_ID_SIZE];
    const struct virus_finding *finding = &facts->virus_findings[0];
    uint32_t count = 0, gone = 0;
    found_tell(queue, message, facts);
    if (queue_envelope(queue, message, &lead, &envelope)) {
        struct changed_recipient *list =
            arena_alloc_array(queue->arena, message->recipient_count, sizeof *list);
        count = gather(queue, message, &envelope, finding->class, list, &gone);
        log_of(LOG_LEVEL_WARNING, message_id_print(message->id, id),
               "%s: infected, as new signatures show: %.*s in %.*s; %u recipients are held, %u were being"
               " delivered to",
               id, TEXT_ARG(finding->name), TEXT_ARG(finding->part), count, gone);
        if (count) hold(queue, message, list, count, finding);
    }
    queue->rescan.found += gone == 0;
    turn_wanted_soon(queue);
    return gone;
}

/* False: malformed. */
static bool facts_take(struct queue *queue, struct frame *frame)
{
    struct found found;
    struct facts facts;
    arena_reset(queue->arena);
    if (!found_get(frame->payload, &found) || !found_facts(queue->arena, &found, &facts)) return false;
    struct message *message = message_index_find(queue->message_index, frame->id);
    bool is_found = facts_are_infected(&facts) && message && message->live_count > 0;
    if (is_found && condemn(queue, message, &facts) > 0)
        postpone(queue);
    else
        go_on(queue, facts.virus != SCAN_UNSCANNED);
    return true;
}

static void failure_take(struct queue *queue, enum scan_failure failure)
{
    if (failure == SCAN_WORKER_DIED) {
        lost(queue);
    } else if (failure != SCAN_NOT_READY) {
        go_on(queue, false);
    } else {
        queue->rescan.asked = 0;
        timer_set(queue->rescan.timer, AGAIN_MS);
    }
}

static bool on_frame(void *context, struct frame *frame)
{
    struct queue *queue = CONTEXT(context, struct queue, QUEUE_MAGIC);
    struct reader reader = reader_of(frame->payload);
    if (frame->type == SCAN_SIGNATURES) {
        queue->rescan.wanted = get_u64(&reader);
        timer_set(queue->rescan.timer, 0);
        return reader_done(&reader);
    }
    if (frame->id == 0 || frame->id != queue->rescan.asked) return false;
    if (frame->type == SCAN_FACTS) return facts_take(queue, frame);
    if (frame->type != SCAN_FAILED) return false;
    failure_take(queue, get_u8(&reader));
    return true;
}

static void on_closed(void *context)
{
    struct queue *queue = CONTEXT(context, struct queue, QUEUE_MAGIC);
    channel_close(queue->rescan.scan);
    queue->rescan.scan = NULL;
    if (queue->rescan.asked) lost(queue);
}

void queue_rescan_set_scan(struct queue *queue, int fd)
{
    static const struct channel_events events = { on_frame, on_closed };
    if (queue->rescan.scan) on_closed(queue);
    queue->rescan.scan = channel_open(queue->child.loop, fd, &events, queue);
}
