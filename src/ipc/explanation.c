/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "ipc/explanation.h"

#include <math.h>

#include "base/arena.h"

enum {
    FORM_VERSION = 2, /* the first has no recipients; it is read */
    TEXT_MOST = 80,
    FINDINGS_MOST = 160,
    DOMAIN_MOST = 80,
    TENTHS_MOST = 32000,
    LINE_NEVER = UINT16_MAX,
    EVIDENCE_MOST = 6 * 1024
};

/* --- from a verdict --- */

static void action_count(struct explanation *explanation, const struct recipient_verdict *recipient)
{
    struct explanation_action *actions = explanation->actions;
    uint32_t i = 0;
    while (i < explanation->action_count &&
           (actions[i].action != recipient->action || actions[i].observed != recipient->observed))
        i++;
    if (i == EXPLANATION_ACTIONS_MOST) return;
    if (i == explanation->action_count)
        actions[explanation->action_count++] =
            (struct explanation_action){ recipient->action, recipient->observed, 0 };
    actions[i].count++;
}

/* The least that one of the kept signals weighs: of more than find room the lightest are left out. */
static bool is_among_heaviest(const struct verdict *verdict, uint32_t number)
{
    double weight = fabs(verdict->signals[number].points);
    uint32_t before = 0;
    for (uint32_t i = 0; i < verdict->signal_count; i++) {
        double other = fabs(verdict->signals[i].points);
        before += other > weight || (other == weight && i < number);
    }
    return before < EXPLANATION_SIGNALS_MOST;
}

/* Of too many none: there is no room for all. */
static void recipients_take(struct explanation *explanation, const struct verdict *verdict)
{
    if (verdict->recipient_count > EXPLANATION_RECIPIENTS_MOST) return;
    explanation->recipient_count = verdict->recipient_count;
    for (uint32_t i = 0; i < verdict->recipient_count; i++)
        explanation->recipients[i] =
            (struct explanation_recipient){ .action = verdict->recipients[i].action,
                                            .observed = verdict->recipients[i].observed,
                                            .cause = verdict->recipients[i].cause,
                                            .tag = INFINITY,
                                            .quarantine = INFINITY,
                                            .reject = INFINITY };
}

void explanation_verdict(struct explanation *explanation, const struct verdict *verdict)
{
    bool has_room = verdict->signal_count <= EXPLANATION_SIGNALS_MOST;
    explanation->score = verdict->score;
    explanation->code = verdict->code;
    explanation->direction = verdict->direction;
    explanation->tenancy = verdict->tenancy;
    explanation->proof = verdict->proof;
    for (uint32_t i = 0; i < verdict->recipient_count; i++)
        action_count(explanation, &verdict->recipients[i]);
    recipients_take(explanation, verdict);
    for (uint32_t i = 0; i < verdict->signal_count; i++) {
        const struct signal *signal = &verdict->signals[i];
        if (!isfinite(signal->points) || (!has_room && !is_among_heaviest(verdict, i)))
            explanation->signals_left_out++;
        else
            explanation->signals[explanation->signal_count++] =
                (struct event_signal){ signal->name, signal->points };
    }
}

/* --- evidence --- */

/* Of a signal its name and points; what it is about may be out of the mail, and rules and tables say what a
   name means. */
static struct signal *signals_bare(struct arena *arena, const struct facts *facts)
{
    struct signal *bare = arena_alloc_array(arena, facts->signal_count + 1, sizeof *bare);
    for (uint32_t i = 0; i < facts->signal_count; i++)
        bare[i] = (struct signal){ facts->signals[i].name, facts->signals[i].points, TEXT_NONE };
    return bare;
}

static struct virus_finding *findings_bare(struct arena *arena, const struct facts *facts)
{
    struct virus_finding *bare = arena_alloc_array(arena, facts->virus_finding_count + 1, sizeof *bare);
    for (uint32_t i = 0; i < facts->virus_finding_count; i++) {
        bare[i] = facts->virus_findings[i];
        bare[i].part = TEXT_NONE;
    }
    return bare;
}

/* Questions of facts are asked before decide, edits and seals are made of the message itself. */
static struct facts facts_bare(struct arena *arena, const struct facts *facts)
{
    struct facts bare = *facts;
    bare.subject = bare.message_id = bare.from = bare.seal_basis = bare.lesson = TEXT_NONE;
    bare.part_digest_count = bare.question_count = bare.edit_count = 0;
    bare.signals = signals_bare(arena, facts);
    bare.virus_findings = findings_bare(arena, facts);
    return bare;
}

/* Who the sender wrote to is asked, and plays no part in deciding. */
static struct question *answers_bare(struct arena *arena, const struct explanation_evidence *evidence)
{
    struct question *bare = arena_alloc_array(arena, evidence->answer_count + 1, sizeof *bare);
    for (uint32_t i = 0; i < evidence->answer_count; i++) {
        bare[i] = evidence->answers[i];
        if (bare[i].kind == QUESTION_HISTORY) bare[i].subject = TEXT_NONE;
    }
    return bare;
}

