/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Held mail on its way out of the journal. What is held is offered, a few messages at a time: to ledger,
   which takes a copy, and then the recipients end here as quarantined; to report, which does what mail to the
   node itself wants, and then they end as delivered. Whoever dies meanwhile, what is still held is offered
   again, and the taker knows what it has. Mail that is not held never comes here. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "ipc/ask_report.h"
#include "queue/queue_private.h"

enum {
    LOOKS_A_TURN = 64,
    TELL_FIRST_MS = 300, /* so that the ledger has read what receive tells of the message */
    NO_ROOM_WAIT_MS = 20000,
    OFFER_ROOM = 4096, /* of a frame, beside recipients and edits */
};

/* What the two takers differ in. */
static const struct trade {
    unsigned holds; /* a bit an enum hold_reason */
    uint16_t offer, done;
    enum record_type record;
    enum ending ending;
    struct text dsn, status, relay, reply; /* reply: empty: the taker says it */
    const char *stays;                     /* for the log, when it is not taken */
} trades[TRANSFERS] = {
    [TRANSFER_LEDGER] = { .holds = 1u << HOLD_QUARANTINE | 1u << HOLD_UNDELIVERABLE | 1u << HOLD_POISON,
                          .offer = LEDGER_HELD,
                          .done = LEDGER_TAKEN,
                          .record = RECORD_MOVED,
                          .ending = ENDING_QUARANTINED,
                          .status = TEXT("quarantined"),
                          .reply = TEXT("in quarantine"),
                          .stays = "held mail" },
    [TRANSFER_REPORT] = { .holds = 1u << HOLD_REPORT,
                          .offer = REPORT_MAIL,
                          .done = REPORT_DONE,
                          .record = RECORD_OUTCOME,
                          .ending = ENDING_DELIVERED,
                          .dsn = TEXT("2.0.0"),
                          .status = TEXT("sent"),
                          .relay = TEXT("report"),
                          .stays = "mail to this node itself" },
};

static bool is_movable(const struct held_transfer *transfer, const struct queued_recipient *recipient)
{
    return recipient->ending == ENDING_NONE && (trades[transfer->kind].holds & 1u << recipient->hold);
}

static bool has_movable(const struct held_transfer *transfer, const struct message *message)
{
    for (uint32_t i = 0; i < message->recipient_count; i++)
        if (is_movable(transfer, &message->recipients[i])) return true;
    return false;
}

/* The line: ids in a ring of slots. */

static void line_add(struct held_transfer *transfer, uint64_t id)
{
    if (transfer->count == transfer->capacity) {
        size_t capacity = transfer->capacity ? transfer->capacity * 2 : 64;
        uint64_t *ids = memory_alloc(capacity * sizeof *ids);
        for (size_t i = 0; i < transfer->count; i++)
            ids[i] = transfer->ids[(transfer->first + i) % transfer->capacity];
        free(transfer->ids);
        transfer->ids = ids;
        transfer->first = 0;
        transfer->capacity = capacity;
    }
    transfer->ids[(transfer->first + transfer->count++) % transfer->capacity] = id;
}

static uint64_t line_take(struct held_transfer *transfer)
{
    uint64_t id = transfer->ids[transfer->first];
    transfer->first = (transfer->first + 1) % transfer->capacity;
    transfer->count--;
    return id;
}

/* While there is no quarantine, what is held stays. */
static void line_join(struct queue *queue, struct held_transfer *transfer, const struct message *message)
{
    bool is_open = transfer->kind != TRANSFER_LEDGER || queue->child.config->quarantine.most_bytes > 0;
    if (is_open && has_movable(transfer, message)) line_add(transfer, message->id);
}

void held_transfer_note(struct queue *queue, uint64_t id)
{
    const struct message *message = message_index_find(queue->message_index, id);
    for (int i = 0; message && i < TRANSFERS; i++) line_join(queue, &queue->transfers[i], message);
}

