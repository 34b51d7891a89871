/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A rule file, and behind the first NUL a text that its rules are asked about. Whatever is in both: no crash,
   and what is found is inside of the text. */
#include <stdlib.h>

#include "rules/rule_match.h"
#include "rules/rule_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void match(const struct ruleset *set, struct text body)
{
    struct arena *arena = arena_new(0);
    struct rule_texts texts = { 0 };
    struct rule_marks *marks = arena_alloc(arena, sizeof *marks);
    uint8_t *hits = arena_alloc(arena, set->count + 1);
    for (int i = 0; i < RULE_AREAS_MOST; i++) texts.areas[i] = body;
    marks->places = arena_alloc_array(arena, set->probe_count + 1, sizeof *marks->places);
    uint8_t *again = arena_alloc(arena, set->count + 1);
    rule_match_texts(set, &texts, marks, hits);
    rule_match_rules(set, marks, again);
    if (memcmp(hits, again, set->count) != 0) abort(); /* a pattern that was not needed does not matter */
    rule_match_signal(set, TEXT("SPF_FAIL"), marks);
    rule_match_rules(set, marks, hits);
    for (uint32_t i = 0; i < set->probe_count; i++) {
        const struct rule_place *place = &marks->places[i];
        if (place->is_set && place->text.length > body.length) abort();
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text input = text_from((const char *)data, size);
    size_t end = text_find_char(input, '\0');
    struct problem_list problems;
    problem_list_start(&problems);
    struct ruleset *set = rule_parse_begin();
    bool is_good = rule_parse_file(set, TEXT("fuzz"), text_slice(input, 0, end), &problems);
    if (is_good != (problems.errors == 0)) abort();
    rule_parse_end(set);
    if (is_good) match(set, text_slice(input, end + 1, size));
    ruleset_free(set);
    problem_list_free(&problems);
    return 0;
}
