/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One function a struct goes over its fields, writing or reading as the wire says, so that the two agree.
   Called by the report process and `sekimori trace`. */
#include "ledgerdb/search_wire.h"

#include "base/codec.h"

/* Octets of one with empty texts and lists. */
enum { HOP_LEAST = 20, STEP_LEAST = 44, RECIPIENT_LEAST = 76, HIT_LEAST = 151 };

struct wire {
    struct buffer *out;    /* writing; NULL: reading */
    struct reader *reader; /* reading */
    struct arena *arena;
};

/* --- fields --- */

static uint64_t number(struct wire *wire, uint64_t value)
{
    if (!wire->out) return get_u64(wire->reader);
    put_u64(wire->out, value);
    return value;
}

static void text(struct wire *wire, struct text *value)
{
    if (wire->out)
        put_text(wire->out, *value);
    else
        *value = get_text(wire->reader);
}

static void real(struct wire *wire, double *value)
{
    if (wire->out)
        put_double(wire->out, *value);
    else
        *value = get_double(wire->reader);
}

#define NUMBER(field) ((field) = (__typeof__(field))number(wire, (uint64_t)(field)))

/* A list of `count` items, for which there is room when it is read; each takes `least_bytes` at least. NULL:
   it is empty, or malformed. */
static void *list(struct wire *wire, void *items, size_t *count, size_t size, size_t least_bytes)
{
    if (wire->out) {
        put_u32(wire->out, (uint32_t)*count);
        return items;
    }
    *count = get_count(wire->reader, SEARCH_WIRE_MOST, least_bytes);
    return *count ? arena_alloc_array(wire->arena, *count, size) : NULL;
}

/* --- questions --- */

static void client(struct wire *wire, struct search_question *question)
{
    bool has_client = question->client;
    NUMBER(has_client);
    if (!has_client) return;
    struct network *network = arena_alloc(wire->arena, sizeof *network);
    if (wire->out) *network = *question->client;
    for (size_t i = 0; i < sizeof network->address.bytes; i++) NUMBER(network->address.bytes[i]);
    NUMBER(network->bits);
    question->client = network;
}

static void part(struct wire *wire, struct search_question *question)
{
    bool has_part = question->part;
    NUMBER(has_part);
    if (!has_part) return;
    uint8_t *bytes = arena_alloc(wire->arena, PART_DIGEST_BYTES);
    if (wire->out) memcpy(bytes, question->part, PART_DIGEST_BYTES);
    for (size_t i = 0; i < PART_DIGEST_BYTES; i++) NUMBER(bytes[i]);
    question->part = bytes;
}

static void question_pass(struct wire *wire, struct search_question *question)
{
    NUMBER(question->id);
    text(wire, &question->address);
    text(wire, &question->domain);
    text(wire, &question->from);
    text(wire, &question->to);
    text(wire, &question->message_id);
    text(wire, &question->subject);
    text(wire, &question->virus);
    part(wire, question);
    client(wire, question);
    NUMBER(question->from_ms);
    NUMBER(question->until_ms);
    NUMBER(question->status);
    NUMBER(question->class);
    NUMBER(question->most);
}

/* --- answers --- */

static void hops_pass(struct wire *wire, struct search_hop **hops, size_t *count)
{
    *hops = list(wire, *hops, count, sizeof **hops, HOP_LEAST);
    for (size_t i = 0; i < *count; i++) {
        NUMBER((*hops)[i].id);
        NUMBER((*hops)[i].node);
        text(wire, &(*hops)[i].node_name);
    }
}

static void step_pass(struct wire *wire, struct search_step *step)
{
    NUMBER(step->time_ms);
    NUMBER(step->due_ms);
    NUMBER(step->kind);
    NUMBER(step->hold);
    text(wire, &step->dsn);
    text(wire, &step->relay);
    text(wire, &step->reply);
}

