/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Byte forms of events. Texts are cut to fit a ring record; numbers never are. */
#include "ipc/event.h"

#include "base/arena.h"
#include "ipc/ring.h"

enum {
    TEXT_LIMIT = 320,
    ADDRESS_LIMIT = 2048, /* as long as a command line */
    REPLY_LIMIT = 500,
    NAME_LIMIT = 100,    /* a virus, an engine, a rule */
    KINDS_LIMIT = 120,   /* ten names */
    SUBJECT_LIMIT = 256, /* also From and Message-ID */
    SIGNALS_LIMIT = 800, /* bytes of all signals */
    SIGNALS_MOST = 100,
    RECIPIENT_BYTES = 7 /* beside its address */
};

const char *ending_name(enum ending ending)
{
    static const char *const names[ENDING_COUNT] = { "none",      "delivered", "returned",
                                                     "discarded", "removed",   "quarantined" };
    if (ending == ENDING_RELAYED) return "relayed";
    return (unsigned)ending < ENDING_COUNT ? names[ending] : "unknown";
}

static bool name_find(const char *const *names, int count, struct text name, int *out)
{
    for (int i = 0; i < count; i++)
        if (names[i] && text_equal(name, text_of(names[i]))) {
            *out = i;
            return true;
        }
    return false;
}

static const char *const classes[CLASS_COUNT] = { "none",       "virus",     "phishing",   "spam",
                                                  "policy",     "encrypted", "poison",     "unscanned",
                                                  "limits",     "ambiguous", "greylisted", "newsletter",
                                                  "not-opened", "pua" };

const char *class_name(enum message_class class)
{
    return (unsigned)class < CLASS_COUNT ? classes[class] : "unknown";
}

bool class_from_name(struct text name, enum message_class *out)
{
    int at;
    if (!name_find(classes, CLASS_COUNT, name, &at)) return false;
    *out = (enum message_class)at;
    return true;
}

enum message_class class_of_virus(enum virus_class class)
{
    static const enum message_class found[VIRUS_CLASS_COUNT] = {
        [VIRUS_CLASS_VIRUS] = CLASS_VIRUS,         [VIRUS_CLASS_PHISHING] = CLASS_PHISHING,
        [VIRUS_CLASS_SPAM] = CLASS_SPAM,           [VIRUS_CLASS_PUA] = CLASS_PUA,
        [VIRUS_CLASS_ENCRYPTED] = CLASS_ENCRYPTED, [VIRUS_CLASS_NOT_OPENED] = CLASS_NOT_OPENED,
        [VIRUS_CLASS_LIMITS] = CLASS_LIMITS
    };
    return found[class];
}

const char *stage_name(enum event_stage stage)
{
    static const char *const names[STAGE_COUNT] = { "unknown", "CONNECT", "MAIL", "RCPT", "END-OF-MESSAGE" };
    return (unsigned)stage < STAGE_COUNT ? names[stage] : "unknown";
}

const char *step_name(enum step_kind kind)
{
    static const char *const names[STEP_KIND_COUNT] = { "unknown",  "deferred", "held", "expired",
                                                        "released", "deleted",  "aged" };
    return (unsigned)kind < STEP_KIND_COUNT ? names[kind] : "unknown";
}

static void put_cut(struct buffer *out, struct text text, size_t limit)
{
    put_text(out, text_slice(text, 0, limit));
}

static void put_address(struct buffer *out, const struct address *address)
{
    buffer_add(out, address->bytes, sizeof address->bytes);
}

static struct address get_address(struct reader *reader)
{
    struct address address;
    get_bytes(reader, address.bytes, sizeof address.bytes);
    return address;
}

static void put_signals(struct buffer *out, const struct event_judgement *judgement)
{
    size_t used = 0;
    uint32_t count = 0;
    while (count < judgement->signal_count && count < SIGNALS_MOST) {
        struct text name = text_slice(judgement->signals[count].name, 0, NAME_LIMIT);
        if (used + name.length + 8 > SIGNALS_LIMIT) break;
        used += name.length + 8;
        count++;
    }
    put_u32(out, count);
    for (uint32_t i = 0; i < count; i++) {
        put_cut(out, judgement->signals[i].name, NAME_LIMIT);
        put_double(out, judgement->signals[i].points);
    }
}

