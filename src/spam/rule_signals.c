/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "spam/rule_signals.h"

#include "mail/encoded_word.h"
#include "spam/text_fold.h"

enum { FIELD_BYTES_MOST = 2000, HIDDEN_BYTES_MOST = 64 * 1024 };

/* --- texts --- */

static struct text folded_in(struct arena *arena, struct text text)
{
    struct buffer room = { 0 };
    text_fold(text, &room, NULL);
    struct text folded = arena_text(arena, buffer_text(&room));
    buffer_free(&room);
    return folded;
}

static struct text field_of(struct arena *arena, const struct mime *mime, struct text name)
{
    const struct header_field *field = header_find_name(mime->parts[0].header, name);
    if (!field) return TEXT_NONE;
    struct text value = text_slice(text_trim(field->value), 0, FIELD_BYTES_MOST);
    return folded_in(arena, word_decode_in(arena, value, mime->declared, NULL));
}

static struct text files_of(struct arena *arena, const struct mime *mime)
{
    struct buffer names = { 0 };
    for (size_t i = 0; i < mime->count && buffer_length(&names) < FIELD_BYTES_MOST; i++) {
        if (mime->parts[i].name.length == 0) continue;
        text_fold(mime->parts[i].name, &names, NULL);
        buffer_add_char(&names, '\n');
    }
    struct text text = arena_text(arena, buffer_text(&names));
    buffer_free(&names);
    return text;
}

static void facts_fill(struct arena *arena, const struct mime *mime, const struct features *features,
                       struct rule_texts *out)
{
    uint64_t *facts = arena_alloc_array(arena, features->fact_count + FINDING_COUNT, sizeof *facts);
    uint32_t count = features->fact_count;
    if (count) memcpy(facts, features->facts, count * sizeof *facts);
    for (int i = 0; i < FINDING_COUNT; i++)
        if (finding_has(&mime->findings, (enum finding)i))
            facts[count++] = ruleset_fact(TEXT("finding"), text_of(finding_name((enum finding)i)));
    out->facts = facts;
    out->fact_count = count;
}

void rule_signals_texts(struct arena *arena, const struct ruleset *set, const struct mime *mime,
                        const struct message_text *text, const struct features *features,
                        struct rule_texts *out)
{
    struct text hidden = text_slice(buffer_text(&text->markup.hidden), 0, HIDDEN_BYTES_MOST);
    out->areas[AREA_BODY] = text->visible;
    out->areas[AREA_SUBJECT] = text->subject_folded;
    out->areas[AREA_HIDDEN] = folded_in(arena, hidden);
    out->areas[AREA_FILE] = files_of(arena, mime);
    for (uint32_t i = 0; i < set->field_count; i++)
        out->areas[AREA_FIELD + i] = field_of(arena, mime, set->fields[i]);
    if (features->links) {
        out->areas[AREA_LINK_HOST] = buffer_text(&features->links->hosts);
        out->areas[AREA_LINK_URL] = buffer_text(&features->links->urls);
        out->areas[AREA_LINK_SHOWN] = buffer_text(&features->links->shown);
    }
    facts_fill(arena, mime, features, out);
}

/* --- signals --- */

/* Points of rules that are not final: all of those that ask for signals or not. */
static double points_of(const struct ruleset *set, const uint8_t *hits, bool with_late)
{
    double points = 0;
    for (uint32_t i = 0; i < set->count; i++)
        if (hits[i] && !set->rules[i].is_final && (with_late || !set->rules[i].is_late))
            points += set->rules[i].points;
    return points;
}

static double over_most(double points)
{
    return points > RULES_POINTS_MOST ? points - RULES_POINTS_MOST : 0;
}

static void signal_put(struct rule_signals *out, struct text name, double points, struct text about)
{
    out->items[out->count++] = (struct signal){ name, points, about };
}

static void hits_put(const struct ruleset *set, const uint8_t *hits, bool is_late, struct rule_signals *out)
{
    for (uint32_t i = 0; i < set->count; i++) {
        const struct spam_rule *rule = &set->rules[i];
        if (hits[i] && rule->points != 0 && rule->is_late == is_late)
            signal_put(out, rule->name, rule->points, rule->about);
    }
}

static const struct text CAP_ABOUT = TEXT("rules together count no more than 11 points");
enum { SIGNALS_BESIDE = 2 }; /* RULES_CAP and RULES_LIMIT */

void rule_signals_read(struct arena *arena, const struct ruleset *set, const struct mime *mime,
                       const struct message_text *text, const struct features *features,
                       struct rule_signals *out)
{
    struct rule_texts texts = { 0 };
    struct rule_marks *marks = arena_alloc(arena, sizeof *marks);
    uint8_t *hits = arena_alloc(arena, set->count + 1);
    *out = (struct rule_signals){ arena_alloc_array(arena, set->count + SIGNALS_BESIDE, sizeof *out->items) };
    rule_signals_texts(arena, set, mime, text, features, &texts);
    rule_match_texts(set, &texts, marks, hits);
    hits_put(set, hits, false, out);
    double over = over_most(points_of(set, hits, false));
    if (over > 0) signal_put(out, TEXT("RULES_CAP"), -over, CAP_ABOUT);
    if (marks->is_cut)
        signal_put(out, TEXT("RULES_LIMIT"), 0, TEXT("a pattern of a rule took too long and was ended"));
    if (set->has_late) out->marks = rule_match_write(arena, set, marks);
}

void rule_signals_late(struct arena *arena, const struct ruleset *set, struct text text,
                       const struct signal *signals, uint32_t count, struct rule_signals *out)
{
    *out = (struct rule_signals){ 0 };
    if (!set || text.length == 0) return;
    struct rule_marks *marks = arena_alloc(arena, sizeof *marks);
    uint8_t *hits = arena_alloc(arena, set->count + 1);
    if (!rule_match_read(set, text, marks)) return;
    out->items = arena_alloc_array(arena, set->count + SIGNALS_BESIDE, sizeof *out->items);
    for (uint32_t i = 0; i < count; i++) rule_match_signal(set, signals[i].name, marks);
    rule_match_rules(set, marks, hits);
    hits_put(set, hits, true, out);
    double over = over_most(points_of(set, hits, true)) - over_most(points_of(set, hits, false));
    if (over != 0) signal_put(out, TEXT("RULES_CAP_LATE"), -over, CAP_ABOUT);
}
