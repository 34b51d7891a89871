/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* When a bad fact becomes a mail: at once, but not for a moment's trouble, and not again and again. */
#ifndef SEKIMORI_REPORT_ALARM_H
#define SEKIMORI_REPORT_ALARM_H

#include "report/facts.h"

enum {
    ALARM_BAD_LOOKS = 2,               /* in a row, until it is raised */
    ALARM_GOOD_LOOKS = 5,              /* in a row, until it is over */
    ALARM_QUIET_MS = 60 * 60 * 1000,   /* between a mail about a fact and the next about the same */
    ALARM_AGAIN_MS = 24 * 3600 * 1000, /* while it lasts */
};

struct alarm {
    bool is_raised;
    uint8_t bad_looks, good_looks;
    uint64_t told_ms; /* when a mail last spoke of it */
};

enum alarm_news { ALARM_NOTHING, ALARM_RAISED, ALARM_LASTS, ALARM_OVER };

/* One look at one fact. On any news the caller sends a mail. Unknown is no look. */
enum alarm_news alarm_look(struct alarm *alarm, enum fact_state state, uint64_t now_ms);

/* Kept in the file `alarms` of the folder, so that a restart repeats nothing. */
void alarms_read(int folder, struct alarm alarms[FACT_COUNT]);
void alarms_write(int folder, const struct alarm alarms[FACT_COUNT]); /* where it fails, the log says so */

#endif
