/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A message as the base model sees it: hashed features, each there or not, in blocks that weigh alike however
   long the message is. The hash is the same everywhere and for ever: a model holds weights by it. */
#ifndef SEKIMORI_SPAM_FEATURE_SET_H
#define SEKIMORI_SPAM_FEATURE_SET_H

#include "base/arena.h"
#include "base/buffer.h"

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

/* Links as they were met, for who wants them: a line each. */
struct feature_links {
    struct buffer hosts, urls, shown; /* folded; each up to FEATURE_LINKS_MOST bytes */
};

void feature_links_free(struct feature_links *links); /* its buffers */

enum { FEATURE_LINKS_MOST = 32 * 1024 };

struct features {
    struct arena *arena;         /* set by the caller; zeroes else */
    struct feature_links *links; /* NULL: nobody wants them; else the caller's, freed by it */
    uint64_t *facts;             /* those that were added, by ruleset_fact; each once */
    uint32_t fact_count, fact_room;
    struct buffer
        *fact_names;      /* NULL: nobody wants them; else the caller's: a line each, name or name=value */
    bool has_more_links;  /* than were looked at, or than `links` has room for */
    uint64_t recent[256]; /* facts by their last byte: most of what comes again comes soon */
    struct feature_set blocks[FEATURE_BLOCKS];
};

/* What a block counts beside the others: 1, 1, 0.5. */
double features_weight(enum feature_block block);

/* The slot of three bytes in a row, the first in the highest byte. */
static inline uint32_t features_run_slot(uint32_t run)
{
    return run * 0x9E3779B1u >> (32 - FEATURE_BITS);
}

/* Adds every run of three bytes of a folded text. */
void features_add_text(struct features *features, enum feature_block block, struct text folded);

/* Adds a fact by its name and, where it has several, its value. */
void features_add_fact(struct features *features, const char *name, struct text value);
/* The same for rules alone: no model has a weight for it. */
void features_note_fact(struct features *features, const char *name, struct text value);
/* It was added; or, once in some thousands, another fact of the same slot was. */
bool features_has_fact(const struct features *features, const char *name, struct text value);

/* Adds a link's host, target and what is shown of it to features->links, where there is one. */
void features_add_link(struct features *features, struct text host, struct text target, struct text shown);

#endif
