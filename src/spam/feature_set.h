/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A message as the base model sees it: hashed features, each there or not, in blocks that weigh alike however
   long the message is. The hash is the same everywhere and for ever: a model holds weights by it. */
#ifndef SEKIMORI_SPAM_FEATURE_SET_H
#define SEKIMORI_SPAM_FEATURE_SET_H

#include "base/arena.h"

enum feature_block {
    FEATURE_BODY,    /* runs of three bytes of the visible text */
    FEATURE_SUBJECT, /* the same of the Subject */
    FEATURE_FACT,    /* named facts: structure, phrases, links */
    FEATURE_BLOCKS
};

enum { FEATURE_BITS = 16, FEATURE_SLOTS = 1 << FEATURE_BITS };

struct feature_set {
    uint64_t has[FEATURE_SLOTS / 64];
    uint16_t *slots; /* those of `has`, as they came */
    uint32_t count, room;
};

struct features {
    struct arena *arena; /* set by the caller; zeroes else */
    struct feature_set blocks[FEATURE_BLOCKS];
};

/* What a block counts beside the others: 1, 1, 0.7. */
double features_weight(enum feature_block block);

/* Adds every run of three bytes of a folded text. */
void features_add_text(struct features *features, enum feature_block block, struct text folded);

/* Adds a fact by its name and, where it has several, its value. */
void features_add_fact(struct features *features, const char *name, struct text value);

#endif
