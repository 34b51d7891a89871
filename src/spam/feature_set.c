/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "spam/feature_set.h"

#include "rules/ruleset.h"
#include "spam/message_text.h"
#include "spam/text_fold.h"

double features_weight(enum feature_block block)
{
    static const double weights[FEATURE_BLOCKS] = { 1, 1, 0.5 };
    return weights[block];
}

static void slot_add(struct features *features, enum feature_block block, uint32_t slot)
{
    struct feature_set *set = &features->blocks[block];
    uint64_t bit = UINT64_C(1) << (slot & 63);
    if (set->has[slot >> 6] & bit) return;
    set->has[slot >> 6] |= bit;
    if (set->count == set->room) {
        uint32_t room = set->room ? set->room * 2 : 512;
        uint16_t *slots = arena_alloc_array(features->arena, room, sizeof *slots);
        if (set->count) memcpy(slots, set->slots, set->count * sizeof *slots);
        set->slots = slots;
        set->room = room;
    }
    set->slots[set->count++] = (uint16_t)slot;
}

void features_add_text(struct features *features, enum feature_block block, struct text folded)
{
    const uint8_t *at = (const uint8_t *)folded.at;
    if (folded.length < 3) return;
    uint32_t run = (uint32_t)at[0] << 8 | at[1];
    for (size_t i = 2; i < folded.length; i++) {
        run = (run << 8 | at[i]) & 0xFFFFFF;
        slot_add(features, block, features_run_slot(run));
    }
}

static void fact_name_add(struct buffer *names, const char *name, struct text value)
{
    if (!names) return;
    buffer_printf(names, value.length ? "%s=%.*s\n" : "%s%.*s\n", name, TEXT_ARG(value));
}

/* Returns what a rule that asks for it knows it by. */
static uint64_t fact_keep(struct features *features, const char *name, struct text value)
{
    uint64_t fact = ruleset_fact(text_of(name), value);
    uint64_t *recent = &features->recent[fact & 255];
    if (*recent == fact) return fact;
    *recent = fact;
    for (uint32_t i = 0; i < features->fact_count; i++)
        if (features->facts[i] == fact) return fact;
    if (features->fact_count == features->fact_room) {
        uint32_t room = features->fact_room ? features->fact_room * 2 : 256;
        uint64_t *facts = arena_alloc_array(features->arena, room, sizeof *facts);
        if (features->fact_count) memcpy(facts, features->facts, features->fact_count * sizeof *facts);
        features->facts = facts;
        features->fact_room = room;
    }
    features->facts[features->fact_count++] = fact;
    fact_name_add(features->fact_names, name, value);
    return fact;
}

static uint32_t fact_slot(uint64_t fact)
{
    fact ^= fact >> 32;
    return (uint32_t)(fact * 0x9E3779B1u) >> (32 - FEATURE_BITS);
}

void features_add_fact(struct features *features, const char *name, struct text value)
{
    slot_add(features, FEATURE_FACT, fact_slot(fact_keep(features, name, value)));
}

void features_note_fact(struct features *features, const char *name, struct text value)
{
    fact_keep(features, name, value);
}

bool features_has_fact(const struct features *features, const char *name, struct text value)
{
    uint32_t slot = fact_slot(ruleset_fact(text_of(name), value));
    return features->blocks[FEATURE_FACT].has[slot >> 6] >> (slot & 63) & 1;
}

/* False: there is no room for it. */
static bool line_add(struct buffer *lines, struct text text)
{
    if (text.length == 0) return true;
    if (buffer_length(lines) + text.length >= FEATURE_LINKS_MOST) return false;
    text_fold(text, lines, NULL);
    buffer_add_char(lines, '\n');
    return true;
}

void features_add_link(struct features *features, struct text host, struct text target, struct text shown)
{
    if (!features->links) return;
    bool has_host = line_add(&features->links->hosts, host);
    bool has_target = line_add(&features->links->urls, target);
    bool has_shown = line_add(&features->links->shown, shown);
    if (!has_host || !has_target || !has_shown) features->has_more_links = true;
}

void feature_links_free(struct feature_links *links)
{
    buffer_free(&links->hosts);
    buffer_free(&links->urls);
    buffer_free(&links->shown);
}