bool explanation_evidence_put(const struct explanation_evidence *evidence, struct buffer *out)
{
    size_t start = buffer_length(out);
    if (evidence->occasion.recipient_count > EXPLANATION_RECIPIENTS_MOST) return false;
    struct arena *arena = arena_new(4096);
    struct facts bare = facts_bare(arena, &evidence->facts);
    occasion_put(&evidence->occasion, out);
    facts_put(&bare, out);
    questions_put(answers_bare(arena, evidence), evidence->answer_count, out);
    arena_free(arena);
    if (buffer_length(out) - start <= EVIDENCE_MOST) return true;
    buffer_truncate(out, start);
    return false;
}

bool explanation_evidence_get(struct arena *arena, const struct explanation *explanation,
                              struct explanation_evidence *out)
{
    struct reader reader = reader_of(explanation->evidence);
    struct question *answers;
    if (explanation->evidence_version != EVIDENCE_VERSION) return false;
    bool is_good = occasion_get(arena, &reader, &out->occasion) && facts_get(arena, &reader, &out->facts) &&
                   questions_get(arena, &reader, &answers, &out->answer_count) && reader_done(&reader);
    if (is_good) out->answers = answers;
    return is_good;
}

/* --- the record --- */

static void cut_put(struct buffer *out, struct text text, size_t most)
{
    text = text_slice(text, 0, most);
    put_u8(out, (uint8_t)text.length);
    buffer_add_text(out, text);
}

static struct text cut_get(struct reader *reader, size_t most)
{
    size_t length = get_u8(reader);
    if (length > most || length > reader->rest.length) reader->failed = true;
    if (reader->failed) return TEXT_NONE;
    struct text text = text_slice(reader->rest, 0, length);
    reader->rest = text_slice(reader->rest, length, reader->rest.length);
    return text;
}

/* Domains of strangers are cut, so that a head has its bound. */
static struct proof proof_cut(const struct proof *proof)
{
    struct proof cut = *proof;
    struct text *texts[] = { &cut.author,    &cut.spf_domain, &cut.dkim_domain,
                             &cut.excuse_of, &cut.list,       &cut.list_domain };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = text_slice(*texts[i], 0, DOMAIN_MOST);
    return cut;
}

static void head_put(const struct explanation *explanation, struct buffer *out)
{
    struct proof proof = proof_cut(&explanation->proof);
    put_u8(out, FORM_VERSION);
    put_u64(out, explanation->id);
    put_u64(out, explanation->time_ms);
    put_u8(out, (uint8_t)explanation->direction);
    put_u8(out, (uint8_t)explanation->class);
    put_double(out, explanation->score);
    put_double(out, explanation->tag);
    put_double(out, explanation->quarantine);
    put_double(out, explanation->reject);
    put_u16(out, explanation->code);
    put_u8(out, (uint8_t)explanation->virus);
    put_u8(out, explanation->is_ambiguous);
    put_u8(out, (uint8_t)explanation->tenancy);
    cut_put(out, explanation->virus_name, TEXT_MOST);
    cut_put(out, explanation->engine, TEXT_MOST);
    cut_put(out, explanation->findings, FINDINGS_MOST);
    proof_put(&proof, out);
}

static int16_t tenths_of(double points)
{
    double tenths = points * 10 + (points < 0 ? -0.5 : 0.5);
    if (tenths > TENTHS_MOST) tenths = TENTHS_MOST;
    return (int16_t)(tenths < -TENTHS_MOST ? -TENTHS_MOST : tenths);
}

static void lists_put(const struct explanation *explanation, struct buffer *out)
{
    put_u8(out, (uint8_t)explanation->action_count);
    for (uint32_t i = 0; i < explanation->action_count; i++) {
        put_u8(out, (uint8_t)explanation->actions[i].action);
        put_u8(out, (uint8_t)explanation->actions[i].observed);
        put_u16(out, (uint16_t)explanation->actions[i].count);
    }
    put_u8(out, (uint8_t)explanation->signal_count);
    put_u16(out, (uint16_t)explanation->signals_left_out);
    for (uint32_t i = 0; i < explanation->signal_count; i++) {
        cut_put(out, explanation->signals[i].name, EXPLANATION_NAME_MOST);
        put_u16(out, (uint16_t)tenths_of(explanation->signals[i].points));
    }
}

/* A line in tenths; LINE_NEVER: never. */
static uint16_t line_of(double points)
{
    return isinf(points) || points > TENTHS_MOST / 10.0 ? LINE_NEVER : (uint16_t)tenths_of(points);
}

static void recipients_put(const struct explanation *explanation, struct buffer *out)
{
    put_u8(out, (uint8_t)explanation->recipient_count);
    for (uint32_t i = 0; i < explanation->recipient_count; i++) {
        const struct explanation_recipient *one = &explanation->recipients[i];
        put_u8(out, (uint8_t)(one->action << 4 | one->observed));
        put_u8(out, (uint8_t)one->cause);
        put_u16(out, line_of(one->tag));
        put_u16(out, line_of(one->quarantine));
        put_u16(out, line_of(one->reject));
    }
}

