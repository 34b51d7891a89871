/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Allow and block entries in the report: which decided most, and which decide nothing any more. Read from the
   file that ledger keeps; entries of the configuration are not counted by anybody. */
#ifndef SEKIMORI_REPORT_DAILY_ENTRY_SHEETS_H
#define SEKIMORI_REPORT_DAILY_ENTRY_SHEETS_H

#include "report/daily/period.h"
#include "statistics/sheet.h"

enum { ENTRIES_SHOWN_MOST = 10, ENTRIES_UNUSED_DAYS = 90 };

struct entry_sheets {
    struct sheet *used; /* NULL: none was, or the period is no single day: uses of other days are not kept */
    struct sheet *unused; /* for ENTRIES_UNUSED_DAYS; NULL: none is */
};

/* `file`: the content of `entries` (config/kept_entry.h), any bytes. */
void entry_sheets_make(struct arena *arena, struct text file, struct period period, uint64_t now_ms,
                       struct entry_sheets *out);

#endif