/* What older versions wrote is one of the first three, or has a proof. */
enum judged_form {
    JUDGED_NOT,
    JUDGED_BRIEFLY,
    JUDGED_WHOLE,
    JUDGED_WITH_PROOF,
    JUDGED_WITH_PARTS, /* u8 whether a proof follows, the proof, parts */
    JUDGED_WITH_KINDS, /* as that, and before the parts kinds of files that were not opened */
    JUDGED_FORMS
};

/* A record that is being written: where it begins, and what is to find room behind the judgement. */
struct record {
    struct buffer *out;
    size_t start, after;
};

/* All or none of them: a name that was cut would be another. */
static void put_kinds(const struct record *record, struct text kinds)
{
    size_t used = buffer_length(record->out) - record->start + record->after + 4 + 4;
    bool has_room = kinds.length <= KINDS_LIMIT && used + kinds.length <= RING_RECORD_LIMIT;
    put_text(record->out, has_room ? kinds : TEXT_NONE);
}

static void put_parts(const struct record *record, const struct event_judgement *judgement)
{
    size_t used = buffer_length(record->out) - record->start + record->after + 4;
    size_t room = used < RING_RECORD_LIMIT ? (RING_RECORD_LIMIT - used) / (1 + PART_DIGEST_BYTES) : 0;
    part_digests_put(judgement->parts, judgement->part_count < room ? judgement->part_count : (uint32_t)room,
                     record->out);
}

static void put_judgement(const struct record *record, const struct event_judgement *judgement, bool is_whole)
{
    struct buffer *out = record->out;
    bool has_kinds = is_whole && judgement->not_opened.length > 0;
    bool has_parts = is_whole && (judgement->part_count > 0 || has_kinds);
    bool has_proof = is_whole && judgement->proof.is_made;
    put_u8(out, (uint8_t)(!judgement->is_judged ? JUDGED_NOT
                          : has_kinds           ? JUDGED_WITH_KINDS
                          : has_parts           ? JUDGED_WITH_PARTS
                          : has_proof           ? JUDGED_WITH_PROOF
                          : is_whole            ? JUDGED_WHOLE
                                                : JUDGED_BRIEFLY));
    if (!judgement->is_judged) return;
    put_u8(out, (uint8_t)judgement->class);
    put_cut(out, judgement->virus, NAME_LIMIT);
    if (!is_whole) return;
    put_double(out, judgement->score);
    put_cut(out, judgement->engine, NAME_LIMIT);
    put_cut(out, judgement->subject, SUBJECT_LIMIT);
    put_cut(out, judgement->message_id, SUBJECT_LIMIT);
    put_cut(out, judgement->author, SUBJECT_LIMIT);
    put_signals(out, judgement);
    if (has_parts) put_u8(out, has_proof);
    if (has_proof) proof_put(&judgement->proof, out);
    if (has_kinds) put_kinds(record, judgement->not_opened);
    if (has_parts) put_parts(record, judgement);
}

static void get_judgement(struct arena *arena, struct reader *reader, struct event_judgement *out)
{
    uint8_t form = get_u8(reader);
    *out = (struct event_judgement){ .is_judged = form != 0 };
    if (form >= JUDGED_FORMS) reader->failed = true;
    if (form == JUDGED_NOT || reader->failed) return;
    out->class = get_u8(reader);
    if ((unsigned)out->class >= CLASS_COUNT) reader->failed = true;
    out->virus = get_text(reader);
    if (form < JUDGED_WHOLE) return;
    out->score = get_double(reader);
    out->engine = get_text(reader);
    out->subject = get_text(reader);
    out->message_id = get_text(reader);
    out->author = get_text(reader);
    out->signal_count = get_count(reader, SIGNALS_MOST, 12);
    struct event_signal *signals = arena_alloc_array(arena, out->signal_count, sizeof *signals);
    for (uint32_t i = 0; i < out->signal_count; i++) {
        signals[i].name = get_text(reader);
        signals[i].points = get_double(reader);
    }
    out->signals = signals;
    bool has_proof = form == JUDGED_WITH_PROOF || (form >= JUDGED_WITH_PARTS && get_u8(reader) != 0);
    if (has_proof) proof_get(reader, &out->proof);
    if (form == JUDGED_WITH_KINDS) out->not_opened = get_text(reader);
    if (form >= JUDGED_WITH_PARTS) out->parts = part_digests_get(arena, reader, &out->part_count);
}

/* For one more recipient in the record that begins at `start`. */
static bool has_room(const struct buffer *out, size_t start, struct text address)
{
    size_t length = address.length < ADDRESS_LIMIT ? address.length : ADDRESS_LIMIT;
    return buffer_length(out) - start + length + RECIPIENT_BYTES <= RING_RECORD_LIMIT;
}

