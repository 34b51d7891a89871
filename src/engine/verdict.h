/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What the end of a command says of a message. Pure: no process, no clock. */
#ifndef SEKIMORI_ENGINE_VERDICT_H
#define SEKIMORI_ENGINE_VERDICT_H

#include <regex.h>

#include "base/buffer.h"
#include "config/settings.h"
#include "judge/evidence.h"

enum {
    VERDICT_OUTPUT_MOST = 64 * 1024, /* bytes of what a command says that are looked at */
    VERDICT_LINE_MOST = 1000,        /* of one line; what is beyond is not looked at */
    VERDICT_WORDS_MOST = 120,        /* of what a command that failed said, in the alarm */
};

/* By its exit status, which the statement's lists are searched for: SCAN_CLEAN, SCAN_FOUND, or SCAN_UNSCANNED
   where it is in none. `pattern` is the statement's, or NULL. `name` is appended to: what was found (the
   first group of the first line that matches, else "found" and the status), or why there is no answer, with
   the first line that the command said. */
enum scan_state verdict_of(const struct outside_engine *engine, const regex_t *pattern, uint32_t status,
                           struct text output, struct buffer *name);

#endif