static void line_fill(struct queue *queue, struct held_transfer *transfer)
{
    size_t place = 0;
    transfer->count = 0;
    for (const struct message *message; (message = message_index_next(queue->message_index, &place));)
        line_join(queue, transfer, message);
}

void held_transfer_note_all(struct queue *queue)
{
    for (int i = 0; i < TRANSFERS; i++) {
        queue->transfers[i].kind = (enum held_transfer_kind)i;
        line_fill(queue, &queue->transfers[i]);
    }
}

static int offer_find(const struct held_transfer *transfer, uint64_t id)
{
    for (int i = 0; i < HELD_OFFERS_MOST; i++)
        if (transfer->offers[i].id == id) return i;
    return -1;
}

bool held_transfer_has_offered(const struct queue *queue, uint64_t id)
{
    for (int i = 0; i < TRANSFERS; i++)
        if (offer_find(&queue->transfers[i], id) >= 0) return true;
    return false;
}

/* Offers */

/* The held recipients, as many as fit. */
static void offer_fill(struct queue *queue, const struct held_transfer *transfer,
                       const struct message *message, const struct envelope *envelope,
                       struct held_offer *offer)
{
    size_t room = FRAME_LIMIT - OFFER_ROOM;
    for (int i = 0; i < offer->edits_count; i++)
        room -= offer->edits[i].length < room ? offer->edits[i].length : room;
    uint32_t count = 0;
    for (uint32_t i = 0; i < message->recipient_count; i++) {
        const struct queued_recipient *recipient = &message->recipients[i];
        if (!is_movable(transfer, recipient)) continue;
        struct text reason = string_pool_text(queue->message_index->reasons, recipient->reason);
        size_t need = envelope->recipients[i].address.length + envelope->recipients[i].orcpt.length +
                      HELD_REASON_MOST + 32;
        if (need > room) break;
        room -= need;
        offer->envelope.recipients[count] = envelope->recipients[i];
        offer->recipients[count++] = (struct held_recipient){ i, recipient->hold, recipient->edits, reason };
    }
    offer->envelope.recipient_count = count;
}

static int segment_open(struct queue *queue, uint32_t segment)
{
    char path[64];
    snprintf(path, sizeof path, "%08u.seg", segment);
    int fd = openat(queue->journal_folder, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) log_error("segment %s cannot be opened for its taker: %s", path, strerror(errno));
    return fd;
}

static bool offer_make(struct queue *queue, const struct held_transfer *transfer, struct message *message,
                       struct held_offer *out)
{
    struct lead lead;
    struct envelope envelope;
    if (!queue_envelope(queue, message, &lead, &envelope)) return false;
    *out = (struct held_offer){ .id = message->id,
                                .arrived_ms = queue_shown(queue, message->arrived_ms),
                                .direction = message->direction,
                                .authenticated = (message->flags & MESSAGE_AUTHENTICATED) != 0,
                                .content = message->content,
                                .offset = message_content_offset(message),
                                .length = (uint64_t)message->prefix_length + message->body_length,
                                .prefix_length = message->prefix_length,
                                .edits_count = lead.edits_count,
                                .envelope = envelope };
    memcpy(out->edits, lead.edits, sizeof lead.edits);
    out->envelope.recipients =
        arena_alloc_array(queue->arena, message->recipient_count, sizeof *out->envelope.recipients);
    out->recipients = arena_alloc_array(queue->arena, message->recipient_count, sizeof *out->recipients);
    offer_fill(queue, transfer, message, &envelope, out);
    return out->envelope.recipient_count > 0;
}

