/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Byte forms of facts, questions and verdicts. Readers check every count and every enum. */
#include "judge/evidence.h"

#include <math.h>

#include "base/codec.h"

enum { RECIPIENTS_MOST = 10000, SIGNALS_MOST = 1000 };

static void texts_put(const struct text *texts, uint32_t count, struct buffer *out)
{
    put_u32(out, count);
    for (uint32_t i = 0; i < count; i++) put_text(out, texts[i]);
}

const char *evidence_action_name(enum action action)
{
    static const char *const names[] = {
        [ACTION_ACCEPT] = "accept", [ACTION_TAG] = "tag",         [ACTION_QUARANTINE] = "quarantine",
        [ACTION_REJECT] = "reject", [ACTION_DISCARD] = "discard", [ACTION_DEFER] = "defer"
    };
    return (unsigned)action <= ACTION_DEFER ? names[action] : "unknown";
}

const char *evidence_virus_class_name(enum virus_class class)
{
    static const char *const names[VIRUS_CLASS_COUNT] = {
        [VIRUS_CLASS_VIRUS] = "virus",         [VIRUS_CLASS_PHISHING] = "phishing",
        [VIRUS_CLASS_SPAM] = "spam",           [VIRUS_CLASS_PUA] = "pua",
        [VIRUS_CLASS_ENCRYPTED] = "encrypted", [VIRUS_CLASS_NOT_OPENED] = "not-opened",
        [VIRUS_CLASS_LIMITS] = "limits"
    };
    return (unsigned)class < VIRUS_CLASS_COUNT ? names[class] : "unknown";
}

const char *evidence_tenancy_name(enum tenancy tenancy)
{
    static const char *const names[TENANCY_COUNT] = { [TENANCY_NOT_ASKED] = "not-asked",
                                                      [TENANCY_UNPROVEN] = "unproven",
                                                      [TENANCY_OPEN] = "open",
                                                      [TENANCY_UNREACHABLE] = "unreachable",
                                                      [TENANCY_CERTIFICATE] = "certificate",
                                                      [TENANCY_SIGNATURE] = "signature" };
    return (unsigned)tenancy < TENANCY_COUNT ? names[tenancy] : "unknown";
}

const char *evidence_edit_kind_name(enum edit_kind kind)
{
    static const char *const names[EDIT_KIND_COUNT] = { [EDIT_FORGED] = "forged",
                                                        [EDIT_TAG] = "tag",
                                                        [EDIT_WARNING] = "warning",
                                                        [EDIT_TAG_WARNING] = "tag-warning",
                                                        [EDIT_NEWSLETTER] = "newsletter",
                                                        [EDIT_NEWSLETTER_WARNING] = "newsletter-warning",
                                                        [EDIT_FLAG] = "flag",
                                                        [EDIT_OUTSIDE] = "outside",
                                                        [EDIT_STATUS] = "status" };
    return (unsigned)kind < EDIT_KIND_COUNT ? names[kind] : "unknown";
}

void occasion_put(const struct occasion *occasion, struct buffer *out)
{
    put_u64(out, occasion->id);
    put_u16(out, occasion->listener);
    put_u8(out, (uint8_t)occasion->direction);
    buffer_add(out, occasion->client.bytes, sizeof occasion->client.bytes);
    put_text(out, occasion->helo);
    put_text(out, occasion->sender);
    put_u8(out, occasion->smtputf8);
    put_u8(out, occasion->secure);
    put_u8(out, occasion->is_undecided);
    put_text(out, occasion->certificate);
    put_u8(out, occasion->has_harvested);
    texts_put(occasion->recipients, occasion->recipient_count, out);
}

void occasion_client(struct reader *reader, struct address *out)
{
    get_u64(reader);
    get_u16(reader);
    get_u8(reader);
    get_bytes(reader, out->bytes, sizeof out->bytes);
}

bool occasion_get(struct arena *arena, struct reader *reader, struct occasion *out)
{
    *out = (struct occasion){ .id = get_u64(reader), .direction = DIRECTION_IN };
    out->listener = get_u16(reader);
    out->direction = get_u8(reader);
    get_bytes(reader, out->client.bytes, sizeof out->client.bytes);
    out->helo = get_text(reader);
    out->sender = get_text(reader);
    out->smtputf8 = get_u8(reader) != 0;
    out->secure = get_u8(reader) != 0;
    out->is_undecided = get_u8(reader) != 0;
    out->certificate = get_text(reader);
    unsigned has_harvested = get_u8(reader);
    out->has_harvested = has_harvested == 1;
    if (has_harvested > 1) reader->failed = true;
    if (out->is_undecided && out->direction != DIRECTION_IN) reader->failed = true;
    out->recipient_count = get_count(reader, RECIPIENTS_MOST, 4);
    out->recipients = arena_alloc_array(arena, out->recipient_count, sizeof *out->recipients);
    for (uint32_t i = 0; i < out->recipient_count; i++) out->recipients[i] = get_text(reader);
    return !reader->failed && (unsigned)out->direction <= DIRECTION_OUT;
}

