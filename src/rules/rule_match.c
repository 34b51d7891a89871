/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "rules/rule_match.h"

#include <stdlib.h>
#include <time.h>

#include "base/utf8.h"

enum { FOUND_BETWEEN_LOOKS = 1024 };

/* Where a pattern is to run: it begins near the literals that were found there. */
struct span {
    size_t from, to;
    size_t first, last; /* where the first literal begins, and the last one */
};

struct spans {
    uint32_t count;
    bool is_full; /* more were found */
    struct span items[RULE_PLACES_MOST];
};

struct run {
    const struct ruleset *set;
    const struct rule_texts *texts;
    struct rule_marks *marks;
    uint16_t *slots; /* two for each probe: 1 + the number of its spans; 0: no literal of it was found */
    struct spans *spans;
    uint32_t span_count, span_room;
    uint64_t began_ns, own_ns;         /* since the machine began; of the processor's time */
    uint8_t is_valid[RULE_AREAS_MOST]; /* UTF-8: 1, or 2 where it is not; 0: nobody has looked */
    uint32_t found;                    /* literals */
    bool is_over;                      /* the message's time */
};

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The processor's time costs a system call: it is asked for when enough of any time has passed. */
static bool is_over_time(struct run *run)
{
    const uint64_t most_ns = (uint64_t)RULE_MESSAGE_MS * 1000000;
    if (clock_ns(CLOCK_MONOTONIC) - run->began_ns < most_ns) return false;
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID) - run->own_ns >= most_ns;
}

static void mark(struct rule_marks *marks, uint32_t probe)
{
    marks->answers[probe / 8] |= (uint8_t)(1u << probe % 8);
}

static bool is_marked(const struct rule_marks *marks, uint32_t probe)
{
    return marks->answers[probe / 8] >> probe % 8 & 1;
}

/* --- patterns --- */

/* Spans are widened to whole characters by who runs them. */
/* A match ends within `near` bytes of where its literal begins, and so does what it looks at around itself.
 */
static void span_add(struct spans *spans, size_t near, size_t at, size_t length)
{
    size_t from = at > near ? at - near : 0, to = at + near + 8 < length ? at + near + 8 : length;
    struct span *last = spans->count ? &spans->items[spans->count - 1] : NULL;
    if (last && at < last->to && to - last->from <= 4 * RULE_NEAR) {
        last->to = to;
        last->last = at;
        return;
    }
    if (spans->count == RULE_PLACES_MOST) {
        spans->is_full = true;
        return;
    }
    spans->items[spans->count++] = (struct span){ from, to, at, at };
}

static void literal_found(struct run *run, uint32_t value, size_t at, size_t length)
{
    if (run->slots[value] == 0) {
        if (run->span_count == run->span_room) {
            run->span_room = run->span_room ? 2 * run->span_room : 64;
            run->spans = memory_grow(run->spans, run->span_room * sizeof *run->spans);
        }
        run->spans[run->span_count] = (struct spans){ 0 };
        run->slots[value] = (uint16_t)++run->span_count;
        if (value % 2 == 0) run->marks->asked[value / 2 / 8] &= (uint8_t) ~(1u << value / 2 % 8);
    }
    span_add(&run->spans[run->slots[value] - 1], run->set->probes[value / 2].near, at, length);
}

static const struct spans *spans_of(const struct run *run, uint32_t value)
{
    static const struct spans none;
    return run->slots[value] ? &run->spans[run->slots[value] - 1] : &none;
}

static bool is_inside_character(struct text text, size_t at)
{
    return at < text.length && ((unsigned char)text.at[at] & 0xC0) == 0x80;
}

static bool is_utf8(struct run *run, unsigned area)
{
    if (run->is_valid[area] == 0) run->is_valid[area] = utf8_is_valid(run->texts->areas[area]) ? 1 : 2;
    return run->is_valid[area] == 1;
}

