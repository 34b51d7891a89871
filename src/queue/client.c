/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Answers `sekimori queue …`. A command goes through the messages in slices, so that mail flows meanwhile. */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/context.h"
#include "base/log.h"
#include "queue/client_private.h"

enum {
    WORDS_MOST = 1000,
    SLICE = 400, /* messages looked at in a turn */
    SLICE_WAIT_MS = 1,
    CLIENT_BACKLOG_MOST = 1 << 20
};

struct client_verb {
    const char *name;
    void (*act)(struct client *client, struct message *message, const struct lead *lead,
                const struct envelope *envelope);
    bool needs_word, is_reading, needs_one;
    bool shows_content; /* needs the right to read content, and leaves a record; else the right to operate */
    bool (*wanted)(
        const struct queued_recipient *recipient); /* of verbs that change something: which recipients */
};

static void client_free(struct client *client)
{
    channel_close(client->channel);
    timer_free(client->timer);
    arena_free(client->arena);
    free(client->ids);
    free(client->tallies);
    free(client);
}

static void finish(struct client *client, int code, struct text last)
{
    struct buffer *out = channel_begin(client->channel, MASTER_DONE, 0);
    put_u8(out, (uint8_t)code);
    put_text(out, last);
    channel_end(client->channel);
    client->is_finished = true;
    timer_set(client->timer, SLICE_WAIT_MS);
}

static bool is_chosen(const struct client *client, const struct message *message,
                      const struct envelope *envelope, uint32_t number)
{
    const struct queued_recipient *recipient = &message->recipients[number];
    return recipient->ending == ENDING_NONE &&
           queue_selection_has_recipient(
               &client->selection, message->id, envelope, number,
               string_pool_text(client->queue->message_index->domains, recipient->domain),
               recipient->hold != HOLD_NONE);
}

static uint32_t chosen_count(const struct client *client, const struct message *message,
                             const struct envelope *envelope)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < message->recipient_count; i++) count += is_chosen(client, message, envelope, i);
    return count;
}

/* Verbs */

static void print(struct client *client, struct message *message, const struct lead *lead,
                  const struct envelope *envelope, bool is_long)
{
    struct buffer out = { 0 };
    client_print_message(client, message, lead, envelope, is_long, &out);
    buffer_add_char(&out, '\n');
    child_say(client->channel, buffer_text(&out));
    buffer_free(&out);
}

static void act_list(struct client *client, struct message *message, const struct lead *lead,
                     const struct envelope *envelope)
{
    client->touched += chosen_count(client, message, envelope);
    print(client, message, lead, envelope, false);
}

static void act_show(struct client *client, struct message *message, const struct lead *lead,
                     const struct envelope *envelope)
{
    client->touched += message->recipient_count;
    print(client, message, lead, envelope, true);
}

/* Who does what to which message; 0: to all that were chosen. False: it cannot be recorded now. */
static bool audit(const struct client *client, uint64_t id, struct text about)
{
    struct buffer record = { 0 };
    struct event_audit event = { .time_ms = queue_wall(client->queue),
                                 .id = id,
                                 .serial = message_id_next(&client->queue->ids, queue_wall(client->queue)),
                                 .uid = client->commander.uid,
                                 .user = client->commander.user,
                                 .process = TEXT("queue"),
                                 .act = text_of(client->verb->name),
                                 .about = about };
    event_audit_put(&event, &record);
    bool is_told = client->queue->events && ring_append(client->queue->events, buffer_text(&record));
    buffer_free(&record);
    return is_told;
}

/* An act is done whether it can be recorded or not: mail must be steered while the ledger is down. The log
   has it in any case. */
static void act_record(const struct client *client, uint64_t id, struct text about)
{
    char room[MESSAGE_ID_SIZE];
    bool is_told = audit(client, id, about);
    log_info("queue %s by %.*s (uid %u)%s%s: %.*s%s", client->verb->name, TEXT_ARG(client->commander.user),
             (unsigned)client->commander.uid, id ? " " : "", id ? message_id_print(id, room) : "",
             TEXT_ARG(about), is_told ? "" : "; only this log has it");
}

static void act_cat(struct client *client, struct message *message, const struct lead *lead,
                    const struct envelope *envelope)
{
    struct buffer content = { 0 };
    if (!audit(client, message->id, TEXT("shown"))) {
        client->busy++;
        return;
    }
    if (journal_read_content(client->queue->journal, message, &content)) client->touched++;
    child_say(client->channel, buffer_text(&content));
    buffer_free(&content);
}

static void act_summary(struct client *client, struct message *message, const struct lead *lead,
                        const struct envelope *envelope)
{
    for (uint32_t i = 0; i < message->recipient_count; i++)
        if (is_chosen(client, message, envelope, i)) client_tally(client, message, i);
}

