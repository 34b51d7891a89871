/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Names of the kinds, and the clock that sums are kept by. */
#include "ledgerdb/sums.h"

#include <time.h>

#define LAST_SECOND                                                                        \
    UINT64_C(253402200000) /* in the year 9999, wherever we are: yyyymmdd has eight digits \
                            */

static const char *const names[SUM_KIND_COUNT] = { [SUM_ACCEPTED] = "accepted",
                                                   [SUM_OWN] = "own",
                                                   [SUM_DELIVERED] = "delivered",
                                                   [SUM_RETURNED] = "returned",
                                                   [SUM_DISCARDED] = "discarded",
                                                   [SUM_REMOVED] = "removed",
                                                   [SUM_REFUSED] = "refused",
                                                   [SUM_REFUSED_AFTER] = "refused after data",
                                                   [SUM_ABORTED] = "aborted",
                                                   [SUM_HELD] = "held",
                                                   [SUM_RELEASED] = "released",
                                                   [SUM_EXPIRED_HELD] = "expired to hold",
                                                   [SUM_DEFERRED] = "deferred",
                                                   [SUM_VIRUS] = "virus",
                                                   [SUM_CLASS] = "class",
                                                   [SUM_SPAM_TAGGED] = "spam tagged",
                                                   [SUM_SPAM_HELD] = "spam held",
                                                   [SUM_SPAM_REFUSED] = "spam refused",
                                                   [SUM_SPAM_DISCARDED] = "spam discarded",
                                                   [SUM_OBSERVED] = "observed",
                                                   [SUM_RULE] = "rule",
                                                   [SUM_ENGINE] = "engine",
                                                   [SUM_MISSED] = "missed",
                                                   [SUM_QUARANTINED] = "quarantined",
                                                   [SUM_AGAIN] = "again",
                                                   [SUM_DELETED] = "deleted",
                                                   [SUM_AGED] = "aged",
                                                   [SUM_RELAYED] = "relayed",
                                                   [SUM_LOST] = "lost",
                                                   [SUM_LOST_REFUSALS] = "lost refusals",
                                                   [SUM_AUTH] = "authentication",
                                                   [SUM_NOT_OPENED] = "not opened",
                                                   [SUM_SIGNAL] = "signal" };

const char *sum_kind_name(enum sum_kind kind)
{
    return kind > 0 && kind < SUM_KIND_COUNT ? names[kind] : "unknown";
}

bool sum_kind_from_name(struct text name, enum sum_kind *out)
{
    for (int i = 1; i < SUM_KIND_COUNT; i++)
        if (text_equal(name, text_of(names[i]))) {
            *out = (enum sum_kind)i;
            return true;
        }
    return false;
}

void sum_kinds_add(struct buffer *out, uint64_t kinds)
{
    char mark = '(';
    for (unsigned kind = 1; kind < SUM_KIND_COUNT; kind++) {
        if (kinds && !(kinds >> kind & 1)) continue;
        buffer_printf(out, "%c%u", mark, kind);
        mark = ',';
    }
    buffer_add_char(out, ')');
}

/* Every time zone is a whole number of quarters from UTC. */
void sum_clock_set(struct sum_clock *clock, uint64_t time_ms)
{
    uint64_t quarter = time_ms / 900000 + 1;
    if (clock->quarter == quarter) return;
    time_t seconds = (time_t)(time_ms / 1000 < LAST_SECOND ? time_ms / 1000 : LAST_SECOND);
    struct tm tm;
    localtime_r(&seconds, &tm);
    clock->quarter = quarter;
    clock->day =
        ((uint32_t)tm.tm_year + 1900) * 10000 + ((uint32_t)tm.tm_mon + 1) * 100 + (uint32_t)tm.tm_mday;
    clock->hour = (uint8_t)tm.tm_hour;
}
