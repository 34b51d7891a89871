/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "rules/ruleset.h"

#include <stdlib.h>

void ruleset_free(struct ruleset *set)
{
    if (!set) return;
    for (uint32_t i = 0; i < set->probe_count; i++) rule_pattern_free(set->probes[i].pattern);
    for (int i = 0; i < RULE_AREAS_MOST; i++) literal_table_free(set->literals[i]);
    rule_matcher_free(set->matcher);
    free(set->probes);
    free(set->rules);
    arena_free(set->arena);
    free(set);
}

static void steps_gather(struct ruleset *set)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < set->count; i++) count += set->rules[i].step_count;
    set->steps = arena_alloc_array(set->arena, count + 1, sizeof *set->steps);
    set->ends = arena_alloc_array(set->arena, set->count + 1, sizeof *set->ends);
    count = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        const struct spam_rule *rule = &set->rules[i];
        if (!rule->is_off && rule->step_count > 0) {
            memcpy(set->steps + count, rule->steps, rule->step_count * sizeof *rule->steps);
            count += rule->step_count;
        }
        set->ends[i] = count;
    }
}

static int by_hash(const void *a, const void *b)
{
    uint64_t first = ((const struct fact_probe *)a)->hash, second = ((const struct fact_probe *)b)->hash;
    return first < second ? -1 : first > second;
}

static void facts_gather(struct ruleset *set)
{
    set->facts = arena_alloc_array(set->arena, set->probe_count + 1, sizeof *set->facts);
    for (uint32_t i = 0; i < set->probe_count; i++)
        if (set->probes[i].kind == PROBE_FACT)
            set->facts[set->fact_count++] = (struct fact_probe){ set->probes[i].hash, i };
    qsort(set->facts, set->fact_count, sizeof *set->facts, by_hash);
}

const struct fact_probe *ruleset_fact_probe(const struct ruleset *set, uint64_t hash)
{
    uint32_t low = 0, high = set->fact_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (set->facts[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set->fact_count && set->facts[low].hash == hash ? &set->facts[low] : NULL;
}

void ruleset_finish(struct ruleset *set)
{
    steps_gather(set);
    facts_gather(set);
    set->settled = arena_alloc(set->arena, set->probe_count / 8 + 1);
    for (uint32_t i = 0; i < set->probe_count; i++)
        if (set->probes[i].kind != PROBE_PATTERN || set->probes[i].has_literals)
            set->settled[i / 8] |= (uint8_t)(1u << i % 8);
    set->matcher = rule_matcher_new();
}

int ruleset_find(const struct ruleset *set, struct text name)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (text_equal(set->rules[i].name, name)) return (int)i;
    return -1;
}

uint64_t ruleset_fact(struct text name, struct text value)
{
    return text_checksum_on(text_checksum_on(text_checksum(name), TEXT("=")), value);
}