static void act_retry(struct client *client, struct message *message, const struct lead *lead,
                      const struct envelope *envelope)
{
    client->touched += chosen_count(client, message, envelope) - message_held(message);
    schedule_retry_message(client->queue->schedule, message, queue_now(client->queue));
    turn_wanted(client->queue);
}

/* With deliver, or on its way into the quarantine. */
static bool is_out(const struct queue *queue, const struct message *message,
                   const struct queued_recipient *recipient)
{
    const struct delivery *delivery = schedule_delivery_of(message, recipient);
    if (recipient->hold && held_transfer_has_offered(queue, message->id)) return true;
    return !recipient->hold && delivery && delivery->state == DELIVERY_OUT;
}

/* Held for what it may do to its reader. queue does not know what was found. */
static bool is_doubtful(const struct queued_recipient *recipient)
{
    return recipient->hold == HOLD_QUARANTINE || recipient->hold == HOLD_POISON;
}

/* The chosen recipients that the verb wants, as a list in the queue's arena. */
static uint32_t gather(struct client *client, struct message *message, const struct envelope *envelope,
                       enum ending ending, enum hold_reason hold, struct changed_recipient **out)
{
    uint32_t count = 0;
    *out = arena_alloc_array(client->queue->arena, message->recipient_count, sizeof **out);
    for (uint32_t i = 0; i < message->recipient_count; i++) {
        const struct queued_recipient *recipient = &message->recipients[i];
        if (!is_chosen(client, message, envelope, i) || !client->verb->wanted(recipient)) continue;
        if (!client->selection.is_dry && is_out(client->queue, message, recipient)) {
            client->busy++;
            continue;
        }
        client->doubtful += is_doubtful(recipient);
        (*out)[count++] =
            (struct changed_recipient){ i, (uint8_t)ending, (uint8_t)hold, recipient->attempts };
    }
    client->touched += count;
    return count;
}

static bool is_any(const struct queued_recipient *recipient)
{
    return true;
}

static bool is_held(const struct queued_recipient *recipient)
{
    return recipient->hold != HOLD_NONE;
}

static bool is_not_held(const struct queued_recipient *recipient)
{
    return recipient->hold == HOLD_NONE;
}

static void change(struct client *client, enum record_type type, struct message *message,
                   struct changed_recipient *list, uint32_t count, struct text reply)
{
    struct change change = { .when_ms = queue_wall(client->queue),
                             .recipients = list,
                             .count = count,
                             .dsn = TEXT("5.7.1"),
                             .reply = reply };
    if (type != RECORD_OUTCOME) change.dsn = TEXT_NONE;
    journal_change(client->queue->journal, type, message, &change);
    event_log_steps(client->queue, type, message->id, &change);
    dispatch_settle(client->queue, message);
    turn_wanted_soon(client->queue);
}

static struct text reason_of(const struct client *client, const char *done)
{
    return arena_printf(client->queue->arena, "%s by the administrator (%.*s)", done,
                        TEXT_ARG(client->commander.user));
}

static void act_hold(struct client *client, struct message *message, const struct lead *lead,
                     const struct envelope *envelope)
{
    struct changed_recipient *list;
    uint32_t count = gather(client, message, envelope, ENDING_NONE, HOLD_ADMIN, &list);
    if (count) change(client, RECORD_HOLD, message, list, count, reason_of(client, "held"));
}

static void act_release(struct client *client, struct message *message, const struct lead *lead,
                        const struct envelope *envelope)
{
    struct changed_recipient *list;
    uint32_t count = gather(client, message, envelope, ENDING_NONE, HOLD_NONE, &list);
    if (!count) return;
    change(client, RECORD_RELEASE, message, list, count, TEXT_NONE);
    schedule_add(client->queue->schedule, message, queue_now(client->queue));
    undeliverable_watch(client->queue, message);
    turn_wanted(client->queue);
}

static void act_remove(struct client *client, struct message *message, const struct lead *lead,
                       const struct envelope *envelope)
{
    struct changed_recipient *list;
    struct text why = reason_of(client, "removed");
    uint32_t count = gather(client, message, envelope, ENDING_REMOVED, HOLD_NONE, &list);
    if (!count) return;
    for (uint32_t i = 0; i < count; i++) {
        struct logged_delivery logged = { .address = envelope->recipients[list[i].number].address,
                                          .dsn = TEXT("5.7.1"),
                                          .status = TEXT("removed"),
                                          .reply = why,
                                          .arrived_ms = message->arrived_ms };
        event_log_recipient(client->queue, message->id, &logged);
        event_log_ended(client->queue, message->id, list[i].number, ENDING_REMOVED, TEXT("5.7.1"), TEXT_NONE,
                        why);
    }
    change(client, RECORD_OUTCOME, message, list, count, why);
}