static void put_recipient(struct buffer *out, const struct event_recipient *recipient)
{
    put_cut(out, recipient->address, ADDRESS_LIMIT);
    put_u8(out, recipient->action);
    put_u8(out, recipient->observed);
    put_u8(out, recipient->hold);
}

uint32_t event_accepted_put(const struct event_accepted *event, uint32_t first, struct buffer *out)
{
    size_t start = buffer_length(out);
    put_u8(out, EVENT_ACCEPTED);
    put_u64(out, event->id);
    put_u64(out, event->time_ms);
    put_u64(out, event->size);
    put_u8(out, event->direction);
    put_u8(out, event->is_own);
    put_address(out, &event->client);
    put_cut(out, event->helo, TEXT_LIMIT);
    put_cut(out, event->sender, ADDRESS_LIMIT);
    const struct record record = { out, start, 4 + 4 + ADDRESS_LIMIT + RECIPIENT_BYTES };
    put_judgement(&record, &event->judgement, first == 0);
    put_u32(out, first);
    size_t count_at = buffer_length(out);
    put_u32(out, 0);
    uint32_t count = 0;
    for (; first + count < event->recipient_count; count++) {
        const struct event_recipient *recipient = &event->recipients[first + count];
        if (!has_room(out, start, recipient->address)) break;
        put_recipient(out, recipient);
    }
    uint32_t stored = htole32(count);
    memcpy(out->memory + out->start + count_at, &stored, sizeof stored);
    return count;
}

uint32_t event_relayed_put(const struct event_relayed *event, uint32_t first, struct buffer *out)
{
    size_t start = buffer_length(out);
    uint32_t count = 0;
    put_u8(out, EVENT_RELAYED);
    put_u64(out, event->id);
    put_u64(out, event->time_ms);
    put_u64(out, event->size);
    put_u8(out, event->direction);
    put_address(out, &event->client);
    put_cut(out, event->helo, TEXT_LIMIT);
    put_cut(out, event->sender, ADDRESS_LIMIT);
    put_cut(out, event->dsn, TEXT_LIMIT);
    put_cut(out, event->relay, TEXT_LIMIT);
    put_cut(out, event->reply, REPLY_LIMIT);
    put_u32(out, first);
    size_t count_at = buffer_length(out);
    put_u32(out, 0);
    for (; first + count < event->recipient_count; count++) {
        if (!has_room(out, start, event->recipients[first + count])) break;
        put_cut(out, event->recipients[first + count], ADDRESS_LIMIT);
    }
    uint32_t stored = htole32(count);
    memcpy(out->memory + out->start + count_at, &stored, sizeof stored);
    return count;
}

void event_ended_put(const struct event_ended *event, struct buffer *out)
{
    put_u8(out, EVENT_ENDED);
    put_u64(out, event->id);
    put_u64(out, event->time_ms);
    put_u32(out, event->recipient);
    put_u8(out, (uint8_t)event->ending);
    put_cut(out, event->dsn, TEXT_LIMIT);
    put_cut(out, event->relay, TEXT_LIMIT);
    put_cut(out, event->reply, REPLY_LIMIT);
}

void event_refused_put(const struct event_refused *event, struct buffer *out)
{
    const struct record record = { out, buffer_length(out), 4 + 4 + 4 + NAME_LIMIT };
    put_u8(out, EVENT_REFUSED);
    put_u64(out, event->time_ms);
    put_u64(out, event->id);
    put_u64(out, event->serial);
    put_u16(out, event->code);
    put_u8(out, event->stage);
    put_u8(out, event->direction);
    put_u8(out, event->is_message);
    put_u32(out, event->number);
    put_u64(out, event->size);
    put_address(out, &event->client);
    put_cut(out, event->helo, TEXT_LIMIT);
    put_cut(out, event->sender, ADDRESS_LIMIT);
    put_cut(out, event->recipient, ADDRESS_LIMIT);
    put_cut(out, event->reply, REPLY_LIMIT);
    put_judgement(&record, &event->judgement, event->is_message);
    if (event->count <= 1 && event->cause.length == 0) return; /* as all versions write it */
    put_u32(out, event->count ? event->count : 1);
    put_u32(out, event->messages);
    if (event->cause.length > 0) put_cut(out, event->cause, NAME_LIMIT);
}

