/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by fetch.c before and after each run. */
#include "helper/fetch_schedule.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MINUTE_MS UINT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)

/* What freshclam says where the server has not. It keeps that in freshclam.dat, too, but asks for files of
   signatures (DatabaseCustomURL) all the same. */
#define WAIT_MS (4 * HOUR_MS)
#define REFUSED_MS (24 * HOUR_MS)

/* As its source has them. */
enum { CODE_GOOD = 0, CODE_REFUSED = 17 };

enum fetch_outcome fetch_outcome_of(uint32_t freshclam_code, bool was_told_wait)
{
    if (freshclam_code == CODE_REFUSED) return FETCH_REFUSED;
    if (freshclam_code == FETCH_CODE_WAIT || was_told_wait) return FETCH_WAIT;
    return freshclam_code == CODE_GOOD ? FETCH_SAME : FETCH_FAILED;
}

bool fetch_line_until(struct text line, uint64_t *out_ms)
{
    static const char words[] = "on cool-down until after: ";
    char copy[200];
    struct tm day = { .tm_isdst = -1 };
    snprintf(copy, sizeof copy, "%.*s", TEXT_ARG(line));
    const char *at = strstr(copy, words);
    if (!at) return false;
    time_t seconds = strptime(at + sizeof words - 1, "%Y-%m-%d %H:%M:%S", &day) ? mktime(&day) : 0;
    *out_ms = seconds > 0 ? (uint64_t)seconds * 1000 : 0;
    return true;
}

const char *fetch_code_words(uint32_t freshclam_code)
{
    static const char *const words[] = {
        [2] = "it cannot be set up",
        [3] = "its folder cannot be opened",
        [4] = "a file cannot be written",
        [5] = "the server cannot be reached",
        [6] = "the server gave an empty file",
        [7] = "what came is no database",
        [8] = "what came cannot be loaded",
        [9] = "its configuration is not accepted",
        [10] = "its folder cannot be written",
        [11] = "the download broke off",
        [12] = "the mirror is older than announced",
        [14] = "the update failed",
        [15] = "it has no memory",
        [CODE_REFUSED] = "the server refuses to serve us (403)",
        [FETCH_CODE_WAIT] = "the server asks to come later (429)",
    };
    bool is_known = freshclam_code < sizeof words / sizeof *words && words[freshclam_code];
    return is_known ? words[freshclam_code] : "see what it said above";
}

uint64_t fetch_due_ms(const struct fetch_record *record, uint64_t every_ms, uint64_t now_ms, uint64_t seed)
{
    uint64_t interval_ms = every_ms < HOUR_MS ? HOUR_MS : every_ms;
    uint64_t begun_ms = record->begun_ms > now_ms ? now_ms : record->begun_ms;
    uint64_t due_ms = begun_ms ? begun_ms + interval_ms + seed % (interval_ms / 10) : now_ms;
    uint64_t not_before_ms = record->not_before_ms;
    if (not_before_ms > now_ms + REFUSED_MS) not_before_ms = now_ms + REFUSED_MS;
    if (due_ms < not_before_ms) due_ms = not_before_ms;
    return due_ms > now_ms ? due_ms : now_ms;
}

void fetch_note(struct fetch_record *record, enum fetch_outcome outcome, uint64_t until_ms, uint64_t now_ms)
{
    record->not_before_ms = until_ms;
    if (outcome == FETCH_WAIT && !until_ms) record->not_before_ms = now_ms + WAIT_MS;
    if (outcome == FETCH_REFUSED && !until_ms) record->not_before_ms = now_ms + REFUSED_MS;
    bool is_good = outcome == FETCH_NEW || outcome == FETCH_SAME;
    if (is_good) record->good_ms = now_ms;
    if (is_good)
        record->failing_ms = 0;
    else if (!record->failing_ms)
        record->failing_ms = record->good_ms && record->good_ms < now_ms ? record->good_ms : now_ms;
}

void fetch_record_print(const char *name, const struct fetch_record *record, struct buffer *out)
{
    buffer_printf(out, "%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", name, record->begun_ms,
                  record->good_ms, record->failing_ms, record->not_before_ms);
}

bool fetch_record_read(const char *name, const char *line, struct fetch_record *out)
{
    struct fetch_record read = { 0 };
    size_t length = strlen(name);
    if (strncmp(line, name, length) != 0 || line[length] != ' ') return false;
    if (sscanf(line + length, " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &read.begun_ms, &read.good_ms,
               &read.failing_ms, &read.not_before_ms) != 4)
        return false;
    *out = read;
    return true;
}
