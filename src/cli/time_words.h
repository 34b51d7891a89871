/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Times as people say and read them on the command line: local time. */
#ifndef SEKIMORI_CLI_TIME_WORDS_H
#define SEKIMORI_CLI_TIME_WORDS_H

#include "base/text.h"

enum { WHEN_SIZE = 32 };

/* Complaints about what these read, for tables of options. */
#define WHEN_DAY_WANTED " wants a day such as 2026-10-04, today or yesterday, not "
#define WHEN_MONTH_WANTED " wants a month such as 2026-10, not "
#define WHEN_WANTED(option) \
    "--" option " wants a time such as 2026-10-04, \"2026-10-04 13:05\", today or 2h (ago), not "

/* "2026-10-04", "2026-10-04 13:05", "2026-10-04 13:05:59" (a T between is allowed), "today", "yesterday",
   "now", or how long ago: "90m", "2h", "3d". With "Z" or "+09:00" behind the clock it is in that zone (RFC
   3339). */
bool when_parse(struct text text, uint64_t now_ms, uint64_t *out_ms);

/* A whole day, "2026-10-04", "today" or "yesterday": yyyymmdd. */
bool when_parse_day(struct text text, uint64_t now_ms, uint32_t *out_day);

/* "2026-10-04 13:05:59"; `has_ms`: ".123" behind it. */
char *when_print(uint64_t ms, bool has_ms, char room[WHEN_SIZE]);

uint64_t when_now_ms(void); /* since 1970 */

#endif
