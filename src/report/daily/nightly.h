/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which report is due, and that each goes out once: the file `nightly` of the report folder remembers the
   last day that was sent, and the one that was being handed to queue. */
#ifndef SEKIMORI_REPORT_DAILY_NIGHTLY_H
#define SEKIMORI_REPORT_DAILY_NIGHTLY_H

#include <stdint.h>
#include <time.h>

#include "base/text.h"

enum { NIGHTLY_MISSED_MOST = 7 }; /* days that are made up for, the newest ones */

struct nightly {
    uint32_t done_day;    /* 0: none yet */
    uint32_t offered_day; /* 0: none is under way */
    uint64_t offered_id;
};

/* What is missing or no number is 0. False of the other: not written, and the log says why. */
void nightly_read(int folder, struct nightly *out);
bool nightly_write(int folder, const struct nightly *nightly);

/* The day whose report was the last to be due at `now`: yesterday from `at_minutes` on, else the day before.
 */
uint32_t nightly_due(time_t now, uint32_t at_minutes);
/* The next day to report on, 0: none. */
uint32_t nightly_next(const struct nightly *nightly, uint32_t due);

#endif
