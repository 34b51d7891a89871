/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What lists are asked and what they say, of all lists at once (QUESTION_LIST). lookup asks them. */
#ifndef SEKIMORI_JUDGE_LIST_ANSWER_H
#define SEKIMORI_JUDGE_LIST_ANSWER_H

#include "base/address.h"
#include "base/buffer.h"
#include "config/settings.h"

enum { LIST_HITS_MOST = 8, LIST_REASON_MOST = 80, LIST_VALUE_MOST = 600, LIST_SHOWN_MOST = 200 };

/* The subject: "client 192.0.2.1", "link www.example.com", "hash 0123…" (64 hexadecimal
   digits), "address user@example.com", "link-hash example.com/path" (judge/list_value.h). Appended. */
void list_subject_put(enum list_about about, struct text value, struct buffer *out);
/* The value is borrowed. False: it is no such subject. */
bool list_subject_get(struct text subject, enum list_about *out_about, struct text *out_value);

struct list_hit {
    struct text list;      /* its name in the configuration */
    struct address answer; /* of a zone; zero: of a file */
    uint32_t line;         /* of the file; 0: of a zone */
    struct text reason;    /* the file's word for it; printable, perhaps empty */
};

struct list_answer {
    bool is_incomplete; /* some list could not be asked */
    uint32_t hit_count;
    struct list_hit hits[LIST_HITS_MOST];
};

/* The byte form, appended; hits beyond LIST_HITS_MOST are never there. */
void list_answer_put(const struct list_answer *answer, struct buffer *out);
/* Texts are borrowed. False: malformed. */
bool list_answer_get(struct text bytes, struct list_answer *out);

/* "client 192.0.2.1 is listed by spamhaus-zen: SBL: a source of spam (127.0.0.2)", appended, in printable
   ASCII. `means`: what the answer means (list_setting_means), or NULL. */
void list_hit_say(struct text subject, const struct list_hit *hit, const char *means, struct buffer *out);

#endif