static void span_run(struct run *run, uint32_t index, struct text text, struct span span)
{
    const struct rule_probe *probe = &run->set->probes[index];
    struct text place;
    while (span.from > 0 && is_inside_character(text, span.from)) span.from--;
    while (is_inside_character(text, span.to)) span.to++;
    switch (rule_pattern_find(probe->pattern, run->set->matcher, text, span.from, span.last, span.to,
                              is_utf8(run, probe->area), &place)) {
    case RULE_MATCH_FOUND:
        mark(run->marks, index);
        if (run->marks->places) run->marks->places[index] = (struct rule_place){ true, probe->area, place };
        break;
    case RULE_MATCH_LIMIT:
        run->marks->is_cut = true;
        break;
    case RULE_MATCH_NONE:
        break;
    }
    run->is_over = is_over_time(run);
}

/* One of the others is near, or may be. */
static bool has_other_near(const struct run *run, uint32_t index, struct span span)
{
    const struct spans *others = spans_of(run, 2 * index + 1);
    if (!run->set->probes[index].has_others || others->is_full) return true;
    for (uint32_t i = 0; i < others->count; i++)
        if (others->items[i].from < span.to && span.from < others->items[i].to) return true;
    return false;
}

/* Every match has a literal in it, `before` bytes behind its start at most. Where there were more literals
   than spans, some are not known. */
static struct span span_of_starts(const struct rule_probe *probe, const struct spans *spans, struct span span)
{
    if (spans->is_full)
        span.last = span.to;
    else if (span.first - span.from > probe->before)
        span.from = span.first - probe->before;
    return span;
}

static void probe_run(struct run *run, uint32_t index)
{
    const struct rule_probe *probe = &run->set->probes[index];
    struct text text = run->texts->areas[probe->area];
    size_t length = text.length < RULE_WHOLE_MOST ? text.length : RULE_WHOLE_MOST;
    struct span whole = { 0, length, 0, length };
    if (!probe->has_literals) {
        if (text.length > 0) span_run(run, index, text, whole);
        return;
    }
    const struct spans *spans = spans_of(run, 2 * index);
    for (uint32_t i = 0; i < spans->count && !is_marked(run->marks, index) && !run->is_over; i++)
        if (has_other_near(run, index, spans->items[i]))
            span_run(run, index, text, span_of_starts(probe, spans, spans->items[i]));
}

/* `run`: NULL where the answers are there. */
static bool probe_ask(struct run *run, const struct rule_marks *marks, uint32_t index)
{
    if (!run || run->is_over) return is_marked(marks, index);
    uint8_t *asked = &run->marks->asked[index / 8], bit = (uint8_t)(1u << index % 8);
    if (!(*asked & bit)) probe_run(run, index);
    *asked |= bit;
    return is_marked(marks, index);
}

static void literals_find(struct run *run)
{
    for (unsigned area = 0; area < RULE_AREAS_MOST; area++) {
        struct text text = run->texts->areas[area];
        if (!run->set->literals[area] || text.length == 0) continue;
        struct literal_walk walk = { .table = run->set->literals[area], .text = text };
        while (!run->is_over && literal_table_next(&walk)) {
            literal_found(run, walk.value, walk.at, text.length);
            if (++run->found % FOUND_BETWEEN_LOOKS == 0) run->is_over = is_over_time(run);
        }
    }
}

/* --- facts --- */

static void facts_look(const struct ruleset *set, const struct rule_texts *texts, struct rule_marks *marks)
{
    for (uint32_t i = 0; i < texts->fact_count; i++)
        for (const struct fact_probe *one = ruleset_fact_probe(set, texts->facts[i]);
             one && one < set->facts + set->fact_count && one->hash == texts->facts[i]; one++)
            mark(marks, one->index);
}

/* --- rules --- */

