/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Lessons in a file, one behind another: what was learned, and of what nobody said where it came from; what
   was taken back. The log of a node, the mails against one-sided teaching beside the base model, and what
   `sekimori model export` writes. Pure. */
#ifndef SEKIMORI_SPAM_LESSON_LOG_H
#define SEKIMORI_SPAM_LESSON_LOG_H

#include "judge/campaign.h"
#include "spam/lesson.h"

enum {
    LESSON_LOG_VERSION = 1,
    LESSON_LOG_HEAD_BYTES = 16,
    LESSON_RECORD_HEAD_BYTES = 16,
    LESSON_RECORD_MOST = LESSON_RECORD_HEAD_BYTES + 1 + LESSON_BYTES_MOST
};

enum lesson_record_kind {
    LESSON_TAUGHT = 1,
    LESSON_UNDONE = 2,
    LESSON_AUTOMATIC = 3 /* the next record teaches this mail, and no person said what it is */
};

/* Where such a mail came from, so that one sender cannot teach by bulk. */
struct lesson_origin {
    uint64_t domain;  /* checksum of the organization that sent it, in lower case */
    uint64_t network; /* its client's, as automatic learning counts it */
    struct campaign_sketch sketch;
};

struct lesson_record {
    enum lesson_record_kind kind;
    struct text lesson;          /* of LESSON_TAUGHT: for lesson_parse; borrowed */
    uint64_t time_ms;            /* when it was taught or taken back */
    uint8_t id[LESSON_ID_BYTES]; /* which mail */
    struct lesson_origin origin; /* of LESSON_AUTOMATIC */
    size_t bytes;                /* in the file, with its own head */
};

enum lesson_log_next {
    LESSON_LOG_RECORD,
    LESSON_LOG_END,
    LESSON_LOG_CUT,    /* the last one was not written whole: what is before it holds */
    LESSON_LOG_DAMAGED /* bytes were changed; what is before holds */
};

/* Each appends. */
void lesson_log_begin(struct buffer *out);
void lesson_log_teach(const struct lesson *lesson, struct buffer *out);
void lesson_log_teach_automatic(const struct lesson *lesson, const struct lesson_origin *origin,
                                struct buffer *out); /* two records */
/* The same: that mail is not taught any more. */
void lesson_log_undo(const uint8_t id[LESSON_ID_BYTES], uint64_t time_ms, struct buffer *out);

/* Takes the head off. NULL, or why these bytes are no such log; it is a literal. */
const char *lesson_log_open(struct text *rest);

/* Takes one record off `rest` where there is one. A lesson in it may still be none. */
enum lesson_log_next lesson_log_next(struct text *rest, struct lesson_record *out);

#endif
