/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Senders inside: what each sent in an hour, and whose mail is held since it passed a line of `inside`. Knows
   neither frames nor the disk. */
#ifndef SEKIMORI_LOOKUP_INSIDE_SENDERS_H
#define SEKIMORI_LOOKUP_INSIDE_SENDERS_H

#include "config/settings.h"
#include "ipc/ask_rate.h"
#include "judge/sender_rate.h"

enum { INSIDE_HELD_MOST = 256 }; /* over it the one whose hold ends first gives way */

struct inside_senders;

/* A sender whose mail is held. */
struct inside_held {
    char sender[RATE_TEXT_MOST + 1]; /* in small letters */
    struct rate_answer why;          /* is_first: false */
    uint64_t since_ms;               /* since 1970, as why.until_ms */
    uint32_t messages;               /* that were held since */
};

struct inside_senders *inside_senders_new(void);          /* never NULL */
void inside_senders_free(struct inside_senders *senders); /* and all that it knows */

/* Two clocks: `now_ms` only goes forward, `wall_ms` is since 1970. */
struct inside_time {
    uint64_t now_ms, wall_ms;
};

/* Counts a message, and says whether its sender is held, or passes a line by it; true: it passed it now, and
   the log is to say so. is_first holds for some messages, of which any may be the last that is judged; who
   tells people leaves out what was told. In observe mode nobody is held, and is_first is true once in the
   time of a hold. Fine where the mode is off, and for who is exempt or has no name. */
bool inside_senders_message(struct inside_senders *senders, const struct config *config,
                            const struct rate_subject *subject, struct inside_time time,
                            struct rate_answer *out);

/* Counts what became known of a sender; the next message is judged by it. */
void inside_senders_event(struct inside_senders *senders, enum rate_event event, struct text sender,
                          uint64_t now_ms);

/* False: nobody of that name is held. What he sent so far counts no more. */
bool inside_senders_release(struct inside_senders *senders, struct text sender, struct inside_time time);

/* Those whose hold has not ended, by number from 0; NULL: there is none. Valid until the next call of another
   function. */
const struct inside_held *inside_senders_held(const struct inside_senders *senders, size_t number,
                                              uint64_t wall_ms);

uint32_t inside_senders_count(const struct inside_senders *senders,
                              uint64_t wall_ms); /* how many there are */

/* The held ones as bytes that outlive the process, appended. */
void inside_senders_put(const struct inside_senders *senders, uint64_t wall_ms, struct buffer *out);
/* Takes them in; false: malformed, and none is taken. */
bool inside_senders_get(struct inside_senders *senders, struct text bytes);
/* They are no longer those that the last inside_senders_put or _get saw; asking makes it false. */
bool inside_senders_have_changed(struct inside_senders *senders);

#endif
