/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The calendar of the nightly report. */
#include "report/daily/nightly.h"

#include <inttypes.h>

#include "report/state_file.h"
#include "statistics/calendar.h"

void nightly_read(int folder, struct nightly *out)
{
    struct buffer file = { 0 };
    struct text words[3] = { TEXT_NONE, TEXT_NONE, TEXT_NONE };
    uint64_t numbers[3] = { 0 };
    state_file_read(folder, "nightly", &file);
    struct text rest = text_trim(buffer_text(&file));
    for (int i = 0; i < 3; i++)
        if (!text_next_word(&rest, &words[i]) || !text_to_number(words[i], UINT64_MAX, &numbers[i]))
            numbers[i] = 0;
    *out = (struct nightly){ (uint32_t)numbers[0], (uint32_t)numbers[1], numbers[2] };
    buffer_free(&file);
}

bool nightly_write(int folder, const struct nightly *nightly)
{
    struct buffer file = { 0 };
    buffer_printf(&file, "%u %u %" PRIu64 "\n", nightly->done_day, nightly->offered_day, nightly->offered_id);
    bool is_written = state_file_write(folder, "nightly", buffer_text(&file));
    buffer_free(&file);
    return is_written;
}

uint32_t nightly_due(time_t now, uint32_t at_minutes)
{
    struct tm tm;
    localtime_r(&now, &tm);
    bool is_time = (uint32_t)(tm.tm_hour * 60 + tm.tm_min) >= at_minutes;
    return calendar_add(calendar_of(now), is_time ? -1 : -2);
}

uint32_t nightly_next(const struct nightly *nightly, uint32_t due)
{
    if (nightly->done_day >= due) return 0;
    uint32_t next = calendar_add(nightly->done_day, 1), first = calendar_add(due, 1 - NIGHTLY_MISSED_MOST);
    return next > first ? next : first;
}
