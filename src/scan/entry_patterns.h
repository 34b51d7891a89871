/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The patterns of allow and block entries over what a message has: all of them in one pass. A worker keeps
   them compiled; who sent the message is no matter here, scan/entry_match.h decides by the hits. */
#ifndef SEKIMORI_SCAN_ENTRY_PATTERNS_H
#define SEKIMORI_SCAN_ENTRY_PATTERNS_H

#include "base/arena.h"
#include "config/entry_image.h"
#include "mail/mime.h"

struct entry_patterns;

/* Without a pattern; owned by the caller. */
struct entry_patterns *entry_patterns_new(void);
void entry_patterns_free(struct entry_patterns *patterns); /* NULL is allowed */

/* Those of both images, compiled anew where one of them has others than before; nothing is borrowed. Returns
   a bit for each enum entry_feature that some pattern is for. */
unsigned entry_patterns_load(struct entry_patterns *patterns, struct text page, struct text configured);

/* What patterns are for: a line each, folded by text_fold or not. */
struct entry_texts {
    struct text hosts, urls; /* of links; a URL with or without its scheme */
    struct text members;     /* paths of files in containers */
};

/* The byte form of the hits, in the arena; empty: there is none. Linear in what the texts have; at most
   ENTRY_TRIES_MOST times a pattern is tried on 256 bytes, what is behind is not found. */
struct text entry_patterns_find(struct entry_patterns *patterns, struct arena *arena, const struct mime *mime,
                                const struct entry_texts *texts);

enum { ENTRY_TRIES_MOST = 20000, ENTRY_HITS_MOST = 200 };

/* An entry some pattern of which matches. */
struct entry_hit {
    uint32_t number;
    bool is_configured;
    uint32_t check;   /* sender_entry_pattern_check: another entry may have the number of a configuration */
    uint8_t features; /* bits of those that match */
};

/* The next of the hits; false: there is no more, or they are malformed. */
bool entry_hits_next(struct text *hits, struct entry_hit *out);
/* All patterns of the entry matched; true where it has none. */
bool entry_hits_have(struct text hits, const struct sender_entry *entry);

/* The pattern, "*" for any text, is the whole text; both folded, the pattern by entry_pattern_fold. Linear in
   the text. */
bool entry_pattern_matches(struct text pattern, struct text text);
/* Appends the pattern as entry_pattern_matches wants it. */
void entry_pattern_fold(struct text pattern, enum entry_feature feature, struct buffer *out);

#endif
