/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A moment as text, in each form that is written somewhere; English and the same in every locale. */
#ifndef SEKIMORI_BASE_DATE_H
#define SEKIMORI_BASE_DATE_H

#include "base/text.h"

enum { DATE_SIZE = 48 }; /* room for any of them and its NUL */

/* All take milliseconds since 1970 UTC, leave off what is below a second, and return `room`. */

/* RFC 5322 section 3.3: "Sun, 29 Nov 2026 05:42:25 +0000". */
const char *date_print(uint64_t ms, char room[DATE_SIZE]);

/* The same in the zone of this machine. */
const char *date_print_local(uint64_t ms, char room[DATE_SIZE]);

/* RFC 3339 in UTC: "2026-11-29T05:42:25Z". */
const char *date_print_iso(uint64_t ms, char room[DATE_SIZE]);

/* For a reader here, in the zone of this machine: "2026-11-29 14:42:25"; the first 16 are without seconds. */
const char *date_print_clock(uint64_t ms, char room[DATE_SIZE]);

/* A log line's stamp, as ISO 8601 has it, in the zone of this machine: "2026-11-29T14:42:25+0900". */
const char *date_print_stamp(uint64_t ms, char room[DATE_SIZE]);

/* RFC 3164 section 4.1.2, in the zone of this machine: "Nov 29 14:42:25", "Nov  9 14:42:25". */
const char *date_print_syslog(uint64_t ms, char room[DATE_SIZE]);

/* Seconds since 1970 UTC of an RFC 5322 date, with or without weekday, seconds and zone; years before 1970
   and zones beyond a day are none. False: it is no such date. */
bool date_read(struct text date, int64_t *out_seconds);

#endif
