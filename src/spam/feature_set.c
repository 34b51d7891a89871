/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "spam/feature_set.h"

double features_weight(enum feature_block block)
{
    static const double weights[FEATURE_BLOCKS] = { 1, 1, 0.7 };
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
        slot_add(features, block, run * 0x9E3779B1u >> (32 - FEATURE_BITS));
    }
}

void features_add_fact(struct features *features, const char *name, struct text value)
{
    uint64_t hash = text_checksum_on(text_checksum(text_of(name)), TEXT("="));
    hash = text_checksum_on(hash, value);
    hash ^= hash >> 32;
    slot_add(features, FEATURE_FACT, (uint32_t)(hash * 0x9E3779B1u) >> (32 - FEATURE_BITS));
}
