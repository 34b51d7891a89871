/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A run of three bytes counts once however often it stands there: what it adds is shared out over its places,
   and over its three bytes. */
#include "spam/passages.h"

#include <math.h>
#include <stdlib.h>

#include "spam/message_facts.h"
#include "spam/rule_trial.h"

enum {
    WORD_MOST = 24,      /* bytes of a piece of letters */
    WIDE_MOST = 12,      /* of one of characters that have three bytes */
    SENTENCE_MOST = 240, /* bytes of a passage */
    SCALE = 100000       /* of points in the byte form */
};
static const double LEAST = 0.005; /* points of a passage that is worth telling */

/* --- weights of bytes --- */

static uint32_t run_at(struct text text, size_t at)
{
    const uint8_t *bytes = (const uint8_t *)text.at + at;
    return (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
}

struct table {
    uint32_t slots, most; /* most: distinct features that count */
    uint32_t (*slot_of)(uint32_t run);
    double (*weight_of)(const struct table *table, uint32_t slot); /* in points */
    const struct base_model *base;
    const float *local;
    enum feature_block block;
    double value;
};

static double base_weight(const struct table *table, uint32_t slot)
{
    return table->value * base_model_weight(table->base, table->block, slot);
}

static double local_weight(const struct table *table, uint32_t slot)
{
    double weight = table->value * (double)table->local[slot];
    return isfinite(weight) ? weight : 0;
}

static uint32_t base_slot(uint32_t run)
{
    return features_run_slot(run);
}

/* How often each slot is met; those behind the most that count, never. */
static uint32_t *slots_count(struct arena *arena, const struct table *table, struct text text)
{
    uint32_t *counts = arena_alloc_array(arena, table->slots, sizeof *counts), distinct = 0;
    memset(counts, 0, table->slots * sizeof *counts);
    for (size_t i = 0; i + 3 <= text.length; i++) {
        uint32_t *count = &counts[table->slot_of(run_at(text, i))];
        if (*count == 0 && distinct++ >= table->most) continue;
        ++*count;
    }
    return counts;
}

/* What each byte of the text adds. */
static double *bytes_weigh(struct arena *arena, const struct table *table, struct text text)
{
    double *weights = arena_alloc_array(arena, text.length + 1, sizeof *weights);
    memset(weights, 0, (text.length + 1) * sizeof *weights);
    uint32_t *counts = slots_count(arena, table, text);
    for (size_t i = 0; i + 3 <= text.length; i++) {
        uint32_t slot = table->slot_of(run_at(text, i));
        if (counts[slot] == 0) continue;
        double third = table->weight_of(table, slot) / counts[slot] / 3;
        for (size_t byte = i; byte < i + 3; byte++) weights[byte] += third;
    }
    return weights;
}

/* --- pieces --- */

static size_t character_bytes(struct text text, size_t at)
{
    size_t bytes = 1;
    while (at + bytes < text.length && ((uint8_t)text.at[at + bytes] & 0xC0) == 0x80 && bytes < 4) bytes++;
    return bytes;
}

static bool ends_sentence(struct text text, size_t at, size_t bytes)
{
    static const char *const wide[] = { "。", "！", "？", "．" };
    char c = text.at[at];
    bool is_last = at + bytes >= text.length || char_is_white(text.at[at + bytes]);
    if (bytes == 1) return c == '\n' || (is_last && (c == '.' || c == '!' || c == '?'));
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (text_equal(text_slice(text, at, at + bytes), text_of(wide[i]))) return true;
    return false;
}

/* From `at` to behind a blank, or before the piece becomes too long. */
static struct passage_piece piece_cut(struct text text, size_t at)
{
    struct passage_piece piece = { 0 };
    size_t most = (uint8_t)text.at[at] >= 0xE0 ? WIDE_MOST : WORD_MOST;
    while (at + piece.bytes < text.length) {
        size_t bytes = character_bytes(text, at + piece.bytes);
        if (piece.bytes > 0 && piece.bytes + bytes > most) break;
        char c = text.at[at + piece.bytes];
        piece.ends = ends_sentence(text, at + piece.bytes, bytes);
        piece.bytes += (uint16_t)bytes;
        if (piece.ends || c == ' ') break;
    }
    return piece;
}

/* `base` and `local`: of each byte; NULL: nothing. Returns the bytes that the pieces cover. */
static size_t pieces_cut(struct arena *arena, struct text text, const double *base, const double *local,
                         struct passage_piece **out, uint32_t *out_count)
{
    struct passage_piece *pieces = arena_alloc_array(arena, PASSAGES_PIECES_MOST, sizeof *pieces);
    size_t at = 0, sentence = 0;
    uint32_t count = 0;
    while (at < text.length && count < PASSAGES_PIECES_MOST) {
        struct passage_piece *piece = &pieces[count++];
        *piece = piece_cut(text, at);
        for (size_t byte = at; byte < at + piece->bytes; byte++) {
            if (base) piece->base += base[byte];
            if (local) piece->local += local[byte];
        }
        at += piece->bytes;
        sentence = sentence + piece->bytes;
        if (sentence >= SENTENCE_MOST) piece->ends = true;
        if (piece->ends) sentence = 0;
    }
    *out = pieces;
    *out_count = count;
    return at;
}

/* --- models --- */

struct sight {
    struct arena *arena;
    struct message_text *text;
    struct features *features;
    struct mail_vector vector;
    double *base_subject, *base_visible, *local_visible; /* points of bytes; NULL: none */
};

static void base_look(struct sight *sight, const struct base_model *base, struct passages *out)
{
    double values[FEATURE_BLOCKS];
    double margin = base_model_margin(base, sight->features, base_script_of(sight->text));
    struct table table = { .slots = FEATURE_SLOTS,
                           .most = UINT32_MAX,
                           .slot_of = base_slot,
                           .weight_of = base_weight,
                           .base = base,
                           .block = FEATURE_BODY };
    out->base = base_model_points(base, margin);
    base_model_values(base, sight->features, margin, values);
    table.value = values[FEATURE_BODY];
    sight->base_visible = bytes_weigh(sight->arena, &table, sight->text->visible);
    table.block = FEATURE_SUBJECT;
    table.value = values[FEATURE_SUBJECT];
    sight->base_subject = bytes_weigh(sight->arena, &table, sight->text->subject_folded);
}

static void local_look(struct sight *sight, const struct local_model *local, struct passages *out)
{
    double values[VECTOR_BLOCKS], margin = learner_local(local->weights, &sight->vector);
    out->local = local_model_points(local, margin);
    vector_values(&sight->vector, values);
    double slope = margin != 0 && isfinite(margin) ? out->local / margin : 0;
    const struct table table = { .slots = VECTOR_SLOTS,
                                 .most = VECTOR_BLOCK_MOST,
                                 .slot_of = vector_run_slot,
                                 .weight_of = local_weight,
                                 .local = local->weights,
                                 .value = slope * values[VECTOR_TEXT] };
    sight->local_visible = bytes_weigh(sight->arena, &table, sight->text->visible);
}

/* --- rules --- */

struct marking {
    struct passages *out;
    const struct ruleset *set;
    const struct rule_trial *trial;
    const struct spam_rule *rule; /* that is told of */
};

static bool mark_is_known(const struct passages *out, const struct passage_mark *mark)
{
    for (uint32_t i = 0; i < out->mark_count; i++)
        if (text_equal(out->marks[i].rule, mark->rule) && out->marks[i].at == mark->at &&
            out->marks[i].area == mark->area)
            return true;
    return false;
}

static void place_mark(struct marking *marking, const struct rule_place *place)
{
    struct passages *out = marking->out;
    struct passage_mark mark = { .rule = marking->rule->name, .area = place->area };
    struct text in = place->area == AREA_BODY      ? out->visible
                     : place->area == AREA_SUBJECT ? out->subject
                                                   : TEXT_NONE;
    size_t at = place->text.length ? text_find(in, place->text) : in.length;
    if (at < in.length) {
        mark.at = (uint32_t)at;
        mark.bytes = (uint32_t)place->text.length;
    }
    if (out->mark_count < PASSAGES_MARKS_MOST && !mark_is_known(out, &mark))
        out->marks[out->mark_count++] = mark;
}

/* Patterns of a rule, and of those that it asks for: one level, since rules ask for helpers. */
static void rule_mark(struct marking *marking, const struct spam_rule *rule, bool is_helper)
{
    for (uint32_t i = 0; i < rule->step_count; i++) {
        const struct rule_step *step = &rule->steps[i];
        if (step->kind == STEP_RULE && !is_helper && marking->trial->hits[step->index])
            rule_mark(marking, &marking->set->rules[step->index], true);
        if (step->kind == STEP_PROBE && marking->trial->places[step->index].is_set)
            place_mark(marking, &marking->trial->places[step->index]);
    }
}

static void rules_look(struct arena *arena, struct text message, const struct ruleset *set,
                       struct passages *out)
{
    struct rule_trial trial;
    struct marking marking = { out, set, &trial, NULL };
    rule_trial_run(arena, set, message, TEXT_NONE, &trial);
    for (uint32_t i = 0; i < set->count; i++) {
        marking.rule = &set->rules[i];
        if (trial.hits[i] && set->rules[i].points != 0) rule_mark(&marking, &set->rules[i], false);
    }
}

/* --- the whole --- */

static struct text cut(struct text text, size_t most)
{
    if (text.length <= most) return text;
    while (most > 0 && ((uint8_t)text.at[most] & 0xC0) == 0x80) most--;
    return text_slice(text, 0, most);
}

void passages_read(struct arena *arena, struct text message, const struct base_model *base,
                   const struct local_model *local, const struct ruleset *rules, struct passages *out)
{
    struct sight sight = { .arena = arena };
    const struct mime *mime = mime_parse(arena, message, &mime_limits_default, MIME_FIRST);
    *out = (struct passages){ .marks = arena_alloc_array(arena, PASSAGES_MARKS_MOST, sizeof *out->marks) };
    sight.text = arena_alloc(arena, sizeof *sight.text);
    sight.features = arena_alloc(arena, sizeof *sight.features);
    vector_read_mail(arena, mime, sight.text, sight.features, local ? &sight.vector : NULL);
    if (base) base_look(&sight, base, out);
    if (local) local_look(&sight, local, out);
    struct text visible = sight.text->visible, subject = sight.text->subject_folded;
    out->visible = arena_text(arena, cut(visible, PASSAGES_TEXT_MOST));
    out->subject = arena_text(arena, cut(subject, PASSAGES_SUBJECT_MOST));
    out->visible.length = pieces_cut(arena, out->visible, sight.base_visible, sight.local_visible,
                                     &out->visible_pieces, &out->visible_count);
    out->subject.length =
        pieces_cut(arena, out->subject, sight.base_subject, NULL, &out->subject_pieces, &out->subject_count);
    out->is_cut = out->visible.length < visible.length || out->subject.length < subject.length;
    message_text_free(sight.text);
    if (rules) rules_look(arena, message, rules, out);
}

/* --- bytes --- */

static void points_put(double points, struct buffer *out)
{
    double scaled = points * SCALE;
    if (!(fabs(scaled) < INT32_MAX)) scaled = 0;
    put_u32(out, (uint32_t)(int32_t)scaled);
}

static double points_get(struct reader *reader)
{
    return (double)(int32_t)get_u32(reader) / SCALE;
}

static void pieces_put(const struct passage_piece *pieces, uint32_t count, struct buffer *out)
{
    put_u32(out, count);
    for (uint32_t i = 0; i < count; i++) {
        put_u8(out, (uint8_t)(pieces[i].bytes | (pieces[i].ends ? 0x80 : 0)));
        points_put(pieces[i].base, out);
        points_put(pieces[i].local, out);
    }
}

static struct passage_piece *pieces_get(struct arena *arena, struct reader *reader, struct text text,
                                        uint32_t *out_count)
{
    size_t covered = 0;
    *out_count = get_count(reader, PASSAGES_PIECES_MOST, 9);
    struct passage_piece *pieces = arena_alloc_array(arena, *out_count + 1, sizeof *pieces);
    for (uint32_t i = 0; i < *out_count; i++) {
        uint8_t shape = get_u8(reader);
        pieces[i] = (struct passage_piece){ .bytes = shape & 0x7F, .ends = shape & 0x80 };
        pieces[i].base = points_get(reader);
        pieces[i].local = points_get(reader);
        covered += pieces[i].bytes;
        if (pieces[i].bytes == 0) reader->failed = true;
    }
    if (covered != text.length) reader->failed = true;
    return pieces;
}

void passages_put(const struct passages *passages, struct buffer *out)
{
    put_text(out, passages->subject);
    put_text(out, passages->visible);
    points_put(passages->base, out);
    points_put(passages->local, out);
    put_u8(out, passages->is_cut);
    pieces_put(passages->subject_pieces, passages->subject_count, out);
    pieces_put(passages->visible_pieces, passages->visible_count, out);
    put_u32(out, passages->mark_count);
    for (uint32_t i = 0; i < passages->mark_count; i++) {
        put_text(out, passages->marks[i].rule);
        put_u8(out, (uint8_t)passages->marks[i].area);
        put_u32(out, passages->marks[i].at);
        put_u32(out, passages->marks[i].bytes);
    }
}

static bool mark_is_inside(const struct passages *passages, const struct passage_mark *mark)
{
    size_t room = mark->area == AREA_BODY      ? passages->visible.length
                  : mark->area == AREA_SUBJECT ? passages->subject.length
                                               : 0;
    return mark->area < RULE_AREAS_MOST && mark->at <= room && mark->bytes <= room - mark->at &&
           mark->rule.length <= RULE_NAME_MOST;
}

bool passages_get(struct arena *arena, struct text bytes, struct passages *out)
{
    struct reader reader = reader_of(bytes);
    *out = (struct passages){ .subject = get_text(&reader) };
    out->visible = get_text(&reader);
    out->base = points_get(&reader);
    out->local = points_get(&reader);
    out->is_cut = get_u8(&reader) != 0;
    if (out->visible.length > PASSAGES_TEXT_MOST || out->subject.length > PASSAGES_SUBJECT_MOST) return false;
    out->subject_pieces = pieces_get(arena, &reader, out->subject, &out->subject_count);
    out->visible_pieces = pieces_get(arena, &reader, out->visible, &out->visible_count);
    out->mark_count = get_count(&reader, PASSAGES_MARKS_MOST, 4 + 1 + 4 + 4);
    out->marks = arena_alloc_array(arena, out->mark_count + 1, sizeof *out->marks);
    for (uint32_t i = 0; i < out->mark_count; i++) {
        struct passage_mark *mark = &out->marks[i];
        mark->rule = get_text(&reader);
        mark->area = get_u8(&reader);
        mark->at = get_u32(&reader);
        mark->bytes = get_u32(&reader);
        if (!mark_is_inside(out, mark)) reader.failed = true;
    }
    return reader_done(&reader);
}

/* --- the strongest --- */

static int by_strength(const void *a, const void *b)
{
    double x = fabs(((const struct passage *)a)->points), y = fabs(((const struct passage *)b)->points);
    return x > y ? -1 : x < y;
}

uint32_t passages_strongest(struct arena *arena, const struct passages *passages, bool is_for_spam,
                            uint32_t most, struct passage *out)
{
    struct passage *all = arena_alloc_array(arena, passages->visible_count + 1, sizeof *all);
    uint32_t count = 0;
    size_t at = 0, begin = 0;
    double points = 0;
    for (uint32_t i = 0; i < passages->visible_count; i++) {
        const struct passage_piece *piece = &passages->visible_pieces[i];
        points += piece->base + piece->local;
        at += piece->bytes;
        if (!piece->ends && i + 1 < passages->visible_count) continue;
        struct text text = text_trim(text_slice(passages->visible, begin, at));
        if (text.length > 0 && (is_for_spam ? points >= LEAST : points <= -LEAST))
            all[count++] = (struct passage){ text, points };
        points = 0;
        begin = at;
    }
    qsort(all, count, sizeof *all, by_strength);
    if (count > most) count = most;
    if (count) memcpy(out, all, count * sizeof *all);
    return count;
}

double passages_rest(const struct passages *passages)
{
    double rest = passages->base + passages->local;
    for (uint32_t i = 0; i < passages->visible_count; i++)
        rest -= passages->visible_pieces[i].base + passages->visible_pieces[i].local;
    for (uint32_t i = 0; i < passages->subject_count; i++)
        rest -= passages->subject_pieces[i].base + passages->subject_pieces[i].local;
    return rest;
}