void event_step_put(const struct event_step *event, struct buffer *out)
{
    put_u8(out, EVENT_STEP);
    put_u64(out, event->id);
    put_u64(out, event->time_ms);
    put_u32(out, event->recipient);
    put_u8(out, (uint8_t)event->kind);
    put_u8(out, event->hold);
    put_u64(out, event->due_ms);
    put_cut(out, event->dsn, TEXT_LIMIT);
    put_cut(out, event->relay, TEXT_LIMIT);
    put_cut(out, event->reply, REPLY_LIMIT);
}

void event_audit_put(const struct event_audit *event, struct buffer *out)
{
    put_u8(out, EVENT_AUDIT);
    put_u64(out, event->time_ms);
    put_u64(out, event->id);
    put_u64(out, event->serial);
    put_u32(out, event->uid);
    put_cut(out, event->user, TEXT_LIMIT);
    put_cut(out, event->process, TEXT_LIMIT);
    put_cut(out, event->act, TEXT_LIMIT);
    put_cut(out, event->about, REPLY_LIMIT);
}

void event_missed_put(const struct event_missed *event, struct buffer *out)
{
    put_u8(out, EVENT_MISSED);
    put_u64(out, event->time_ms);
    put_u64(out, event->digest);
    put_cut(out, event->kind, TEXT_LIMIT);
    if (event->part_count) part_digests_put(event->parts, event->part_count, out);
}

void event_lost_put(const struct event_lost *event, struct buffer *out)
{
    put_u8(out, EVENT_LOST);
    put_u64(out, event->time_ms);
    put_u32(out, event->events);
    if (event->refusals) put_u32(out, event->refusals);
}

struct event_found event_found_of(uint64_t id, uint64_t time_ms, bool is_queued, const struct facts *facts)
{
    const struct virus_finding *finding = &facts->virus_findings[0];
    return (struct event_found){ .id = id,
                                 .time_ms = time_ms,
                                 .class = class_of_virus(finding->class),
                                 .is_queued = is_queued,
                                 .virus = finding->name,
                                 .engine = facts->engine,
                                 .part = finding->part,
                                 .part_count = facts->part_digest_count,
                                 .parts = facts->part_digests };
}

void event_found_put(const struct event_found *event, struct buffer *out)
{
    put_u8(out, EVENT_FOUND);
    put_u64(out, event->id);
    put_u64(out, event->time_ms);
    put_u8(out, (uint8_t)event->class);
    put_u8(out, event->is_queued);
    put_cut(out, event->virus, NAME_LIMIT);
    put_cut(out, event->engine, NAME_LIMIT);
    put_cut(out, event->part, TEXT_LIMIT);
    part_digests_put(event->parts, event->part_count, out);
}

enum event_kind event_kind_of(struct text record)
{
    uint8_t kind = record.length ? (uint8_t)record.at[0] : 0;
    return kind < EVENT_KIND_COUNT ? (enum event_kind)kind : 0;
}

static struct reader body_of(struct text record)
{
    return reader_of(text_slice(record, 1, record.length));
}

bool event_accepted_get(struct arena *arena, struct text record, struct event_accepted *out,
                        uint32_t *out_first)
{
    struct reader reader = body_of(record);
    out->id = get_u64(&reader);
    out->time_ms = get_u64(&reader);
    out->size = get_u64(&reader);
    out->direction = get_u8(&reader);
    out->is_own = get_u8(&reader);
    out->client = get_address(&reader);
    out->helo = get_text(&reader);
    out->sender = get_text(&reader);
    get_judgement(arena, &reader, &out->judgement);
    *out_first = get_u32(&reader);
    out->recipient_count = get_count(&reader, RING_RECORD_LIMIT, 7);
    struct event_recipient *recipients = arena_alloc_array(arena, out->recipient_count, sizeof *recipients);
    for (uint32_t i = 0; i < out->recipient_count; i++) {
        recipients[i].address = get_text(&reader);
        recipients[i].action = get_u8(&reader);
        recipients[i].observed = get_u8(&reader);
        recipients[i].hold = get_u8(&reader);
    }
    out->recipients = recipients;
    return reader_done(&reader);
}

