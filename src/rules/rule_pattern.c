/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "rules/rule_pattern.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"

/* Of one run: steps, KiB, levels; of a pattern: brackets in brackets. */
enum { MATCH_STEPS = 10000, MATCH_KIB = 2048, MATCH_DEPTH = 5000, GROUPS_DEEP = 20 };

struct rule_matcher {
    pcre2_match_context *context;
    pcre2_match_data *data;
};

static pcre2_code *compiled(struct text pattern, uint32_t more, pcre2_compile_context *context, int *code,
                            size_t *offset)
{
    const uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C |
                             PCRE2_USE_OFFSET_LIMIT;
    return pcre2_compile((PCRE2_SPTR)pattern.at, pattern.length, options | more, code, offset, context);
}

/* Groups that nothing refers to need not be remembered: that is copied at each step that may be taken back.
 */
struct rule_pattern *rule_pattern_compile(struct text pattern, char *error, size_t size)
{
    int code;
    size_t offset;
    char why[200];
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context) abort();
    pcre2_set_parens_nest_limit(context, GROUPS_DEEP);
    pcre2_code *made = compiled(pattern, PCRE2_NO_AUTO_CAPTURE, context, &code, &offset);
    if (!made) made = compiled(pattern, 0, context, &code, &offset);
    pcre2_compile_context_free(context);
    if (made) return (struct rule_pattern *)made;
    pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
    snprintf(error, size, "%s (at its byte %zu)", why, offset);
    return NULL;
}

void rule_pattern_free(struct rule_pattern *pattern)
{
    pcre2_code_free((pcre2_code *)pattern);
}

struct rule_matcher *rule_matcher_new(void)
{
    struct rule_matcher *matcher = memory_alloc(sizeof *matcher);
    matcher->context = pcre2_match_context_create(NULL);
    matcher->data = pcre2_match_data_create(16, NULL);
    if (!matcher->context || !matcher->data) abort();
    pcre2_set_match_limit(matcher->context, MATCH_STEPS);
    pcre2_set_heap_limit(matcher->context, MATCH_KIB);
    pcre2_set_depth_limit(matcher->context, MATCH_DEPTH);
    return matcher;
}

void rule_matcher_free(struct rule_matcher *matcher)
{
    if (!matcher) return;
    pcre2_match_data_free(matcher->data);
    pcre2_match_context_free(matcher->context);
    free(matcher);
}

enum rule_match rule_pattern_find(const struct rule_pattern *pattern, struct rule_matcher *matcher,
                                  struct text text, size_t from, size_t last, size_t to, bool is_utf8,
                                  struct text *out_place)
{
    pcre2_set_offset_limit(matcher->context, last);
    uint32_t options = (is_utf8 ? PCRE2_NO_UTF_CHECK : 0) | (to < text.length ? PCRE2_NOTEOL : 0);
    int got = pcre2_match((const pcre2_code *)pattern, (PCRE2_SPTR)(text.at ? text.at : ""), to, from,
                          options, matcher->data, matcher->context);
    if (got == PCRE2_ERROR_NOMATCH) return RULE_MATCH_NONE;
    if (got < 0) return RULE_MATCH_LIMIT;
    const size_t *ends = pcre2_get_ovector_pointer(matcher->data);
    *out_place = ends[0] < ends[1] ? text_slice(text, ends[0], ends[1]) : TEXT_NONE;
    return RULE_MATCH_FOUND;
}