static void recipient_pass(struct wire *wire, struct search_recipient *recipient)
{
    NUMBER(recipient->number);
    text(wire, &recipient->address);
    text(wire, &recipient->dsn);
    text(wire, &recipient->relay);
    text(wire, &recipient->reply);
    NUMBER(recipient->action);
    NUMBER(recipient->observed);
    NUMBER(recipient->hold);
    NUMBER(recipient->ending);
    NUMBER(recipient->accepted_ms);
    NUMBER(recipient->ended_ms);
    recipient->steps =
        list(wire, recipient->steps, &recipient->step_count, sizeof *recipient->steps, STEP_LEAST);
    for (size_t i = 0; i < recipient->step_count; i++) step_pass(wire, &recipient->steps[i]);
}

static void head_pass(struct wire *wire, struct search_hit *hit)
{
    NUMBER(hit->is_refusal);
    NUMBER(hit->id);
    NUMBER(hit->time_ms);
    NUMBER(hit->node);
    text(wire, &hit->node_name);
    NUMBER(hit->direction);
    NUMBER(hit->origin);
    text(wire, &hit->client);
    text(wire, &hit->helo);
    text(wire, &hit->sender);
    NUMBER(hit->size);
    NUMBER(hit->class);
    NUMBER(hit->is_judged);
    real(wire, &hit->score);
    text(wire, &hit->virus);
    text(wire, &hit->engine);
    text(wire, &hit->signals);
    text(wire, &hit->subject);
    text(wire, &hit->message_id);
    text(wire, &hit->author);
    NUMBER(hit->stage);
    NUMBER(hit->code);
    NUMBER(hit->count);
    text(wire, &hit->recipient);
    text(wire, &hit->reply);
}

static void proof_pass(struct wire *wire, struct proof *proof)
{
    if (wire->out)
        proof_put(proof, wire->out);
    else
        proof_get(wire->reader, proof);
}

static void hit_pass(struct wire *wire, struct search_hit *hit)
{
    head_pass(wire, hit);
    proof_pass(wire, &hit->proof);
    hops_pass(wire, &hit->came, &hit->came_count);
    hops_pass(wire, &hit->went, &hit->went_count);
    hops_pass(wire, &hit->releases, &hit->release_count);
    hops_pass(wire, &hit->originals, &hit->original_count);
    hit->recipients =
        list(wire, hit->recipients, &hit->recipient_count, sizeof *hit->recipients, RECIPIENT_LEAST);
    for (size_t i = 0; i < hit->recipient_count; i++) recipient_pass(wire, &hit->recipients[i]);
}

static void result_pass(struct wire *wire, struct search_result *result)
{
    NUMBER(result->is_cut);
    NUMBER(result->has_lone_character);
    NUMBER(result->complaint);
    result->hits = list(wire, result->hits, &result->count, sizeof *result->hits, HIT_LEAST);
    for (size_t i = 0; i < result->count; i++) hit_pass(wire, &result->hits[i]);
}

/* --- both --- */

void search_question_put(const struct search_question *question, struct buffer *out)
{
    struct arena *arena = arena_new(0);
    struct wire wire = { .out = out, .arena = arena };
    struct search_question copy = *question;
    question_pass(&wire, &copy);
    arena_free(arena);
}

bool search_question_get(struct text bytes, struct arena *arena, struct search_question *out)
{
    struct reader reader = reader_of(bytes);
    struct wire wire = { .reader = &reader, .arena = arena };
    *out = (struct search_question){ 0 };
    question_pass(&wire, out);
    bool is_network = !out->client || out->client->bits <= 128;
    return reader_done(&reader) && is_network && (unsigned)out->status < STATUS_COUNT && out->class >= -1 &&
           out->class < CLASS_COUNT && out->most > 0 && out->most <= SEARCH_WIRE_MOST;
}

void search_result_put(const struct search_result *result, struct buffer *out)
{
    struct wire wire = { .out = out };
    struct search_result copy = *result;
    result_pass(&wire, &copy);
}

bool search_result_get(struct text bytes, struct arena *arena, struct search_result *out)
{
    struct reader reader = reader_of(bytes);
    struct wire wire = { .reader = &reader, .arena = arena };
    *out = (struct search_result){ 0 };
    result_pass(&wire, out);
    return reader_done(&reader);
}