/* What the verb would do, those counted too that deliver has at this moment. */
static void act_dry(struct client *client, struct message *message, const struct envelope *envelope)
{
    struct changed_recipient *list;
    gather(client, message, envelope, ENDING_NONE, HOLD_NONE, &list);
}

static const struct client_verb verbs[] = {
    { "list", act_list, .is_reading = true },
    { "show", act_show, .needs_word = true, .is_reading = true, .needs_one = true },
    { "cat", act_cat, .needs_word = true, .is_reading = true, .needs_one = true, .shows_content = true },
    { "summary", act_summary, .is_reading = true },
    { "retry", act_retry, .needs_word = true, .wanted = is_not_held },
    { "hold", act_hold, .needs_word = true, .wanted = is_not_held },
    { "release", act_release, .needs_word = true, .wanted = is_held },
    { "remove", act_remove, .needs_word = true, .wanted = is_any },
};

/* Going through */

/* What was named is not there: an id, or for verbs that change something also a destination or address. */
static bool is_missing(const struct client *client)
{
    const struct queue_selection *selection = &client->selection;
    if (client->verb->needs_one) return !client->touched;
    bool is_named = selection->id_count ||
                    (!client->verb->is_reading && (selection->destination_count || selection->address_count));
    return is_named && !selection->is_all && !client->seen;
}

/* Messages named by id have a record each; what was chosen otherwise has one before the first message is
   touched, and one with the numbers after the last. */
static void all_record(const struct client *client, bool is_done)
{
    char numbers[100] = "";
    if (client->verb->is_reading || client->selection.is_dry || queue_selection_is_ids(&client->selection))
        return;
    if (is_done)
        snprintf(numbers, sizeof numbers, ": done, %llu %s of %llu %s", (unsigned long long)client->touched,
                 text_word_for(client->touched, "recipient", "recipients"),
                 (unsigned long long)client->messages,
                 text_word_for(client->messages, "message", "messages"));
    act_record(client, 0, arena_printf(client->arena, "%.*s%s", TEXT_ARG(client->asked), numbers));
}

static void message_record(const struct client *client, uint64_t id, uint64_t count)
{
    char about[40];
    if (client->verb->is_reading || client->selection.is_dry || !queue_selection_is_ids(&client->selection))
        return;
    snprintf(about, sizeof about, "%llu recipient%s", (unsigned long long)count, count == 1 ? "" : "s");
    act_record(client, id, text_of(about));
}

static void last_word(struct client *client)
{
    struct buffer out = { 0 };
    for (uint32_t i = 0; i < client->tally_count; i++) {
        if (!client->tallies[i].total) continue;
        buffer_clear(&out);
        client_print_tally(client, &client->tallies[i], &out);
        buffer_add_char(&out, '\n');
        child_say(client->channel, buffer_text(&out));
    }
    buffer_clear(&out);
    int code = EX_OK;
    if (client->busy) code = EX_TEMPFAIL;
    if (is_missing(client)) code = EX_NOINPUT;
    if (!client->verb->is_reading) {
        all_record(client, true);
        buffer_printf(&out, "{\"recipients\":%llu,\"busy\":%llu,\"messages\":%llu,\"doubtful\":%llu}\n",
                      (unsigned long long)client->touched, (unsigned long long)client->busy,
                      (unsigned long long)client->messages, (unsigned long long)client->doubtful);
    }
    finish(client, code, buffer_text(&out));
    buffer_free(&out);
}

static void visit(struct client *client, uint64_t id)
{
    struct queue *queue = client->queue;
    struct message *message = message_index_find(queue->message_index, id);
    struct lead lead;
    struct envelope envelope;
    if (!message || !message->live_count || (message->flags & MESSAGE_PENDING)) return;
    arena_reset(queue->arena);
    if (!queue_envelope(queue, message, &lead, &envelope)) return;
    uint32_t chosen = chosen_count(client, message, &envelope);
    client->seen += chosen;
    if (!chosen) return;
    uint64_t before = client->touched;
    if (client->selection.is_dry)
        act_dry(client, message, &envelope);
    else
        client->verb->act(client, message, &lead, &envelope);
    if (client->touched == before) return;
    client->messages++;
    message_record(client, id, client->touched - before);
}

static void slice(void *context)
{
    struct client *client = CONTEXT(context, struct client, CLIENT_MAGIC);
    if (client->is_finished) { /* until the other side has taken all, or goes */
        if (channel_backlog(client->channel) == 0)
            client_free(client);
        else
            timer_set(client->timer, SLICE_WAIT_MS);
        return;
    }
    for (int i = 0; i < SLICE && client->place < client->id_count; i++) {
        if (channel_backlog(client->channel) > CLIENT_BACKLOG_MOST) break;
        visit(client, client->ids[client->place++]);
    }
    if (client->place < client->id_count)
        timer_set(client->timer, SLICE_WAIT_MS);
    else
        last_word(client);
}

