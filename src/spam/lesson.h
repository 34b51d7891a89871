/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One mail that somebody said is spam or ham: which mail it was, what it was called, its features. What is
   sent to the process that learns, and kept in its log. No text of the mail is in it. Pure. */
#ifndef SEKIMORI_SPAM_LESSON_H
#define SEKIMORI_SPAM_LESSON_H

#include "spam/base_model.h"
#include "spam/mail_vector.h"

enum { LESSON_ID_BYTES = 32, LESSON_BYTES_MOST = 1 + 8 + LESSON_ID_BYTES + 8 + VECTOR_BYTES_MOST };

struct lesson {
    bool is_spam;
    uint64_t time_ms; /* when it was taught, by the wall clock */
    uint8_t id[LESSON_ID_BYTES];
    double base; /* the base model's margin; 0: there was none */
    struct mail_vector vector;
};

/* The same for a mail however it was carried or tagged: SHA-256 of its header without the carriers' and
   filters' fields, and its body, line ends alike. */
void lesson_identify(struct arena *arena, const struct mime *mime, uint8_t out[LESSON_ID_BYTES]);

/* Some field is one of RFC 5322: a picture or a text is no mail, whatever is in it. */
bool lesson_is_mail(const struct header *header);

/* Reads a whole message; label and time are left to the caller. `base` may be NULL. Lives in the arena; the
   vector is sorted. */
void lesson_read(struct arena *arena, struct text message, const struct base_model *base, struct lesson *out);

/* Appends it; the vector must be sorted. */
void lesson_write(const struct lesson *lesson, struct buffer *out);

/* The bytes of one, and nothing behind them. False: they are none. Slots live in the arena. */
bool lesson_parse(struct text bytes, struct arena *arena, struct lesson *out);

#endif
