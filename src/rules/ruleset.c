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
