/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* When signatures are fetched next. Pure: a record of what was, the clock, and how often it is wanted.
   Servers of signatures block who comes too often, so a record outlives helper. */
#ifndef SEKIMORI_HELPER_FETCH_SCHEDULE_H
#define SEKIMORI_HELPER_FETCH_SCHEDULE_H

#include "base/buffer.h"

enum fetch_outcome {
    FETCH_NEW,     /* what is there has changed */
    FETCH_SAME,    /* there was nothing new */
    FETCH_FAILED,  /* tried again in its turn */
    FETCH_WAIT,    /* the server says: later (429) */
    FETCH_REFUSED, /* the server does not serve us (403) */
    FETCH_OUTCOMES
};

/* Times of the wall clock in milliseconds; 0: never. */
struct fetch_record {
    uint64_t begun_ms;      /* the last time */
    uint64_t good_ms;       /* the last time that went well */
    uint64_t failing_ms;    /* since when none has; 0: the last one has */
    uint64_t not_before_ms; /* what the server asked for */
};

/* Of freshclam's exit code; 0 is FETCH_SAME: whether it brought something the folder shows. With 429 it is 0,
   too: then `was_told_wait`, by a line that fetch_line_until knows. */
enum fetch_outcome fetch_outcome_of(uint32_t freshclam_code, bool was_told_wait);
/* "… on cool-down until after: 2026-11-30 03:23:07", in local time. False: another line. */
bool fetch_line_until(struct text line, uint64_t *out_ms);
enum { FETCH_CODE_WAIT = 18 };
/* In English: "the server cannot be reached". */
const char *fetch_code_words(uint32_t freshclam_code);

/* When it is to run, at `now_ms` at the earliest. Never sooner than an hour after it last began, whatever
   `every_ms` says; up to a tenth of that later, by `seed`, so that not all nodes come at once. A clock that
   was set back is no reason to wait longer. */
uint64_t fetch_due_ms(const struct fetch_record *record, uint64_t every_ms, uint64_t now_ms, uint64_t seed);

/* It ended just now. `until_ms`: when the server wants to be asked again; 0: it has not said. */
void fetch_note(struct fetch_record *record, enum fetch_outcome outcome, uint64_t until_ms, uint64_t now_ms);

/* One line: "NAME BEGUN GOOD FAILING NOT-BEFORE". False: `line` is none of that name. */
void fetch_record_print(const char *name, const struct fetch_record *record, struct buffer *out);
bool fetch_record_read(const char *name, const char *line, struct fetch_record *out);

#endif