bool event_relayed_get(struct arena *arena, struct text record, struct event_relayed *out,
                       uint32_t *out_first)
{
    struct reader reader = body_of(record);
    out->id = get_u64(&reader);
    out->time_ms = get_u64(&reader);
    out->size = get_u64(&reader);
    out->direction = get_u8(&reader);
    out->client = get_address(&reader);
    out->helo = get_text(&reader);
    out->sender = get_text(&reader);
    out->dsn = get_text(&reader);
    out->relay = get_text(&reader);
    out->reply = get_text(&reader);
    *out_first = get_u32(&reader);
    out->recipient_count = get_count(&reader, RING_RECORD_LIMIT, 4);
    struct text *recipients = arena_alloc_array(arena, out->recipient_count, sizeof *recipients);
    for (uint32_t i = 0; i < out->recipient_count; i++) recipients[i] = get_text(&reader);
    out->recipients = recipients;
    return reader_done(&reader);
}

bool event_ended_get(struct text record, struct event_ended *out)
{
    struct reader reader = body_of(record);
    out->id = get_u64(&reader);
    out->time_ms = get_u64(&reader);
    out->recipient = get_u32(&reader);
    out->ending = get_u8(&reader);
    out->dsn = get_text(&reader);
    out->relay = get_text(&reader);
    out->reply = get_text(&reader);
    return reader_done(&reader) && (unsigned)out->ending < ENDING_COUNT;
}

bool event_refused_get(struct arena *arena, struct text record, struct event_refused *out)
{
    struct reader reader = body_of(record);
    out->time_ms = get_u64(&reader);
    out->id = get_u64(&reader);
    out->serial = get_u64(&reader);
    out->code = get_u16(&reader);
    out->stage = get_u8(&reader);
    out->direction = get_u8(&reader);
    out->is_message = get_u8(&reader) != 0;
    out->number = get_u32(&reader);
    out->size = get_u64(&reader);
    out->client = get_address(&reader);
    out->helo = get_text(&reader);
    out->sender = get_text(&reader);
    out->recipient = get_text(&reader);
    out->reply = get_text(&reader);
    get_judgement(arena, &reader, &out->judgement);
    bool is_one = reader_done(&reader);
    out->count = is_one ? 1 : get_u32(&reader);
    out->messages = is_one ? 0 : get_u32(&reader);
    out->cause = is_one || reader_done(&reader) ? TEXT_NONE : get_text(&reader);
    return reader_done(&reader) && out->stage < STAGE_COUNT && out->count > 0;
}

bool event_step_get(struct text record, struct event_step *out)
{
    struct reader reader = body_of(record);
    out->id = get_u64(&reader);
    out->time_ms = get_u64(&reader);
    out->recipient = get_u32(&reader);
    out->kind = get_u8(&reader);
    out->hold = get_u8(&reader);
    out->due_ms = get_u64(&reader);
    out->dsn = get_text(&reader);
    out->relay = get_text(&reader);
    out->reply = get_text(&reader);
    return reader_done(&reader) && out->kind > 0 && (unsigned)out->kind < STEP_KIND_COUNT;
}

bool event_audit_get(struct text record, struct event_audit *out)
{
    struct reader reader = body_of(record);
    out->time_ms = get_u64(&reader);
    out->id = get_u64(&reader);
    out->serial = get_u64(&reader);
    out->uid = get_u32(&reader);
    out->user = get_text(&reader);
    out->process = get_text(&reader);
    out->act = get_text(&reader);
    out->about = get_text(&reader);
    return reader_done(&reader);
}

bool event_missed_get(struct arena *arena, struct text record, struct event_missed *out)
{
    struct reader reader = body_of(record);
    out->time_ms = get_u64(&reader);
    out->digest = get_u64(&reader);
    out->kind = get_text(&reader);
    out->part_count = 0;
    out->parts = NULL;
    if (!reader_done(&reader)) out->parts = part_digests_get(arena, &reader, &out->part_count);
    return reader_done(&reader);
}

bool event_lost_get(struct text record, struct event_lost *out)
{
    struct reader reader = body_of(record);
    out->time_ms = get_u64(&reader);
    out->events = get_u32(&reader);
    out->refusals = reader_done(&reader) ? 0 : get_u32(&reader);
    return reader_done(&reader);
}

bool event_found_get(struct arena *arena, struct text record, struct event_found *out)
{
    struct reader reader = body_of(record);
    out->id = get_u64(&reader);
    out->time_ms = get_u64(&reader);
    out->class = get_u8(&reader);
    out->is_queued = get_u8(&reader) != 0;
    out->virus = get_text(&reader);
    out->engine = get_text(&reader);
    out->part = get_text(&reader);
    out->parts = part_digests_get(arena, &reader, &out->part_count);
    return reader_done(&reader) && (out->class == CLASS_VIRUS || out->class == CLASS_PHISHING);
}