const struct question *questions_find(const struct question *questions, uint32_t count,
                                      enum question_kind kind, struct text subject)
{
    for (uint32_t i = 0; i < count; i++)
        if (questions[i].kind == kind && text_equal(questions[i].subject, subject)) return &questions[i];
    return NULL;
}

bool question_is_stray(const struct question *question, const struct facts *facts)
{
    enum question_kind kind = question->kind;
    if (kind != QUESTION_KEY && kind != QUESTION_POLICY && kind != QUESTION_HISTORY) return false;
    return !questions_find(facts->questions, facts->question_count, kind, question->subject);
}

const struct question *questions_answered(const struct question *questions, uint32_t count,
                                          enum question_kind kind)
{
    for (uint32_t i = 0; i < count; i++)
        if (questions[i].kind == kind && questions[i].status == ANSWER_FOUND) return &questions[i];
    return NULL;
}

void questions_put(const struct question *questions, uint32_t count, struct buffer *out)
{
    put_u32(out, count);
    for (uint32_t i = 0; i < count; i++) {
        put_u8(out, (uint8_t)questions[i].kind);
        put_text(out, questions[i].subject);
        put_u8(out, (uint8_t)questions[i].status);
        put_text(out, questions[i].value);
    }
}

bool questions_get(struct arena *arena, struct reader *reader, struct question **out, uint32_t *out_count)
{
    uint32_t count = get_count(reader, QUESTIONS_MOST, 10);
    struct question *questions = arena_alloc_array(arena, count, sizeof *questions);
    for (uint32_t i = 0; i < count; i++) {
        questions[i].kind = get_u8(reader);
        questions[i].subject = get_text(reader);
        questions[i].status = get_u8(reader);
        questions[i].value = get_text(reader);
        if (questions[i].kind >= QUESTION_KIND_COUNT || questions[i].status > ANSWER_TEMPERROR)
            reader->failed = true;
    }
    *out = questions;
    *out_count = count;
    return !reader->failed;
}

static void signals_put(const struct signal *signals, uint32_t count, struct buffer *out)
{
    put_u32(out, count);
    for (uint32_t i = 0; i < count; i++) {
        put_text(out, signals[i].name);
        put_double(out, signals[i].points);
        put_text(out, signals[i].about);
    }
}

enum { POINTS_MOST = 1000000000 }; /* either way: so no sum of them is infinite */

/* A worker's, which may be taken over; NaN fails too. */
static double points_get(struct reader *reader)
{
    double points = get_double(reader);
    if (!(fabs(points) <= POINTS_MOST)) reader->failed = true;
    return points;
}

static struct signal *signals_get(struct arena *arena, struct reader *reader, uint32_t *out_count)
{
    *out_count = get_count(reader, SIGNALS_MOST, 16);
    struct signal *signals = arena_alloc_array(arena, *out_count, sizeof *signals);
    for (uint32_t i = 0; i < *out_count; i++) {
        signals[i].name = get_text(reader);
        signals[i].points = points_get(reader);
        signals[i].about = get_text(reader);
    }
    return signals;
}

static void possible_edits_put(const struct possible_edit *edits, uint32_t count, struct buffer *out)
{
    put_u32(out, count);
    for (uint32_t i = 0; i < count; i++) {
        put_u8(out, (uint8_t)edits[i].kind);
        put_u64(out, edits[i].offset);
        put_u64(out, edits[i].length);
        put_text(out, edits[i].insert);
    }
}

static bool is_behind(const struct possible_edit *edit, const struct possible_edit *last)
{
    return edit->kind > last->kind ||
           (edit->kind == last->kind && edit->offset >= last->offset + last->length);
}

static struct possible_edit *possible_edits_get(struct arena *arena, struct reader *reader,
                                                uint32_t *out_count)
{
    *out_count = get_count(reader, POSSIBLE_EDITS_MOST, 1 + 8 + 8 + 4);
    struct possible_edit *edits = arena_alloc_array(arena, *out_count, sizeof *edits);
    for (uint32_t i = 0; i < *out_count; i++) {
        edits[i].kind = get_u8(reader);
        edits[i].offset = get_u64(reader);
        edits[i].length = get_u64(reader);
        edits[i].insert = get_text(reader);
        bool is_good = edits[i].kind < EDIT_KIND_COUNT && edits[i].length <= UINT64_MAX - edits[i].offset &&
                       (i == 0 || is_behind(&edits[i], &edits[i - 1]));
        if (!is_good) reader->failed = true;
    }
    return edits;
}

