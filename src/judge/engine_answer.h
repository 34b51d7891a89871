/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What an engine outside said of one message: the value of a QUESTION_ENGINE or QUESTION_OPINION that was
   answered. */
#ifndef SEKIMORI_JUDGE_ENGINE_ANSWER_H
#define SEKIMORI_JUDGE_ENGINE_ANSWER_H

#include "judge/evidence.h"

enum {
    ENGINE_WORDS_MOST = 200,     /* bytes of each text; more is cut when it is written */
    ENGINE_SCORE_MOST = 1000000, /* points */
};

struct engine_answer {
    enum scan_state state; /* any but SCAN_NOT_ASKED; SCAN_LIMITS: it looked at a part, or at nothing since it
                              is too large for it; SCAN_UNSCANNED: it could not answer */
    bool is_oversize;      /* of SCAN_LIMITS: it was not asked */
    struct text name;    /* what it found, which limit, or why there is no answer; of an opinion the names of
                            what it counted, "," between them */
    struct text version; /* of the engine, as it says; empty: not known */
    /* Of an opinion, which is SCAN_FOUND where it calls the message spam: its points, and from which on it
       does; at most ENGINE_SCORE_MOST, either way. Else 0. */
    double score, line;
};

/* Appends its bytes. What is not printable ASCII becomes "?". */
void engine_answer_put(const struct engine_answer *answer, struct buffer *out);

/* Texts are borrowed. False: malformed. */
bool engine_answer_get(struct text bytes, struct engine_answer *out);

#endif