/* What cannot be offered (a damaged record, no room in a frame) stays held in the journal. */
static void offer_send(struct queue *queue, struct held_transfer *transfer, struct message *message, int slot)
{
    struct held_offer offer;
    arena_reset(queue->arena);
    if (!offer_make(queue, transfer, message, &offer)) return;
    int fd = segment_open(queue, message->segment);
    if (fd < 0) { /* no descriptors left, perhaps */
        line_add(transfer, message->id);
        transfer->pause_until_ms = queue_now(queue) + NO_ROOM_WAIT_MS;
        return;
    }
    held_offer_put(&offer, channel_begin(transfer->taker, trades[transfer->kind].offer, message->id));
    channel_end_fds(transfer->taker, &fd, 1);
    transfer->offers[slot].id = message->id;
    transfer->offers[slot].segment = message->segment;
    journal_segment_use(queue->journal, message->segment, 1); /* it is not moved while it is read */
}

static void offer_some(struct queue *queue, struct held_transfer *transfer)
{
    uint64_t now = queue_now(queue);
    if (!transfer->taker || !transfer->count) return;
    size_t most = transfer->count < LOOKS_A_TURN ? transfer->count : LOOKS_A_TURN;
    for (size_t i = 0; i < most && now >= transfer->pause_until_ms; i++) {
        int slot = offer_find(transfer, 0);
        if (slot < 0) return;
        uint64_t id = line_take(transfer);
        struct message *message = message_index_find(queue->message_index, id);
        if (!message || !has_movable(transfer, message)) continue;
        bool is_early = (message->flags & MESSAGE_PENDING) || now < message->arrived_ms + TELL_FIRST_MS;
        if (is_early || offer_find(transfer, id) >= 0)
            line_add(transfer, id);
        else
            offer_send(queue, transfer, message, slot);
    }
}

void held_transfer_offer(struct queue *queue)
{
    for (int i = 0; i < TRANSFERS; i++) offer_some(queue, &queue->transfers[i]);
}

/* Answers */

static void offer_end(struct queue *queue, struct held_transfer *transfer, int slot)
{
    journal_segment_use(queue->journal, transfer->offers[slot].segment, -1);
    transfer->offers[slot].id = 0;
}

static void moved_log(struct queue *queue, const struct trade *trade, struct message *message,
                      const struct change *change)
{
    struct lead lead;
    struct envelope envelope;
    bool is_read = queue_envelope(queue, message, &lead, &envelope);
    for (uint32_t i = 0; i < change->count; i++) {
        uint32_t number = change->recipients[i].number;
        struct logged_delivery logged = { .address =
                                              is_read ? envelope.recipients[number].address : TEXT_NONE,
                                          .relay = trade->relay,
                                          .dsn = TEXT("2.0.0"),
                                          .status = trade->status,
                                          .reply = change->reply,
                                          .arrived_ms = message->arrived_ms };
        event_log_recipient(queue, message->id, &logged);
        event_log_ended(queue, message->id, number, trade->ending, change->dsn, change->relay, change->reply);
    }
}

/* What was released or removed meanwhile (after a restart of the taker) is not moved: ledger hears of its
 * ending. */
static bool taken(struct queue *queue, struct held_transfer *transfer, struct message *message,
                  struct reader *reader)
{
    const struct trade *trade = &trades[transfer->kind];
    uint32_t count = get_count(reader, ENVELOPE_RECIPIENTS_MOST, 4);
    struct changed_recipient *list = arena_alloc_array(queue->arena, count + 1, sizeof *list);
    struct change change = {
        .when_ms = queue_wall(queue), .recipients = list, .dsn = trade->dsn, .relay = trade->relay
    };
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = get_u32(reader);
        if (!message || reader->failed || number >= message->recipient_count) continue;
        const struct queued_recipient *recipient = &message->recipients[number];
        if (!is_movable(transfer, recipient)) continue;
        list[change.count++] = (struct changed_recipient){ number, (uint8_t)trade->ending, recipient->hold,
                                                           recipient->attempts };
    }
    change.reply = trade->reply.length ? trade->reply : get_text(reader);
    if (!reader_done(reader)) return false;
    if (!change.count) return true;
    moved_log(queue, trade, message, &change);
    journal_change(queue->journal, trade->record, message, &change);
    held_transfer_note(queue, message->id); /* what did not fit the offer */
    dispatch_settle(queue, message);
    turn_wanted_soon(queue);
    return true;
}

