/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What lookup is asked about how much came within an hour (QUESTION_RATE): of a sender inside, or of mail
   that confirms a sign-up to one recipient. Plain data with a byte form; the counting is lookup's, what
   follows is scan's. */
#ifndef SEKIMORI_JUDGE_SENDER_RATE_H
#define SEKIMORI_JUDGE_SENDER_RATE_H

#include "base/address.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "config/settings.h"

enum rate_about {
    RATE_ABOUT_INSIDE,  /* a message of a sender inside */
    RATE_ABOUT_SIGNUPS, /* a message from outside that is shaped like a sign-up */
    RATE_ABOUTS
};

enum { RATE_RECIPIENTS_MOST = 64, RATE_TEXT_MOST = 320 };

struct rate_subject {
    enum rate_about about;
    struct address client;
    struct text sender;       /* inside: MAIL FROM without brackets; sign-ups: the address in From */
    uint32_t recipient_total; /* of the message */
    uint32_t recipient_count; /* that stand here, the first ones; none of a sender inside */
    const struct text *recipients;
};

/* Appended; texts that are too long are put as empty ones. */
void rate_subject_put(const struct rate_subject *subject, struct buffer *out);
/* Of a sender inside: receive asks so early, scan where it found out that a message is from inside. */
bool rate_is_asked_inside(const struct config *config, struct text sender);
void rate_inside_put(const struct address *client, struct text sender, uint32_t recipients,
                     struct buffer *out);
/* Texts are borrowed, the list lives in the arena. False: malformed. */
bool rate_subject_get(struct arena *arena, struct text bytes, struct rate_subject *out);

/* Which line was passed. */
enum rate_cause {
    RATE_FINE, /* none */
    RATE_RECIPIENTS,
    RATE_REFUSED,
    RATE_SPAM,
    RATE_NETWORKS,
    RATE_SIGNUPS,
    RATE_CAUSES
};

struct rate_answer {
    enum rate_cause cause;
    uint32_t count, of;  /* that came in the hour; of a share: out of so many, else 0 */
    bool is_first;       /* nothing was said of it before: there is an alarm */
    uint64_t recipients; /* RATE_SIGNUPS: whose flood it is, a bit each by place in the question */
    uint64_t until_ms;   /* since 1970: so long the sender's mail is held; 0: nothing is said of it */
};
void rate_answer_put(const struct rate_answer *answer, struct buffer *out); /* appended */
bool rate_answer_get(struct text bytes, struct rate_answer *out);           /* false: malformed */

const char *rate_cause_name(enum rate_cause cause); /* "recipients"; "" for RATE_FINE */

/* Appends "2001 recipients in an hour", "60 of 100 recipients refused in an hour". */
void rate_answer_say(const struct rate_answer *answer, struct buffer *out);

#endif