static void virus_findings_put(const struct virus_finding *findings, uint32_t count, struct buffer *out)
{
    put_u32(out, count);
    for (uint32_t i = 0; i < count; i++) {
        put_u8(out, (uint8_t)findings[i].class);
        put_text(out, findings[i].engine);
        put_text(out, findings[i].name);
        put_text(out, findings[i].part);
    }
}

static struct virus_finding *virus_findings_get(struct arena *arena, struct reader *reader,
                                                uint32_t *out_count)
{
    *out_count = get_count(reader, VIRUS_FINDINGS_MOST, 1 + 3 * 4);
    struct virus_finding *findings = arena_alloc_array(arena, *out_count, sizeof *findings);
    for (uint32_t i = 0; i < *out_count; i++) {
        findings[i].class = get_u8(reader);
        findings[i].engine = get_text(reader);
        findings[i].name = get_text(reader);
        findings[i].part = get_text(reader);
        if (findings[i].class >= VIRUS_CLASS_COUNT) reader->failed = true;
    }
    return findings;
}

void facts_put(const struct facts *facts, struct buffer *out)
{
    put_u8(out, (uint8_t)facts->virus);
    put_text(out, facts->virus_name);
    virus_findings_put(facts->virus_findings, facts->virus_finding_count, out);
    put_u64(out, facts->not_opened);
    put_text(out, facts->engine);
    put_u8(out, facts->ambiguous);
    put_text(out, facts->findings);
    put_u16(out, facts->content);
    put_u8(out, facts->lacks_header);
    put_u32(out, facts->received_count);
    put_u32(out, facts->part_count);
    part_digests_put(facts->part_digests, facts->part_digest_count, out);
    put_text(out, facts->subject);
    put_text(out, facts->message_id);
    put_text(out, facts->from);
    put_u8(out, (uint8_t)facts->tenancy);
    put_text(out, facts->authentication);
    put_text(out, facts->seal_basis);
    put_text(out, facts->rule_marks);
    put_text(out, facts->sketch);
    put_text(out, facts->campaign);
    put_text(out, facts->lesson);
    put_text(out, facts->impostors);
    put_text(out, facts->entry_hits);
    signals_put(facts->signals, facts->signal_count, out);
    questions_put(facts->questions, facts->question_count, out);
    possible_edits_put(facts->edits, facts->edit_count, out);
}

/* What is done follows from findings: a state that promises one and has none would be no reason for anything.
 */
static bool state_needs_finding(enum scan_state state)
{
    return state == SCAN_FOUND || state == SCAN_LIMITS || state == SCAN_CLOSED;
}

bool facts_get(struct arena *arena, struct reader *reader, struct facts *out)
{
    *out = (struct facts){ .virus = SCAN_NOT_ASKED };
    out->virus = get_u8(reader);
    out->virus_name = get_text(reader);
    out->virus_findings = virus_findings_get(arena, reader, &out->virus_finding_count);
    out->not_opened = get_u64(reader);
    out->engine = get_text(reader);
    out->ambiguous = get_u8(reader) != 0;
    out->findings = get_text(reader);
    out->content = get_u16(reader);
    out->lacks_header = get_u8(reader) != 0;
    out->received_count = get_u32(reader);
    out->part_count = get_u32(reader);
    out->part_digests = part_digests_get(arena, reader, &out->part_digest_count);
    out->subject = get_text(reader);
    out->message_id = get_text(reader);
    out->from = get_text(reader);
    out->tenancy = get_u8(reader);
    out->authentication = get_text(reader);
    out->seal_basis = get_text(reader);
    out->rule_marks = get_text(reader);
    out->sketch = get_text(reader);
    out->campaign = get_text(reader);
    out->lesson = get_text(reader);
    out->impostors = get_text(reader);
    out->entry_hits = get_text(reader);
    out->signals = signals_get(arena, reader, &out->signal_count);
    questions_get(arena, reader, &out->questions, &out->question_count);
    out->edits = possible_edits_get(arena, reader, &out->edit_count);
    if (out->virus_finding_count == 0 && state_needs_finding(out->virus)) reader->failed = true;
    return !reader->failed && (unsigned)out->virus < SCAN_STATE_COUNT && out->tenancy < TENANCY_COUNT &&
           out->question_count <= QUESTIONS_RAISED_MOST;
}

static void recipes_put(const struct recipe *recipes, uint32_t count, struct buffer *out)
{
    put_u32(out, count);
    for (uint32_t i = 0; i < count; i++) {
        put_u16(out, recipes[i].kinds.bits);
        put_text(out, recipes[i].edits);
    }
}