static int id_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Ids sort by time. */
static void ids_gather(struct client *client)
{
    const struct queue_selection *selection = &client->selection;
    const struct message_index *message_index = client->queue->message_index;
    bool only_ids = queue_selection_is_ids(selection);
    client->ids =
        memory_alloc(((only_ids ? selection->id_count : message_index->count) + 1) * sizeof *client->ids);
    if (only_ids) {
        memcpy(client->ids, selection->ids, selection->id_count * sizeof *client->ids);
        client->id_count = selection->id_count;
        return;
    }
    size_t place = 0;
    for (const struct message *message; (message = message_index_next(message_index, &place));)
        client->ids[client->id_count++] = message->id;
    if (client->id_count) qsort(client->ids, client->id_count, sizeof *client->ids, id_order);
}

static const struct client_verb *verb_find(struct text name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (text_equal(name, text_of(verbs[i].name))) return &verbs[i];
    return NULL;
}

/* A whole destination that is tried again also stops waiting for its time. */
static void domains_retry(struct client *client)
{
    const struct queue_selection *selection = &client->selection;
    uint64_t now = queue_now(client->queue);
    for (size_t i = 0; i < selection->destination_count; i++)
        schedule_retry_domain(
            client->queue->schedule,
            queue_domain_of(client->queue, client->arena,
                            arena_printf(client->arena, "@%.*s", TEXT_ARG(selection->destinations[i]))),
            now);
}

/* A refused look at content is recorded too, message by message. */
static bool has_right(struct client *client)
{
    if (client->verb->shows_content ? client->commander.may_read_content : client->commander.may_operate)
        return true;
    for (size_t i = 0; client->verb->shows_content && i < client->selection.id_count; i++)
        audit(client, client->selection.ids[i], TEXT("refused: no right to read content"));
    log_warning("queue %s by %.*s (uid %u) is refused: no right", client->verb->name,
                TEXT_ARG(client->commander.user), (unsigned)client->commander.uid);
    finish(client, EX_NOPERM,
           client->verb->shows_content
               ? TEXT("you may not read the content of messages (rights read-content)")
               : TEXT("you may not operate this node (rights operate)"));
    return false;
}

static struct text asked_of(struct arena *arena, const struct text *words, size_t count)
{
    struct buffer line = { 0 };
    for (size_t i = 0; i < count; i++)
        buffer_printf(&line, "%s%.*s", i ? " " : "", TEXT_ARG(words[i].length ? words[i] : TEXT("\"\"")));
    struct text kept = arena_text(arena, buffer_text(&line));
    buffer_free(&line);
    return kept;
}

static void begin(struct client *client, struct text command)
{
    struct text *words = arena_alloc_array(client->arena, WORDS_MOST, sizeof *words);
    struct text line, rest = command;
    size_t count = 0;
    while (count < WORDS_MOST && text_next_line(&rest, &line)) words[count++] = line;
    client->verb = count ? verb_find(words[0]) : NULL;
    const char *why = "queue knows: list, show, cat, summary, retry, hold, release, remove";
    bool is_good = client->verb && queue_selection_parse(client->arena, words + 1, count - 1,
                                                         client->verb->needs_word, &client->selection, &why);
    if (is_good && client->verb->is_reading && client->selection.is_dry) {
        is_good = false;
        why = "--dry-run goes with retry, hold, release and remove";
    }
    if (is_good && client->verb->needs_one && client->selection.id_count == 0) {
        is_good = false;
        why = "name a message by its id";
    }
    if (!is_good) {
        finish(client, EX_USAGE, text_of(why));
        return;
    }
    client->asked = asked_of(client->arena, words + 1, count - 1);
    if (!has_right(client)) return;
    ids_gather(client);
    all_record(client, false);
    if (client->verb->act == act_retry && !client->selection.is_dry) domains_retry(client);
    timer_set(client->timer, 0);
}

static bool on_frame(void *context, struct frame *frame)
{
    return false; /* one command a connection */
}

static void on_closed(void *context)
{
    client_free(CONTEXT(context, struct client, CLIENT_MAGIC));
}

void client_command(struct queue *queue, const struct commander *commander, struct text command, int fd)
{
    static const struct channel_events events = { on_frame, on_closed };
    struct client *client = memory_alloc(sizeof *client);
    client->magic = CLIENT_MAGIC;
    client->queue = queue;
    client->arena = arena_new(0);
    client->commander = *commander;
    client->commander.user = arena_text(client->arena, commander->user);
    client->timer = timer_new(queue->child.loop, slice, client);
    client->channel = channel_open(queue->child.loop, fd, &events, client);
    struct text word;
    text_next_word(&command, &word); /* "queue" */
    begin(client, arena_text(client->arena, text_trim(command)));
}
