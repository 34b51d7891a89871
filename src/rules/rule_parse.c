/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The language of rules: the words of the configuration, and between them patterns and conditions, which are
   read as they stand. What is wrong is said with its place; nothing of a rule that is wrong is kept. */
#include "rules/rule_parse.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "config/lexer.h"
#include "config/nearest.h"
#include "rules/fact_names.h"
#include "rules/rule_literals.h"

enum { META_DEEP = 16 };

struct rule_reader {
    struct ruleset *set;
    struct problem_list *problems;
    struct text name, content;
    struct lexer lexer;
    struct token token; /* the last that was cut */
    struct spam_rule *rule;
    struct rule_step steps[RULE_STEPS_MOST];
    uint32_t step_count;
    uint32_t starts[RULE_STEPS_MOST]; /* the first step of each condition */
    uint32_t condition_count;
    bool is_wrong; /* the rule */
    struct rule_example **example_end;
};

/* --- what is wrong --- */

static struct text line_of(struct text content, uint32_t line)
{
    struct text found = TEXT_NONE;
    for (uint32_t i = 0; i < line && text_next_line(&content, &found);) i++;
    return found;
}

static bool wrong_at(struct rule_reader *reader, uint32_t line, uint32_t column, struct text hint,
                     const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Always false. */
static bool wrong_at(struct rule_reader *reader, uint32_t line, uint32_t column, struct text hint,
                     const char *format, ...)
{
    struct buffer message = { 0 };
    va_list arguments;
    va_start(arguments, format);
    buffer_vprintf(&message, format, arguments);
    va_end(arguments);
    struct problem problem = { .file = reader->name,
                               .line = line,
                               .column = column,
                               .message = buffer_text(&message),
                               .hint = hint,
                               .source = line_of(reader->content, line) };
    problem_add(reader->problems, &problem);
    buffer_free(&message);
    reader->is_wrong = true;
    return false;
}

#define WRONG(reader, ...) \
    wrong_at(reader, (reader)->token.line, (reader)->token.column, TEXT_NONE, __VA_ARGS__)

static void take(struct rule_reader *reader)
{
    reader->token = lexer_next(&reader->lexer);
    if (reader->token.kind == TOKEN_WRONG) WRONG(reader, "%.*s", TEXT_ARG(reader->token.text));
}

static bool is_word(const struct token *token, const char *word)
{
    return token->kind == TOKEN_WORD && text_equal(token->text, text_of(word));
}

/* To the end of the line or statement. */
static void rest_skip(struct rule_reader *reader)
{
    while (reader->token.kind != TOKEN_BREAK && reader->token.kind != TOKEN_END &&
           reader->token.kind != TOKEN_CLOSE)
        reader->token = lexer_next(&reader->lexer);
}

/* --- what stands as it is --- */

static void raw_skip(struct rule_reader *reader, size_t bytes)
{
    struct lexer *lexer = &reader->lexer;
    for (size_t i = 0; i < bytes; i++) lexer->column += ((unsigned char)lexer->rest.at[i] & 0xC0) != 0x80;
    lexer->rest = text_slice(lexer->rest, bytes, lexer->rest.length);
}

static void blanks_skip(struct rule_reader *reader)
{
    size_t blanks = 0;
    struct text rest = reader->lexer.rest;
    while (blanks < rest.length && char_is_blank(rest.at[blanks])) blanks++;
    raw_skip(reader, blanks);
}

/* "/…/": a slash in it has a backslash before it. */
static bool pattern_take(struct rule_reader *reader, struct text *out)
{
    blanks_skip(reader);
    uint32_t line = reader->lexer.line, column = reader->lexer.column;
    struct text rest = reader->lexer.rest;
    rest = text_slice(rest, 0, text_find_char(rest, '\n'));
    size_t end = 1;
    if (rest.length == 0 || rest.at[0] != '/')
        return wrong_at(reader, line, column, TEXT_NONE, "a pattern between slashes has to stand here: /…/");
    while (end < rest.length && rest.at[end] != '/') end += rest.at[end] == '\\' ? 2 : 1;
    if (end >= rest.length)
        return wrong_at(reader, line, column, TEXT_NONE, "a pattern without its end on this line");
    *out = text_slice(rest, 1, end);
    if (out->length > RULE_PATTERN_MOST)
        return wrong_at(reader, line, column, TEXT_NONE, "a pattern longer than %d bytes", RULE_PATTERN_MOST);
    if (!utf8_is_valid(*out)) return wrong_at(reader, line, column, TEXT_NONE, "a pattern that is not UTF-8");
    reader->token.line = line;
    reader->token.column = column;
    raw_skip(reader, end + 1);
    if (end + 1 < rest.length && char_is_alpha(rest.at[end + 1]))
        return WRONG(reader, "no letters behind a pattern: texts are folded to small letters before it runs");
    return true;
}

/* --- probes and steps --- */

static bool step_add(struct rule_reader *reader, enum rule_step_kind kind, uint32_t index)
{
    if (reader->step_count == RULE_STEPS_MOST)
        return WRONG(reader, "too many conditions in one rule (%d steps are allowed)", RULE_STEPS_MOST);
    reader->steps[reader->step_count++] = (struct rule_step){ .kind = kind, .index = index };
    return true;
}

/* That probe, or the one that asks the same already. Takes over what it has. */
static bool probe_add(struct rule_reader *reader, const struct rule_probe *probe)
{
    struct ruleset *set = reader->set;
    for (uint32_t i = 0; i < set->probe_count; i++) {
        const struct rule_probe *known = &set->probes[i];
        bool is_same =
            known->kind == probe->kind && known->area == probe->area && text_equal(known->text, probe->text);
        if (is_same) rule_pattern_free(probe->pattern);
        if (is_same) return step_add(reader, STEP_PROBE, i);
    }
    if (set->probe_count == RULE_PROBES_MOST) {
        rule_pattern_free(probe->pattern);
        return WRONG(reader, "too many patterns, facts and signals (%d are allowed)", RULE_PROBES_MOST);
    }
    set->probes = memory_grow(set->probes, (set->probe_count + 1) * sizeof *set->probes);
    set->probes[set->probe_count++] = *probe;
    return step_add(reader, STEP_PROBE, set->probe_count - 1);
}

/* A capital would never be met: \W, \pL and (?P<NAME> are no capitals of the text. */
static bool has_capital(struct text pattern)
{
    for (size_t i = 0; i < pattern.length; i++) {
        char c = pattern.at[i];
        if (c == '\\') {
            bool is_property = i + 1 < pattern.length && strchr("pP", pattern.at[i + 1]);
            i += is_property ? 2 : 1;
            if (is_property && i < pattern.length && pattern.at[i] == '{')
                i += text_find_char(text_slice(pattern, i, pattern.length), '}');
        } else if (c >= 'A' && c <= 'Z') {
            return true;
        }
    }
    return false;
}

static bool pattern_compile(struct rule_reader *reader, struct text pattern, struct rule_pattern **out)
{
    char why[300];
    *out = rule_pattern_compile(pattern, why, sizeof why);
    return *out || WRONG(reader, "the pattern: %s", why);
}

static void literals_add(struct rule_reader *reader, struct rule_probe *probe, uint32_t index)
{
    struct rule_literals literals, others;
    struct literal_table **table = &reader->set->literals[probe->area];
    rule_literals_of(reader->set->arena, probe->text, &literals, &others);
    probe->has_literals = literals.count > 0;
    probe->has_others = others.count > 0;
    probe->near = literals.widest < RULE_NEAR ? (unsigned)literals.widest : RULE_NEAR;
    probe->before = literals.before < probe->near ? (unsigned)literals.before : probe->near;
    if (literals.count > 0 && !*table) *table = literal_table_new();
    for (unsigned i = 0; i < literals.count; i++) literal_table_add(*table, literals.items[i], 2 * index);
    for (unsigned i = 0; i < others.count; i++) literal_table_add(*table, others.items[i], 2 * index + 1);
}

/* Over long texts patterns run near a literal or not at all. */
static bool needs_literal(unsigned area)
{
    return area == AREA_BODY || area == AREA_HIDDEN;
}

static bool pattern_add(struct rule_reader *reader, unsigned area)
{
    struct text pattern;
    struct rule_probe probe = { .kind = PROBE_PATTERN, .area = area };
    if (!pattern_take(reader, &pattern)) return false;
    if (has_capital(pattern))
        return WRONG(reader, "a capital in a pattern is never met: texts are folded to small letters");
    if (!pattern_compile(reader, pattern, &probe.pattern)) return false;
    probe.text = arena_text(reader->set->arena, pattern);
    uint32_t count = reader->set->probe_count;
    if (!probe_add(reader, &probe)) return false;
    if (reader->set->probe_count == count) return true;
    literals_add(reader, &reader->set->probes[count], count);
    if (reader->set->probes[count].has_literals || !needs_literal(area)) return true;
    return WRONG(
        reader, "nothing of %d bytes or more stands in all that the pattern matches: it would run everywhere",
        LITERAL_LEAST);
}

static bool fact_add(struct rule_reader *reader, struct text fact)
{
    struct ruleset *set = reader->set;
    size_t equals = text_find_char(fact, '=');
    struct text name = text_slice(fact, 0, equals), value = text_slice(fact, equals + 1, fact.length);
    struct rule_probe probe = { .kind = PROBE_FACT, .hash = ruleset_fact(name, value) };
    struct text meant = TEXT_NONE;
    if (!fact_names_check(name, equals < fact.length, &meant))
        return wrong_at(reader, reader->token.line, reader->token.column, meant,
                        equals < fact.length ? "no fact with a value has the name \"%.*s\""
                                             : "there is no fact \"%.*s\"",
                        TEXT_ARG(name));
    probe.text = arena_text(set->arena, fact);
    return probe_add(reader, &probe);
}

static bool is_name(struct text name)
{
    bool is_good =
        name.length >= 3 && name.length <= RULE_NAME_MOST && name.at[0] >= 'A' && name.at[0] <= 'Z';
    for (size_t i = 0; i < name.length; i++) {
        char c = name.at[i];
        is_good = is_good && ((c >= 'A' && c <= 'Z') || char_is_digit(c) || c == '_');
    }
    return is_good;
}

static bool signal_add(struct rule_reader *reader, struct text name)
{
    if (!is_name(name)) return WRONG(reader, "\"%.*s\" is no name of a signal: SPF_FAIL", TEXT_ARG(name));
    reader->rule->is_late = true;
    return probe_add(
        reader, &(struct rule_probe){ .kind = PROBE_SIGNAL, .text = arena_text(reader->set->arena, name) });
}

static bool rule_add(struct rule_reader *reader, struct text name)
{
    const struct ruleset *set = reader->set;
    int index = ruleset_find(set, name);
    struct text meant = TEXT_NONE;
    size_t distance = SIZE_MAX;
    for (uint32_t i = 0; index < 0 && i < set->count; i++)
        nearest_offer(name, set->rules[i].name, &meant, &distance);
    if (index < 0)
        return wrong_at(reader, reader->token.line, reader->token.column, meant,
                        "no rule above has the name \"%.*s\"", TEXT_ARG(name));
    if (set->rules[index].is_late) reader->rule->is_late = true;
    return step_add(reader, STEP_RULE, (uint32_t)index);
}

/* --- meta: A and (B or not C) --- */

struct meta {
    struct rule_reader *reader;
    struct text rest;
    unsigned depth;
};

static struct text meta_peek(const struct meta *meta)
{
    struct text rest = text_trim(meta->rest);
    size_t end = 0;
    if (rest.length > 0 && (rest.at[0] == '(' || rest.at[0] == ')')) return text_slice(rest, 0, 1);
    while (end < rest.length && !char_is_blank(rest.at[end]) && rest.at[end] != '(' && rest.at[end] != ')')
        end++;
    return text_slice(rest, 0, end);
}

static bool meta_takes(struct meta *meta, const char *word)
{
    struct text next = meta_peek(meta);
    if (!text_equal(next, text_of(word))) return false;
    meta->rest =
        text_from(next.at + next.length, (size_t)(meta->rest.at + meta->rest.length - next.at) - next.length);
    return true;
}

static struct text meta_word(struct meta *meta)
{
    struct text next = meta_peek(meta);
    if (next.length == 0) return next;
    meta->rest =
        text_from(next.at + next.length, (size_t)(meta->rest.at + meta->rest.length - next.at) - next.length);
    return next;
}

static bool meta_any(struct meta *meta);

static bool meta_one(struct meta *meta)
{
    struct rule_reader *reader = meta->reader;
    if (++meta->depth > META_DEEP) return WRONG(reader, "brackets more than %d deep", META_DEEP);
    bool is_good;
    if (meta_takes(meta, "not")) {
        is_good = meta_one(meta) && step_add(reader, STEP_NOT, 0);
    } else if (meta_takes(meta, "(")) {
        is_good = meta_any(meta) && (meta_takes(meta, ")") || WRONG(reader, "a bracket without its end"));
    } else if (meta_takes(meta, "fact")) {
        is_good = fact_add(reader, meta_word(meta));
    } else if (meta_takes(meta, "signal")) {
        is_good = signal_add(reader, meta_word(meta));
    } else {
        struct text name = meta_word(meta);
        is_good = is_name(name)
                      ? rule_add(reader, name)
                      : WRONG(reader, "\"%.*s\" where a rule, fact NAME, signal NAME, not or ( has to stand",
                              TEXT_ARG(name));
    }
    meta->depth--;
    return is_good;
}

static bool meta_all(struct meta *meta)
{
    bool is_good = meta_one(meta);
    while (is_good && meta_takes(meta, "and"))
        is_good = meta_one(meta) && step_add(meta->reader, STEP_AND, 0);
    return is_good;
}

static bool meta_any(struct meta *meta)
{
    bool is_good = meta_all(meta);
    while (is_good && meta_takes(meta, "or")) is_good = meta_all(meta) && step_add(meta->reader, STEP_OR, 0);
    return is_good;
}

static bool meta_add(struct rule_reader *reader)
{
    struct text rest = reader->lexer.rest;
    size_t end = 0;
    while (end < rest.length && !strchr("\r\n;}#\"", rest.at[end])) end++;
    struct meta meta = { .reader = reader, .rest = text_slice(rest, 0, end) };
    bool is_good = meta_any(&meta);
    if (is_good && text_trim(meta.rest).length > 0)
        is_good =
            WRONG(reader, "\"%.*s\" where and, or, or the end has to stand", TEXT_ARG(meta_peek(&meta)));
    raw_skip(reader, end);
    return is_good;
}

/* --- conditions --- */

static const struct {
    const char *word;
    enum rule_area area;
} areas[] = { { "body", AREA_BODY },
              { "hidden", AREA_HIDDEN },
              { "subject", AREA_SUBJECT },
              { "file", AREA_FILE } },
  link_areas[] = { { "host", AREA_LINK_HOST }, { "url", AREA_LINK_URL }, { "shown", AREA_LINK_SHOWN } };

static bool field_add(struct rule_reader *reader, struct text name)
{
    struct ruleset *set = reader->set;
    uint32_t at = 0;
    for (size_t i = 0; i < name.length; i++)
        if (!char_is_alpha(name.at[i]) && !char_is_digit(name.at[i]) && name.at[i] != '-' &&
            name.at[i] != '_')
            return WRONG(reader, "\"%.*s\" is no name of a header field", TEXT_ARG(name));
    while (at < set->field_count && !text_equal_nocase(set->fields[at], name)) at++;
    if (at == RULE_FIELDS_MOST)
        return WRONG(reader, "too many header fields (%d are allowed)", RULE_FIELDS_MOST);
    if (at == set->field_count) set->fields[set->field_count++] = arena_text_lower(set->arena, name);
    return pattern_add(reader, AREA_FIELD + at);
}

static bool link_add(struct rule_reader *reader)
{
    take(reader);
    for (size_t i = 0; i < sizeof link_areas / sizeof *link_areas; i++)
        if (is_word(&reader->token, link_areas[i].word)) return pattern_add(reader, link_areas[i].area);
    return WRONG(reader, "host, url or shown has to stand behind link");
}

/* *out_is_one: the token begins a condition. Else nothing is taken. */
static bool condition_add(struct rule_reader *reader, bool *out_is_one)
{
    *out_is_one = true;
    for (size_t i = 0; i < sizeof areas / sizeof *areas; i++)
        if (is_word(&reader->token, areas[i].word)) return pattern_add(reader, areas[i].area);
    if (is_word(&reader->token, "from") || is_word(&reader->token, "to"))
        return field_add(reader, reader->token.text);
    if (is_word(&reader->token, "link")) return link_add(reader);
    if (is_word(&reader->token, "meta")) return meta_add(reader);
    bool is_header = is_word(&reader->token, "header"), is_fact = is_word(&reader->token, "fact");
    if (!is_header && !is_fact && !is_word(&reader->token, "signal")) return *out_is_one = false;
    take(reader);
    if (reader->token.kind != TOKEN_WORD) return WRONG(reader, "a name is missing");
    if (is_header) return field_add(reader, reader->token.text);
    return is_fact ? fact_add(reader, reader->token.text) : signal_add(reader, reader->token.text);
}

/* All conditions of a rule have to hold. False: the token begins none, or it was wrong and said so. */
static bool condition_join(struct rule_reader *reader, bool *out_is_one)
{
    bool is_not = is_word(&reader->token, "not");
    uint32_t start = reader->step_count;
    if (is_not) take(reader);
    bool is_good = condition_add(reader, out_is_one);
    if (is_not && !*out_is_one) {
        *out_is_one = true;
        return WRONG(reader, "a condition has to stand behind not");
    }
    if (!is_good || (is_not && !step_add(reader, STEP_NOT, 0))) return false;
    reader->starts[reader->condition_count++] = start;
    return true;
}

/* --- the rest of a rule --- */

static bool points_take(struct rule_reader *reader, double *out)
{
    char room[32], *end;
    take(reader);
    snprintf(room, sizeof room, "%.*s", TEXT_ARG(reader->token.text));
    *out = strtod(room, &end);
    bool is_number = reader->token.kind == TOKEN_WORD && reader->token.text.length < sizeof room &&
                     *end == '\0' && end != room && strspn(room, "-0123456789.") == strlen(room);
    if (!is_number) return WRONG(reader, "points such as 1.5 have to stand here");
    if (fabs(*out * 10 - round(*out * 10)) > 1e-9)
        return WRONG(reader, "points have one digit behind the point");
    if (*out < RULE_POINTS_LEAST || *out > RULE_FINAL_MOST)
        return WRONG(reader, "points from %.0f to %.0f", RULE_POINTS_LEAST, RULE_FINAL_MOST);
    return true;
}

static bool text_take(struct rule_reader *reader, struct text *out)
{
    take(reader);
    if (reader->token.kind != TOKEN_QUOTED) return WRONG(reader, "a text in quotes has to stand here");
    *out = arena_text(reader->set->arena, reader->token.text);
    return true;
}

static bool example_add(struct rule_reader *reader, bool is_hit)
{
    static const char *const words[] = { "html", "subject", "from", "header", "file", "signal", NULL };
    struct rule_example *example = arena_alloc(reader->set->arena, sizeof *example);
    struct text *const texts[] = { &example->html,   &example->subject, &example->from,
                                   &example->fields, &example->file,    &example->signal };
    *example =
        (struct rule_example){ .is_hit = is_hit, .line = reader->token.line, .column = reader->token.column };
    *reader->example_end = example;
    reader->example_end = &example->next;
    for (;;) {
        take(reader);
        if (reader->token.kind == TOKEN_BREAK || reader->token.kind == TOKEN_CLOSE ||
            reader->token.kind == TOKEN_END)
            return true;
        if (reader->token.kind == TOKEN_QUOTED) {
            example->body = arena_text(reader->set->arena, reader->token.text);
            continue;
        }
        int at = 0;
        while (words[at] && !is_word(&reader->token, words[at])) at++;
        if (!words[at])
            return WRONG(reader,
                         "html, subject, from, header, file, signal or a text in quotes has to stand here");
        if (!text_take(reader, texts[at])) return false;
    }
}

/* One statement; the token is its first word. */
static bool statement_read(struct rule_reader *reader)
{
    static const char *const words[] = { "points", "final",  "describe", "ja",     "reason", "hit", "miss",
                                         "body",   "hidden", "subject",  "file",   "from",   "to",  "link",
                                         "meta",   "header", "fact",     "signal", "not",    NULL };
    struct spam_rule *rule = reader->rule;
    bool is_condition;
    if (is_word(&reader->token, "points")) return points_take(reader, &rule->points);
    if (is_word(&reader->token, "final")) return rule->is_final = true;
    if (is_word(&reader->token, "describe")) return text_take(reader, &rule->about);
    if (is_word(&reader->token, "ja")) return text_take(reader, &rule->about_ja);
    if (is_word(&reader->token, "reason")) return text_take(reader, &rule->reason);
    if (is_word(&reader->token, "hit")) return example_add(reader, true);
    if (is_word(&reader->token, "miss")) return example_add(reader, false);
    struct token first = reader->token;
    bool is_good = condition_join(reader, &is_condition);
    if (is_condition) return is_good;
    const char *meant = first.kind == TOKEN_WORD ? nearest_of(first.text, words) : NULL;
    return wrong_at(reader, first.line, first.column, text_of(meant), "unknown word \"%.*s\" in a rule",
                    TEXT_ARG(first.text));
}

static void statement_end(struct rule_reader *reader, bool is_good)
{
    bool is_ended = reader->token.kind == TOKEN_BREAK || reader->token.kind == TOKEN_CLOSE ||
                    reader->token.kind == TOKEN_END; /* an example has taken it */
    if (!is_ended) take(reader);
    is_ended = reader->token.kind == TOKEN_BREAK || reader->token.kind == TOKEN_CLOSE ||
               reader->token.kind == TOKEN_END;
    if (is_good && !is_ended && reader->token.kind != TOKEN_WRONG)
        WRONG(reader, "\"%.*s\" where the statement has to end", TEXT_ARG(reader->token.text));
    rest_skip(reader);
}

/* What only the whole rule shows. */
static void rule_check(struct rule_reader *reader, const struct token *name)
{
    struct spam_rule *rule = reader->rule;
    int known = ruleset_find(reader->set, rule->name);
#define OF_RULE(...) wrong_at(reader, name->line, name->column, TEXT_NONE, __VA_ARGS__)
    if (!is_name(rule->name))
        OF_RULE("the name of a rule has 3 to %d capitals, digits and _, a capital first", RULE_NAME_MOST);
    if (known >= 0)
        OF_RULE("a rule of that name stands at %.*s:%u", TEXT_ARG(reader->set->rules[known].file),
                reader->set->rules[known].line);
    if (reader->step_count == 0 && !reader->is_wrong) OF_RULE("a rule without a condition");
    if (!rule->is_final && rule->points > RULE_POINTS_MOST)
        OF_RULE("more than %.0f points need the word final", RULE_POINTS_MOST);
    if (rule->points != 0 && rule->about.length == 0) OF_RULE("a rule with points needs: describe \"…\"");
    if (reader->set->count == RULES_MOST) OF_RULE("too many rules (%d are allowed)", RULES_MOST);
#undef OF_RULE
}

static bool runs_pattern(const struct rule_reader *reader, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        if (reader->steps[i].kind == STEP_PROBE &&
            reader->set->probes[reader->steps[i].index].kind == PROBE_PATTERN)
            return true;
    return false;
}

/* The conditions, what costs nothing first, and an AND behind each but the first. */
static void conditions_write(const struct rule_reader *reader, struct spam_rule *rule)
{
    uint32_t done = 0;
    rule->steps = arena_alloc_array(reader->set->arena, reader->step_count + reader->condition_count,
                                    sizeof *rule->steps);
    for (int with_pattern = 0; with_pattern <= 1; with_pattern++) {
        for (uint32_t i = 0; i < reader->condition_count; i++) {
            uint32_t from = reader->starts[i],
                     to = i + 1 < reader->condition_count ? reader->starts[i + 1] : reader->step_count;
            if (runs_pattern(reader, from, to) != (with_pattern == 1)) continue;
            memcpy(rule->steps + rule->step_count, reader->steps + from, (to - from) * sizeof *rule->steps);
            rule->step_count += to - from;
            if (done++ > 0) rule->steps[rule->step_count++] = (struct rule_step){ .kind = STEP_AND };
        }
    }
}

/* Where the right side of each AND and OR begins. */
static void skips_write(struct spam_rule *rule)
{
    uint32_t starts[2 * RULE_STEPS_MOST], top = 0;
    for (uint32_t i = 0; i < rule->step_count; i++) {
        struct rule_step *step = &rule->steps[i];
        if (step->kind == STEP_PROBE || step->kind == STEP_RULE) starts[top++] = i;
        if (step->kind != STEP_AND && step->kind != STEP_OR) continue;
        struct rule_step *right = &rule->steps[starts[--top]];
        right->skip_to = (uint8_t)(i + 1);
        right->skip_when = step->kind == STEP_OR;
    }
}

static void rule_keep(struct rule_reader *reader)
{
    struct ruleset *set = reader->set;
    struct spam_rule *rule = reader->rule;
    conditions_write(reader, rule);
    skips_write(rule);
    set->rules = memory_grow(set->rules, (set->count + 1) * sizeof *set->rules);
    set->rules[set->count++] = *rule;
    set->has_late = set->has_late || rule->is_late;
}

static void rule_read(struct rule_reader *reader)
{
    take(reader);
    struct token name = reader->token;
    struct spam_rule rule = { .name = arena_text(reader->set->arena, name.text),
                              .file = arena_text(reader->set->arena, reader->name),
                              .line = name.line };
    reader->rule = &rule;
    reader->step_count = 0;
    reader->condition_count = 0;
    reader->is_wrong = false;
    reader->example_end = &rule.examples;
    take(reader);
    if (reader->token.kind != TOKEN_OPEN) {
        WRONG(reader, "rule NAME { … } has to stand here");
        rest_skip(reader);
        return;
    }
    for (take(reader); reader->token.kind != TOKEN_CLOSE && reader->token.kind != TOKEN_END;) {
        if (reader->token.kind == TOKEN_BREAK)
            take(reader);
        else
            statement_end(reader, statement_read(reader));
    }
    if (reader->token.kind == TOKEN_END)
        wrong_at(reader, name.line, name.column, TEXT_NONE, "the rule has no } at its end");
    rule_check(reader, &name);
    if (!reader->is_wrong) rule_keep(reader);
}

/* "off NAME" and "points NAME NUMBER" of a rule above. */
static void change_read(struct rule_reader *reader, bool is_off)
{
    double points = 0;
    take(reader);
    struct token name = reader->token;
    int index = ruleset_find(reader->set, name.text);
    if (index < 0) {
        WRONG(reader, "no rule above has the name \"%.*s\"", TEXT_ARG(name.text));
        return;
    }
    struct spam_rule *rule = &reader->set->rules[index];
    if (is_off) {
        rule->is_off = true;
    } else if (points_take(reader, &points)) {
        if (points > RULE_POINTS_MOST && !rule->is_final)
            WRONG(reader, "more than %.0f points are for rules that are final", RULE_POINTS_MOST);
        rule->points = points;
    }
}

static void top_read(struct rule_reader *reader)
{
    bool is_off = is_word(&reader->token, "off");
    if (is_word(&reader->token, "rule"))
        rule_read(reader);
    else if (is_off || is_word(&reader->token, "points"))
        change_read(reader, is_off);
    else
        WRONG(reader, "rule NAME { … }, off NAME or points NAME NUMBER has to stand here");
    if (reader->token.kind == TOKEN_CLOSE) take(reader);
    rest_skip(reader);
    if (reader->token.kind == TOKEN_CLOSE) take(reader); /* one too many */
}

bool rule_parse_file(struct ruleset *set, struct text name, struct text content,
                     struct problem_list *problems)
{
    struct rule_reader *reader = memory_alloc(sizeof *reader);
    size_t errors = problems->errors;
    reader->set = set;
    reader->problems = problems;
    reader->name = name;
    reader->content = content;
    set->checksum = text_checksum_on(set->checksum ? set->checksum : text_checksum(TEXT_NONE), content);
    lexer_start(&reader->lexer, content, set->arena);
    for (take(reader); reader->token.kind != TOKEN_END;) {
        if (reader->token.kind == TOKEN_BREAK)
            take(reader);
        else
            top_read(reader);
    }
    free(reader);
    return problems->errors == errors;
}

struct ruleset *rule_parse_begin(void)
{
    struct ruleset *set = memory_alloc(sizeof *set);
    set->arena = arena_new(65536);
    return set;
}

void rule_parse_end(struct ruleset *set)
{
    ruleset_finish(set);
}
