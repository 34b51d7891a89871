/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "spam/rule_trial.h"

#include "spam/message_facts.h"
#include "spam/rule_signals.h"

/* What was matched outlives the texts. */
static void places_keep(struct arena *arena, const struct ruleset *set, struct rule_place *places)
{
    for (uint32_t i = 0; i < set->probe_count; i++)
        if (places[i].is_set) places[i].text = arena_text(arena, places[i].text);
}

/* What was found, and behind it the oddities of the message's form. */
static struct text facts_name(struct arena *arena, const struct mime *mime, struct buffer *names)
{
    for (int i = 0; i < FINDING_COUNT; i++)
        if (finding_has(&mime->findings, (enum finding)i))
            buffer_printf(names, "finding=%s\n", finding_name((enum finding)i));
    struct text text = arena_text(arena, buffer_text(names));
    buffer_free(names);
    return text;
}

void rule_trial_run(struct arena *arena, const struct ruleset *set, struct text message, struct text signal,
                    struct rule_trial *out)
{
    struct mime *mime = mime_parse(arena, message, &mime_limits_default, MIME_FIRST);
    struct message_text *text = arena_alloc(arena, sizeof *text);
    struct features *features = arena_alloc(arena, sizeof *features);
    struct rule_texts *texts = arena_alloc(arena, sizeof *texts);
    struct rule_marks *marks = arena_alloc(arena, sizeof *marks);
    struct feature_links links = { 0 };
    struct buffer names = { 0 };
    features->arena = arena;
    features->links = &links;
    features->fact_names = &names;
    message_text_read(text, arena, mime);
    message_facts_add(features, mime, text);
    out->hits = arena_alloc(arena, set->count + 1);
    out->places = marks->places = arena_alloc_array(arena, set->probe_count + 1, sizeof *out->places);
    rule_signals_texts(arena, set, mime, text, features, texts);
    rule_match_texts(set, texts, marks, out->hits);
    rule_match_signal(set, signal, marks);
    rule_match_rules(set, marks, out->hits);
    out->is_cut = marks->is_cut;
    out->facts = facts_name(arena, mime, &names);
    places_keep(arena, set, out->places);
    feature_links_free(&links);
    message_text_free(text);
}

/* --- examples --- */

static void body_write(const struct rule_example *example, struct buffer *out)
{
    bool is_html = example->html.length > 0;
    buffer_printf(out, "Content-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
                  is_html ? "html" : "plain");
    buffer_add_text(out, is_html ? example->html : example->body);
    buffer_add_text(out, TEXT("\r\n"));
}

void rule_trial_write(const struct rule_example *example, struct buffer *out)
{
    struct text from = example->from.length ? example->from : TEXT("Mori Hanako <hanako@example.jp>"),
                subject = example->subject.length ? example->subject : TEXT("memo");
    if (example->fields.length) buffer_printf(out, "%.*s\r\n", TEXT_ARG(example->fields));
    buffer_printf(
        out,
        "From: %.*s\r\nTo: Taro <taro@example.ac.jp>\r\nSubject: %.*s\r\n"
        "Date: Mon, 2 Nov 2026 09:00:00 +0900\r\nMessage-ID: <1@example.jp>\r\nMIME-Version: 1.0\r\n",
        TEXT_ARG(from), TEXT_ARG(subject));
    if (example->file.length == 0) {
        body_write(example, out);
        return;
    }
    buffer_add_text(out, TEXT("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"));
    body_write(example, out);
    buffer_printf(
        out,
        "--b\r\nContent-Type: application/octet-stream; name=\"%.*s\"\r\nContent-Disposition: attachment; "
        "filename=\"%.*s\"\r\n\r\nfile\r\n--b--\r\n",
        TEXT_ARG(example->file), TEXT_ARG(example->file));
}

static void complain(const struct spam_rule *rule, uint32_t line, uint32_t column, const char *why,
                     struct problem_list *problems)
{
    struct buffer message = { 0 };
    buffer_printf(&message, "%.*s: %s", TEXT_ARG(rule->name), why);
    const struct problem problem = {
        .file = rule->file, .line = line, .column = column, .message = buffer_text(&message)
    };
    problem_add(problems, &problem);
    buffer_free(&message);
}

static void example_run(const struct ruleset *set, uint32_t index, const struct rule_example *example,
                        struct problem_list *problems)
{
    struct arena *arena = arena_new(1 << 16);
    struct buffer message = { 0 };
    struct rule_trial trial;
    rule_trial_write(example, &message);
    rule_trial_run(arena, set, buffer_text(&message), example->signal, &trial);
    if (trial.hits[index] != example->is_hit)
        complain(&set->rules[index], example->line, example->column,
                 example->is_hit ? "this does not hit" : "this hits, and must not", problems);
    buffer_free(&message);
    arena_free(arena);
}

uint32_t rule_trial_examples(const struct ruleset *set, struct problem_list *problems)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        const struct spam_rule *rule = &set->rules[i];
        bool has[2] = { false };
        if (rule->is_off) continue;
        for (const struct rule_example *example = rule->examples; example; example = example->next, count++) {
            example_run(set, i, example, problems);
            has[example->is_hit] = true;
        }
        if (rule->points != 0 && !has[true])
            complain(rule, rule->line, 1, "it lacks a message that hits", problems);
        if (rule->points != 0 && !has[false])
            complain(rule, rule->line, 1, "it lacks a near miss that must not hit", problems);
    }
    return count;
}
