/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Campaigns: any bytes as a frame are refused, or read and written again as they came; what was read goes through the
   table; and a file of the table with any bytes in it is opened again. The first byte chooses. */
#include <stdlib.h>

#include "base/codec.h"
#include "ipc/campaign_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LATE_MS = 1000000 };

static void must(bool holds)
{
    if (!holds) abort();
}

static void sketch_read(struct text bytes)
{
    struct campaign_sketch sketch;
    struct buffer again = { 0 };
    if (!campaign_sketch_get(bytes, &sketch)) return;
    campaign_sketch_put(&sketch, &again);
    must(text_equal(buffer_text(&again), bytes));
    buffer_free(&again);
}

static void answer_read(struct text bytes)
{
    struct campaign_answer answer;
    struct buffer again = { 0 };
    if (!campaign_answer_get(bytes, &answer)) return;
    campaign_answer_put(&answer, &again);
    must(text_equal(buffer_text(&again), bytes));
    buffer_free(&again);
}

static void frames_read(struct campaign_table *table, struct text bytes)
{
    struct arena *arena = arena_new(0);
    struct campaign_seen seen;
    struct campaign_report report;
    struct campaign_sketch sketch;
    struct campaign_answer answer;
    if (campaign_seen_get(arena, bytes, &seen, &sketch)) {
        const struct campaign_message message = { 7, seen.client, seen.sender, seen.recipients, seen.recipient_count, true };
        campaign_table_count(table, &sketch, &message, LATE_MS);
        campaign_table_look(table, &sketch, NULL, 0, LATE_MS, &answer);
        must(answer.count > 0);
    }
    if (campaign_report_get(bytes, &report, &sketch))
        must(campaign_table_report(table, &sketch, report.reporter, 9, report.said == CAMPAIGN_SAID_STOP,
                                   LATE_MS));
    if (campaign_report_get(bytes, &report, &sketch) && report.said == CAMPAIGN_SAID_GOOD)
        must(campaign_table_clear(table, &sketch, LATE_MS));
    else if (campaign_report_get(bytes, &report, &sketch))
        campaign_table_withdraw(table, &sketch, report.reporter, LATE_MS);
    struct campaign_ruling ruling;
    struct buffer again = { 0 };
    if (campaign_ruling_get(bytes, &ruling)) {
        campaign_ruling_put(&ruling, &again);
        must(text_equal(buffer_text(&again), bytes));
        campaign_table_rule(table, &ruling, LATE_MS);
    }
    buffer_free(&again);
    arena_free(arena);
}

/* Bytes of the input over what stands in the file, from a place that they choose. */
static struct campaign_table *file_read(struct campaign_table *table, char *room, struct text bytes)
{
    struct campaign_table_found found;
    if (bytes.length < 4) return table;
    size_t at = (size_t)codec_number_at(bytes, 0, 3) % (CAMPAIGN_FILE_BYTES - 4096);
    struct text rest = text_slice(bytes, 3, 3 + 4096);
    memcpy(room + at, rest.at, rest.length);
    struct campaign_sketch sketch = { .bands = { 1, 2, 3, 4, 5, 6, 7, 8 }, .file_count = 1, .files = { 99 } };
    struct campaign_answer answer;
    struct campaign_table *reader = campaign_table_read(room);
    campaign_table_look(reader, &sketch, NULL, 0, LATE_MS, &answer);
    campaign_table_free(reader);
    campaign_table_free(table);
    table = campaign_table_open(room, &found);
    must(found.count == campaign_table_count_all(table));
    return table;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *room;
    static struct campaign_table *table;
    struct campaign_table_found found;
    if (!room) table = campaign_table_open(room = memory_alloc(CAMPAIGN_FILE_BYTES), &found);
    if (size == 0) return 0;
    struct text bytes = text_from((const char *)data + 1, size - 1);
    switch (data[0] % 8) {
    case 0:
        sketch_read(bytes);
        break;
    case 1:
        answer_read(bytes);
        break;
    case 2:
        table = file_read(table, room, bytes);
        break;
    default:
        frames_read(table, bytes);
    }
    return 0;
}
