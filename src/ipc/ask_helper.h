/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What may be asked of helper, the one process that starts programs. Which program is never asked: it stands
   in the configuration. */
#ifndef SEKIMORI_IPC_ASK_HELPER_H
#define SEKIMORI_IPC_ASK_HELPER_H

#include "base/codec.h"

enum helper_frame {
    HELPER_ALARM = 1, /* report: struct alarm_notice; the alarm hook is to be run */
    HELPER_ENDED,     /* helper: the same id; struct program_end. Each order is answered once */
};

enum alarm_state { ALARM_STATE_RAISED, ALARM_STATE_LASTS, ALARM_STATE_OVER, ALARM_STATES };
const char *alarm_state_name(enum alarm_state state); /* "raised", "lasts", "over" */

enum { ALARM_WORD_MOST = 32, ALARM_TEXT_MOST = 2000 };

struct alarm_notice {
    uint64_t time_ms;
    enum alarm_state state;
    struct text alarm;          /* "certificates": a word that never changes */
    struct text english, local; /* what is the matter, UTF-8; local: in the language of the report */
};
/* Cuts what is too long. */
void alarm_notice_put(const struct alarm_notice *notice, struct buffer *out);
bool alarm_notice_get(struct text payload, struct alarm_notice *out); /* borrows; false: malformed */

enum program_outcome {
    PROGRAM_EXITED,  /* number: its exit code */
    PROGRAM_KILLED,  /* number: the signal */
    PROGRAM_LATE,    /* it was killed when its time was over */
    PROGRAM_REFUSED, /* it could not be started, or there was no room in the line */
    PROGRAM_OUTCOMES
};

struct program_end {
    enum program_outcome outcome;
    uint32_t number;
    uint64_t took_ms;
};
bool program_end_is_good(const struct program_end *end); /* exit code 0 */
void program_end_say(const struct program_end *end,
                     struct buffer *out); /* English: "ended with exit code 3" */

void program_end_put(const struct program_end *end, struct buffer *out); /* appends */
bool program_end_get(struct text payload, struct program_end *out);      /* false: malformed */

#endif
