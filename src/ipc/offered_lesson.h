/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What receive tells ledger of a message that is far beyond the lines of `learn`: numbers made of it
   (spam/lesson.h), and where it came from, so that ledger can see that nobody teaches by bulk. Ledger
   decides. No text of the mail is in it. */
#ifndef SEKIMORI_IPC_OFFERED_LESSON_H
#define SEKIMORI_IPC_OFFERED_LESSON_H

#include "ipc/event.h"

struct offered_lesson {
    uint64_t id, time_ms; /* of the message; when it was judged */
    bool is_spam;
    struct address client;
    struct text author;       /* the domain in From, as partners are counted by; of ham it is proven */
    struct text organization; /* that it belongs to */
    struct text sketch;       /* campaign_sketch_put (judge/campaign.h) */
    struct text lesson;       /* lesson_write, of no class and no time */
};

/* Appends the event. False: it is too long for a ring (RING_RECORD_LIMIT), and nothing was appended. */
bool offered_lesson_put(const struct offered_lesson *offered, struct buffer *out);
/* Texts are borrowed. False: malformed; sketch and lesson may still be none. */
bool offered_lesson_get(struct text event, struct offered_lesson *out);

#endif