/* The parser has seen to it that a step finds what it needs on the stack. */
static bool rule_holds(const struct rule_step *steps, uint32_t count, struct run *run,
                       const struct rule_marks *marks, const uint8_t *hits)
{
    bool stack[2 * RULE_STEPS_MOST + 1];
    unsigned top = 0; /* stack[top] is the uppermost; stack[0] stays */
    stack[0] = false;
    for (uint32_t i = 0; i < count; i++) {
        const struct rule_step *step = &steps[i];
        if (step->skip_to && stack[top] == step->skip_when) {
            i = step->skip_to - 1u;
            continue;
        }
        switch (step->kind) {
        case STEP_PROBE:
            stack[++top] = probe_ask(run, marks, step->index);
            break;
        case STEP_RULE:
            stack[++top] = hits[step->index];
            break;
        case STEP_AND:
            top--;
            stack[top] = stack[top] && stack[top + 1];
            break;
        case STEP_OR:
            top--;
            stack[top] = stack[top] || stack[top + 1];
            break;
        case STEP_NOT:
            stack[top] = !stack[top];
            break;
        }
    }
    return stack[top];
}

static void rules_look(const struct ruleset *set, struct run *run, const struct rule_marks *marks,
                       uint8_t *hits)
{
    for (uint32_t i = 0, from = 0; i < set->count; from = set->ends[i++])
        hits[i] = rule_holds(set->steps + from, set->ends[i] - from, run, marks, hits);
}

void rule_match_rules(const struct ruleset *set, const struct rule_marks *marks, uint8_t *hits)
{
    rules_look(set, NULL, marks, hits);
}

/* What signals will bring about is not known yet: all is asked for. */
static void late_ask(struct run *run)
{
    for (uint32_t i = 0; i < run->set->count; i++) {
        const struct spam_rule *rule = &run->set->rules[i];
        for (uint32_t k = 0; rule->is_late && k < rule->step_count; k++)
            if (rule->steps[k].kind == STEP_PROBE) probe_ask(run, run->marks, rule->steps[k].index);
    }
}

void rule_match_texts(const struct ruleset *set, const struct rule_texts *texts, struct rule_marks *marks,
                      uint8_t *hits)
{
    struct run run = { .set = set,
                       .texts = texts,
                       .marks = marks,
                       .slots = memory_alloc((2 * (size_t)set->probe_count + 1) * sizeof *run.slots),
                       .began_ns = clock_ns(CLOCK_MONOTONIC),
                       .own_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) };
    memcpy(marks->asked, set->settled, (set->probe_count + 7) / 8);
    facts_look(set, texts, marks);
    literals_find(&run);
    rules_look(set, &run, marks, hits);
    late_ask(&run);
    if (run.is_over) marks->is_cut = true;
    free(run.slots);
    free(run.spans);
}

void rule_match_signal(const struct ruleset *set, struct text name, struct rule_marks *marks)
{
    for (uint32_t i = 0; i < set->probe_count; i++)
        if (set->probes[i].kind == PROBE_SIGNAL && text_equal(set->probes[i].text, name)) mark(marks, i);
}

/* --- as text --- */

enum { CHECKSUM_BYTES = sizeof(uint64_t) };

struct text rule_match_write(struct arena *arena, const struct ruleset *set, const struct rule_marks *marks)
{
    size_t bytes = (set->probe_count + 7) / 8;
    char *room = arena_alloc(arena, CHECKSUM_BYTES + bytes);
    memcpy(room, &set->checksum, CHECKSUM_BYTES);
    memcpy(room + CHECKSUM_BYTES, marks->answers, bytes);
    return text_from(room, CHECKSUM_BYTES + bytes);
}

bool rule_match_read(const struct ruleset *set, struct text text, struct rule_marks *out)
{
    size_t bytes = (set->probe_count + 7) / 8;
    if (text.length != CHECKSUM_BYTES + bytes || memcmp(text.at, &set->checksum, CHECKSUM_BYTES) != 0)
        return false;
    memcpy(out->answers, text.at + CHECKSUM_BYTES, bytes);
    return true;
}
