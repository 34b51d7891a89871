/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What lookup is asked about a sender's past, of a recipient at RCPT and of a whole message
   (QUESTION_HISTORY), and what it says. Plain data with a byte form; what it weighs is scan's. */
#ifndef SEKIMORI_JUDGE_SENDER_HISTORY_H
#define SEKIMORI_JUDGE_SENDER_HISTORY_H

#include "base/address.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "config/settings.h"

/* Of one message: recipients that are told (a bit each), octets of an address, octets of the whole subject.
 */
enum { SENDER_RECIPIENTS_MOST = 64, SENDER_ADDRESS_MOST = 320, SENDER_SUBJECT_MOST = 8192 };
enum { SENDER_FINDINGS_MOST = 16, SENDER_ABOUT_MOST = 320 };

/* Of whom a message is and for whom. Of a recipient at RCPT: he alone, and no From. */
struct sender_subject {
    enum direction direction;
    struct address client;
    struct text sender;       /* MAIL FROM without brackets */
    struct text from;         /* the one address in From; empty: none, several, or not known yet */
    uint32_t recipient_count; /* at most SENDER_RECIPIENTS_MOST */
    const struct text *recipients;
};

/* Appended; addresses that are too long are put as empty ones. The first recipients, as far as there is room.
 */
void sender_subject_put(const struct sender_subject *subject, struct buffer *out);
/* Texts are borrowed, the list lives in the arena. False: malformed. */
bool sender_subject_get(struct arena *arena, struct text bytes, struct sender_subject *out);

/* --- of a recipient --- */

enum sender_delay {
    SENDER_GO_ON,
    SENDER_GREYLISTED, /* it came before, and comes back too early */
    SENDER_DELAYS
};

struct sender_rcpt_answer {
    enum sender_delay delay;
    uint32_t wait_s; /* from now on; 0: nothing is said of it */
    bool is_for_all; /* further recipients of this message need not be asked about */
};
void sender_rcpt_answer_put(const struct sender_rcpt_answer *answer, struct buffer *out); /* appended */
bool sender_rcpt_answer_get(struct text bytes, struct sender_rcpt_answer *out); /* false: malformed */

/* --- of a message --- */

enum sender_finding_kind {
    SENDER_IS_UNKNOWN, /* greylisting: nobody here knows him; recipients: those he is unknown to; count: the
                          seconds that he is to wait */
    SENDER_IS_BACK,    /* greylisting: he came back in time; span_ms: since he was told to */
    SENDER_REPUTATION_NETWORK, /* count of `of` messages were spam; about: the network */
    SENDER_REPUTATION_DOMAIN,  /* the same of the domain in From where that is proven */
    SENDER_IS_NEW,             /* his address in From: never seen here */
    SENDER_IS_NEW_TO,          /* seen here, and not by these recipients */
    SENDER_FINDING_KINDS
};

struct sender_finding {
    enum sender_finding_kind kind;
    uint64_t recipients; /* bits, by place in the question; 0: it is of the message */
    uint32_t count, of;
    double weight, weight_of; /* the same two, older ones counting less; never negative, nor NaN */
    uint64_t span_ms;         /* within this time, or since so long; 0: nothing is said of it */
    struct text about;        /* at most SENDER_ABOUT_MOST octets of printable ASCII */
};

struct sender_history {
    uint32_t count;
    struct sender_finding findings[SENDER_FINDINGS_MOST];
};

/* Adds one, where there is room. */
void sender_history_add(struct sender_history *history, const struct sender_finding *finding);
/* The first of that kind; NULL: there is none. */
const struct sender_finding *sender_history_find(const struct sender_history *history,
                                                 enum sender_finding_kind kind);
/* "net 192.0.2.0/24: 40 of 41 messages were spam in 30 days"; appended. */
void sender_finding_say(enum language language, const struct sender_finding *finding, struct buffer *out);
void sender_history_put(const struct sender_history *history, struct buffer *out); /* appended */
/* Texts are borrowed. False: malformed. */
bool sender_history_get(struct text bytes, struct sender_history *out);

#endif
