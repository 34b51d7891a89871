/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* How far a client is behind the least rate, and how long it still has. Pure: the caller brings the clock.
   Time runs against the client from the beginning of a stage, whatever it says meanwhile; octets of content
   pay for it, at the least rate. What came fast is not saved up: who is ahead has paid, and no more. */
#ifndef SEKIMORI_RECEIVE_PACE_H
#define SEKIMORI_RECEIVE_PACE_H

#include <stdint.h>

/* In their order: only a later one is progress. */
enum pace_stage {
    PACE_GREETING, /* until EHLO */
    PACE_BETWEEN,  /* until MAIL */
    PACE_MESSAGE,  /* from the first MAIL to the reply to a message, over RSET and further MAILs */
};

struct pace_limits {
    uint64_t greeting_ms, command_ms, data_ms;
    uint64_t rate; /* octets a second, at least 1 */
};

struct pace {
    enum pace_stage stage;
    uint64_t at_ms; /* up to when `owed` is counted */
    uint64_t owed;  /* in thousandths of octets */
};

/* A stage begins with nothing owed. */
void pace_start(struct pace *pace, enum pace_stage stage, uint64_t now_ms);

/* The same, where it is progress; else nothing happens. */
void pace_reach(struct pace *pace, enum pace_stage stage, uint64_t now_ms);

/* Counts the time up to now, and octets of content that came. */
void pace_count(struct pace *pace, const struct pace_limits *limits, uint64_t now_ms, uint64_t octets);

/* The time since the last pace_count was ours. */
void pace_skip(struct pace *pace, uint64_t now_ms);

/* How long the client has been slower than the least rate, in milliseconds: the measure of who goes first. */
uint64_t pace_behind_ms(const struct pace *pace, const struct pace_limits *limits, uint64_t now_ms);

/* What is left of the stage's time, in milliseconds. 0: it is over. */
uint64_t pace_left_ms(const struct pace *pace, const struct pace_limits *limits, uint64_t now_ms);

#endif