void explanation_put(const struct explanation *explanation, struct buffer *out)
{
    size_t start = buffer_length(out);
    head_put(explanation, out);
    lists_put(explanation, out);
    recipients_put(explanation, out);
    size_t room = EXPLANATION_MOST - (buffer_length(out) - start);
    bool has_room = explanation->evidence.length + 2 + 4 <= room;
    put_u16(out, has_room ? explanation->evidence_version : 0);
    put_text(out, has_room ? explanation->evidence : TEXT_NONE);
}

static void head_get(struct reader *reader, struct explanation *out)
{
    out->id = get_u64(reader);
    out->time_ms = get_u64(reader);
    out->direction = get_u8(reader);
    out->class = get_u8(reader);
    out->score = get_double(reader);
    out->tag = get_double(reader);
    out->quarantine = get_double(reader);
    out->reject = get_double(reader);
    out->code = get_u16(reader);
    out->virus = get_u8(reader);
    out->is_ambiguous = get_u8(reader) != 0;
    out->tenancy = get_u8(reader);
    out->virus_name = cut_get(reader, TEXT_MOST);
    out->engine = cut_get(reader, TEXT_MOST);
    out->findings = cut_get(reader, FINDINGS_MOST);
    proof_get(reader, &out->proof);
    bool is_number =
        isfinite(out->score) && !isnan(out->tag) && !isnan(out->quarantine) && !isnan(out->reject);
    if (!is_number || out->direction > DIRECTION_OUT || (unsigned)out->class >= CLASS_COUNT ||
        (unsigned)out->virus >= SCAN_STATE_COUNT || (unsigned)out->tenancy >= TENANCY_COUNT)
        reader->failed = true;
}

static void actions_get(struct reader *reader, struct explanation *out)
{
    out->action_count = get_u8(reader);
    if (out->action_count > EXPLANATION_ACTIONS_MOST) reader->failed = true;
    for (uint32_t i = 0; i < out->action_count && !reader->failed; i++) {
        out->actions[i].action = get_u8(reader);
        out->actions[i].observed = get_u8(reader);
        out->actions[i].count = get_u16(reader);
        if (out->actions[i].action > ACTION_DEFER || out->actions[i].observed > ACTION_DEFER)
            reader->failed = true;
    }
}

static void signals_get(struct reader *reader, struct explanation *out)
{
    out->signal_count = get_u8(reader);
    out->signals_left_out = get_u16(reader);
    if (out->signal_count > EXPLANATION_SIGNALS_MOST) reader->failed = true;
    for (uint32_t i = 0; i < out->signal_count && !reader->failed; i++) {
        out->signals[i].name = cut_get(reader, EXPLANATION_NAME_MOST);
        out->signals[i].points = (int16_t)get_u16(reader) / 10.0;
    }
}

static float line_get(struct reader *reader)
{
    uint16_t tenths = get_u16(reader);
    return tenths == LINE_NEVER ? INFINITY : (float)tenths / 10;
}

static void recipients_get(struct reader *reader, struct explanation *out)
{
    out->recipient_count = get_u8(reader);
    if (out->recipient_count > EXPLANATION_RECIPIENTS_MOST) reader->failed = true;
    for (uint32_t i = 0; i < out->recipient_count && !reader->failed; i++) {
        struct explanation_recipient *one = &out->recipients[i];
        uint8_t both = get_u8(reader);
        one->action = both >> 4;
        one->observed = both & 15;
        one->cause = get_u8(reader);
        one->tag = line_get(reader);
        one->quarantine = line_get(reader);
        one->reject = line_get(reader);
        if (one->action > ACTION_DEFER || one->observed > ACTION_DEFER || one->cause >= RECIPIENT_CAUSE_COUNT)
            reader->failed = true;
    }
}

bool explanation_get(struct text record, struct explanation *out)
{
    struct reader reader = reader_of(record);
    *out = (struct explanation){ 0 };
    uint8_t version = get_u8(&reader);
    if (record.length > EXPLANATION_MOST || version < 1 || version > FORM_VERSION) return false;
    head_get(&reader, out);
    actions_get(&reader, out);
    signals_get(&reader, out);
    if (version > 1) recipients_get(&reader, out);
    out->evidence_version = get_u16(&reader);
    out->evidence = get_text(&reader);
    bool is_paired = (out->evidence_version == 0) == (out->evidence.length == 0);
    return reader_done(&reader) && is_paired && out->evidence.length <= EVIDENCE_MOST;
}

void explanation_event_put(struct text record, struct buffer *out)
{
    put_u8(out, EVENT_EXPLAINED);
    buffer_add_text(out, record);
}

bool explanation_event_get(struct text event, struct text *out_record)
{
    *out_record = text_slice(event, 1, event.length);
    return event_kind_of(event) == EVENT_EXPLAINED && out_record->length > 0 &&
           out_record->length <= EXPLANATION_MOST;
}
