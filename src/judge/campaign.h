/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What near-duplicates of a message are known by, and what is known of them: both made by scan, the latter
   out of the table that lookup keeps. No text can be read out of either. */
#ifndef SEKIMORI_JUDGE_CAMPAIGN_H
#define SEKIMORI_JUDGE_CAMPAIGN_H

#include "base/buffer.h"

enum {
    CAMPAIGN_BANDS = 8,       /* of a text; one that shares CAMPAIGN_BANDS_LEAST with another is the same */
    CAMPAIGN_BANDS_LEAST = 4, /* what chance gives to two texts that are half alike is fewer */
    CAMPAIGN_FILES_MOST = 4   /* of one message */
};

/* What a campaign is the same in. */
enum campaign_kind {
    CAMPAIGN_TEXT, /* a text of some length, nearly the same */
    CAMPAIGN_LINE, /* a few words, the very same, with links to the same hosts */
    CAMPAIGN_FILE, /* a file, the very same */
    CAMPAIGN_KINDS
};

/* All zero: nothing in the message can tell it from others. A key is never 0. The same everywhere and for
   ever within CAMPAIGN_VERSION. */
struct campaign_sketch {
    uint64_t bands[CAMPAIGN_BANDS]; /* all or none */
    uint64_t line;                  /* of a text that is too short for bands; 0: none */
    uint32_t file_count;
    uint64_t files[CAMPAIGN_FILES_MOST];
};

enum { CAMPAIGN_VERSION = 1 };

static inline bool campaign_sketch_is_empty(const struct campaign_sketch *sketch)
{
    return sketch->bands[0] == 0 && sketch->line == 0 && sketch->file_count == 0;
}

/* The byte form, appended; reads exactly what is written so. False: malformed, or empty. */
void campaign_sketch_put(const struct campaign_sketch *sketch, struct buffer *out);
bool campaign_sketch_get(struct text bytes, struct campaign_sketch *out);

/* Both are of one campaign: they share a text, a line or a file. */
bool campaign_sketch_is_alike(const struct campaign_sketch *a, const struct campaign_sketch *b);

/* What is known of the one that a message belongs to. Count 0: it belongs to none. */
struct campaign_answer {
    enum campaign_kind kind;
    uint64_t id;
    uint32_t count, networks, senders, recipients; /* messages; the others distinct, about */
    uint64_t since_ms;                             /* when the first of these came, since 1970 */
    uint32_t reporters;      /* who told of it in the last days, without those whose word alone stops it */
    bool is_stopped;         /* by an administrator, or a reporter who is trusted */
    bool is_stopped_by_user; /* by the latter */
    bool is_told_by_all;     /* every recipient of the message told of it */
};

enum { CAMPAIGN_REPORTERS_ENOUGH = 3 }; /* so many who told of it count for everybody */

/* The byte form, appended; reads exactly what is written so. False: malformed. */
void campaign_answer_put(const struct campaign_answer *answer, struct buffer *out);
bool campaign_answer_get(struct text bytes, struct campaign_answer *out);

const char *campaign_kind_name(enum campaign_kind kind); /* "text", "line", "file" */

#endif