static struct recipe *recipes_get(struct arena *arena, struct reader *reader, uint32_t *out_count)
{
    size_t bytes = 0;
    *out_count = get_count(reader, RECIPES_MOST, 2 + 4);
    struct recipe *recipes = arena_alloc_array(arena, *out_count, sizeof *recipes);
    for (uint32_t i = 0; i < *out_count; i++) {
        recipes[i].kinds.bits = get_u16(reader);
        recipes[i].edits = get_text(reader);
        bytes += recipes[i].edits.length;
        if (recipes[i].kinds.bits >> EDIT_KIND_COUNT || bytes > RECIPES_BYTES_MOST) reader->failed = true;
    }
    return recipes;
}

bool facts_raise(struct arena *arena, struct facts *facts, enum question_kind kind, struct text subject)
{
    if (facts->question_count == QUESTIONS_RAISED_MOST) return false;
    if (!facts->questions)
        facts->questions = arena_alloc_array(arena, QUESTIONS_RAISED_MOST, sizeof *facts->questions);
    facts->questions[facts->question_count++] = (struct question){ .kind = kind, .subject = subject };
    return true;
}

void verdict_put(const struct verdict *verdict, struct buffer *out)
{
    put_double(out, verdict->score);
    signals_put(verdict->signals, verdict->signal_count, out);
    recipes_put(verdict->recipes, verdict->recipe_count, out);
    put_u32(out, verdict->recipient_count);
    for (uint32_t i = 0; i < verdict->recipient_count; i++) {
        put_u8(out, (uint8_t)verdict->recipients[i].action);
        put_u8(out, (uint8_t)verdict->recipients[i].observed);
        put_u8(out, verdict->recipients[i].recipe);
        put_u8(out, (uint8_t)verdict->recipients[i].cause);
    }
    put_u16(out, verdict->code);
    put_text(out, verdict->enhanced);
    put_text(out, verdict->reason);
    put_u8(out, (uint8_t)verdict->kind);
    put_text(out, verdict->summary);
    proof_put(&verdict->proof, out);
    put_u8(out, (uint8_t)verdict->direction);
    put_u8(out, (uint8_t)verdict->tenancy);
    put_u8(out, verdict->is_spam);
    put_text(out, verdict->newsletter);
    put_text(out, verdict->newsletter_of);
    put_u8(out, verdict->is_counted);
    put_u8(out, (uint8_t)verdict->teaches);
    put_text(out, verdict->taught_of);
    put_u8(out, verdict->is_greylisted);
    put_u8(out, verdict->is_spam_alone);
}

bool verdict_get(struct arena *arena, struct reader *reader, struct verdict *out)
{
    *out = (struct verdict){ .score = points_get(reader) };
    out->signals = signals_get(arena, reader, &out->signal_count);
    out->recipes = recipes_get(arena, reader, &out->recipe_count);
    out->recipient_count = get_count(reader, RECIPIENTS_MOST, 4);
    out->recipients = arena_alloc_array(arena, out->recipient_count, sizeof *out->recipients);
    for (uint32_t i = 0; i < out->recipient_count; i++) {
        out->recipients[i].action = get_u8(reader);
        out->recipients[i].observed = get_u8(reader);
        out->recipients[i].recipe = get_u8(reader);
        out->recipients[i].cause = get_u8(reader);
        bool good =
            out->recipients[i].action <= ACTION_DEFER && out->recipients[i].observed <= ACTION_DEFER &&
            out->recipients[i].recipe < out->recipe_count && out->recipients[i].cause < RECIPIENT_CAUSE_COUNT;
        if (!good) reader->failed = true;
    }
    out->code = get_u16(reader);
    out->enhanced = get_text(reader);
    out->reason = get_text(reader);
    out->kind = get_u8(reader);
    out->summary = get_text(reader);
    proof_get(reader, &out->proof);
    out->direction = get_u8(reader);
    out->tenancy = get_u8(reader);
    uint8_t is_spam = get_u8(reader);
    out->is_spam = is_spam == 1;
    out->newsletter = get_text(reader);
    out->newsletter_of = get_text(reader);
    unsigned is_counted = get_u8(reader);
    out->is_counted = is_counted == 1;
    out->teaches = get_u8(reader);
    out->taught_of = get_text(reader);
    unsigned is_greylisted = get_u8(reader);
    out->is_greylisted = is_greylisted == 1;
    unsigned is_spam_alone = get_u8(reader);
    out->is_spam_alone = is_spam_alone == 1;
    if (out->direction > DIRECTION_OUT || out->tenancy >= TENANCY_COUNT || is_spam > 1 || is_counted > 1 ||
        out->teaches >= TEACHES_COUNT || is_greylisted > 1 || is_spam_alone > 1)
        reader->failed = true;
    return !reader->failed && out->kind < REFUSAL_KINDS && out->code >= 200 && out->code <= 599;
}
