/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What rules cost on top of reading a message: usage: bench-rules FOLDER-OF-RULES MESSAGE [TIMES] */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "judging.h"
#include "spam/message_facts.h"
#include "spam/rule_signals.h"
#include "tool.h"

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
    tool_usage(argc, argv, 2, 3, "bench-rules FOLDER-OF-RULES MESSAGE [TIMES]   (1000)");
    double before = now_us();
    struct ruleset *set = judging_rules(argv[1]);
    double load_us = now_us() - before, spent[3] = { 0 };
    struct text message = judging_mail(argv[2]);
    int times = argc > 3 ? atoi(argv[3]) : 1000;
    for (int i = 0; i < times; i++) {
        struct arena *arena = arena_new(1 << 16);
        struct mime *mime = mime_parse(arena, message, &mime_limits_default, MIME_FIRST);
        struct message_text text;
        struct feature_links links = { 0 };
        struct features *features = arena_alloc(arena, sizeof *features);
        struct rule_texts texts = { 0 };
        struct rule_marks *marks = arena_alloc(arena, sizeof *marks);
        uint8_t *hits = arena_alloc(arena, set->count + 1);
        features->arena = arena;
        features->links = &links;
        message_text_read(&text, arena, mime);
        message_facts_add(features, mime, &text);
        double at = now_us();
        rule_signals_texts(arena, set, mime, &text, features, &texts);
        double texts_at = now_us();
        rule_match_texts(set, &texts, marks, hits);
        double matched_at = now_us();
        rule_match_rules(set, marks, hits);
        spent[0] += texts_at - at;
        spent[1] += matched_at - texts_at;
        spent[2] += now_us() - matched_at;
        feature_links_free(&links);
        message_text_free(&text);
        arena_free(arena);
    }
    printf("%u rules, %u probes; loaded in %.1f ms; a message of %zu bytes: texts %.1f us, patterns %.1f us, "
           "rules %.1f us\n",
           set->count, set->probe_count, load_us / 1000, message.length, spent[0] / times, spent[1] / times,
           spent[2] / times);
    ruleset_free(set);
    return EX_OK;
}
