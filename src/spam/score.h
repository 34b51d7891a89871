/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What speaks for spam: message facts to named signals with points. Pure. It is shown every part once, and
   says at the end what was seen: by tables, models and rules. */
#ifndef SEKIMORI_SPAM_SCORE_H
#define SEKIMORI_SPAM_SCORE_H

#include "judge/campaign.h"
#include "judge/evidence.h"
#include "mail/mime.h"
#include "rules/ruleset.h"
#include "spam/base_model.h"
#include "spam/local_model.h"

enum { SCORE_SIGNALS_MOST = 200 };

/* Zero-initialise but for the arena, which owns what is returned, models and rules. */
struct score {
    struct arena *arena;
    const struct base_model *base;   /* NULL: there is none */
    const struct local_model *local; /* NULL: nothing was learned that counts */
    const struct ruleset *rules;     /* NULL: there are none */
    struct campaign_sketch *sketch;  /* NULL: nobody wants to know its near-duplicates; else the caller's */
    bool wants_links;                /* link_hosts, link_urls and link_texts are to be filled */
    struct text link_hosts, link_urls, link_texts; /* of its links: spam/feature_set.h, a line each */
    struct text rule_marks;     /* what rule_signals_late wants of the message; empty: nothing */
    struct message_text *text;  /* what was read; freed by score_message */
    struct vector_draft *draft; /* likewise, for the local model */
    struct signal *signals;
    uint32_t count;
};

/* Names are string literals, points are finite. More than SCORE_SIGNALS_MOST are dropped, of which
   LIMIT_SIGNALS tells as the last. `about` is borrowed. */
void score_add(struct score *score, const char *name, double points, struct text about);

/* A decoded part, as it is met; the same part again where it can be read otherwise. Only text is looked at,
   and a multipart that is none, whose body some programs show. What is met twice counts once. */
void score_part(struct score *score, const struct mime_part *part, struct text bytes);

/* Where text and links come from that stand in no part as text. */
enum score_source {
    SCORE_PDF, /* a PDF's pages and link annotations */
    SCORE_CODE /* a picture code (QR), wherever it is drawn */
};

/* Such text, a piece at a time, any bytes; borrowed for the call. What a code says comes here too. */
void score_text(struct score *score, enum score_source source, struct text text);
/* Such a link, any bytes, borrowed for the call: names its host. */
void score_link(struct score *score, enum score_source source, struct text address);
/* What was to be read so was not, or not to its end. `why` is borrowed as by score_add. */
void score_unread(struct score *score, struct text why);

/* A leaf as the message's tree has it, decoded, once: its words go to the models. Returns what
   message_text_part does. */
struct text score_read(struct score *score, const struct mime_part *part, struct text bytes);

/* Once, when all parts have been shown: the header of the message and how it is built. */
void score_message(struct score *score, const struct mime *mime);

/* What the answers to questions add (the client's name). A temporary error is named and weighs nothing. */
void score_answers(struct score *score, const struct question *questions, uint32_t count);

/* Signals rounded to a tenth each before they are added, so that what is printed adds up. */
double score_sum(const struct signal *signals, uint32_t count);

/* Appends the test for junk filters (GTUBE), which stands nowhere in one piece. */
void score_write_gtube(struct buffer *out);

#endif