static void not_taken(struct queue *queue, struct held_transfer *transfer, uint64_t id,
                      enum held_refusal refusal, struct text why)
{
    char room[MESSAGE_ID_SIZE];
    if (refusal == HELD_LEFT) {
        log_of(LOG_LEVEL_WARNING, message_id_print(id, room), "%s: it stays in the journal: %.*s", room,
               TEXT_ARG(why));
        return;
    }
    held_transfer_note(queue, id);
    if (refusal == HELD_NOT_YET) return;
    transfer->pause_until_ms = queue_now(queue) + NO_ROOM_WAIT_MS;
    if (!transfer->is_refused)
        log_warning("%s stays in the journal: %.*s", trades[transfer->kind].stays, TEXT_ARG(why));
    transfer->is_refused = true;
}

static struct held_transfer *transfer_of(struct queue *queue, const struct receiver *receiver)
{
    if (receiver->flags == MESSAGE_AGAIN) return &queue->transfers[TRANSFER_LEDGER];
    return receiver->flags == MESSAGE_OWN ? &queue->transfers[TRANSFER_REPORT] : NULL;
}

/* Of a message that is not in the journal: none. */
static void live_tell(struct queue *queue, struct channel *ledger, uint64_t id)
{
    const struct message *message = message_index_find(queue->message_index, id);
    struct buffer *out = channel_begin(ledger, LEDGER_LIVE, id);
    uint32_t count = 0, total = message ? message->recipient_count : 0;
    for (uint32_t i = 0; i < total; i++) count += message->recipients[i].ending == ENDING_NONE;
    put_u32(out, count);
    for (uint32_t i = 0; i < total; i++)
        if (message->recipients[i].ending == ENDING_NONE) put_u32(out, i);
    channel_end(ledger);
}

bool held_transfer_frame(struct queue *queue, const struct receiver *receiver, struct frame *frame)
{
    struct held_transfer *transfer = transfer_of(queue, receiver);
    if (transfer && transfer->kind == TRANSFER_LEDGER && frame->type == LEDGER_WHOSE) {
        live_tell(queue, receiver->channel, frame->id);
        return true;
    }
    struct reader reader = reader_of(frame->payload);
    int slot = transfer && frame->id ? offer_find(transfer, frame->id) : -1;
    if (slot < 0 || transfer->taker != receiver->channel) return false;
    offer_end(queue, transfer, slot);
    arena_reset(queue->arena);
    if (frame->type == trades[transfer->kind].done) {
        transfer->is_refused = false;
        if (!taken(queue, transfer, message_index_find(queue->message_index, frame->id), &reader))
            return false;
        offer_some(queue, transfer);
        return true;
    }
    enum held_refusal refusal = get_u8(&reader);
    struct text why = get_text(&reader);
    if (!reader_done(&reader)) return false;
    not_taken(queue, transfer, frame->id, refusal, why);
    return true;
}

static void offers_back(struct queue *queue, struct held_transfer *transfer)
{
    transfer->taker = NULL;
    for (int i = 0; i < HELD_OFFERS_MOST; i++)
        if (transfer->offers[i].id) offer_end(queue, transfer, i);
}

void held_transfer_taker_gone(struct queue *queue, const struct receiver *receiver)
{
    struct held_transfer *transfer = transfer_of(queue, receiver);
    if (transfer && transfer->taker == receiver->channel) offers_back(queue, transfer);
}

void held_transfer_set_taker(struct queue *queue, const struct receiver *receiver)
{
    struct held_transfer *transfer = transfer_of(queue, receiver);
    if (!transfer) return;
    offers_back(queue, transfer);
    transfer->taker = receiver->channel;
    transfer->pause_until_ms = 0;
    line_fill(queue, transfer);
}
