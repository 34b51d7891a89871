/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Configurations are compared as sets of statements: moving one changes nothing, and a default that comes
   or goes with its block is no change. */
#include "report/daily/changes.h"

#include <inttypes.h>

#include "config/difference.h"
#include "report/state_file.h"

enum { CHANGES_BYTES_MOST = 256 * 1024 };

/* The oldest lines go. */
static void bound(struct buffer *changes)
{
    while (buffer_length(changes) > CHANGES_BYTES_MOST)
        buffer_consume(changes, text_find_char(buffer_text(changes), '\n') + 1);
}

void changes_note(int folder, const struct config *config, uint64_t now_ms)
{
    struct buffer after = { 0 }, before = { 0 }, changes = { 0 }, lines = { 0 };
    difference_statements(config, &after);
    bool had_one = state_file_read(folder, "configuration", &before);
    bool is_same = had_one && text_equal(buffer_text(&before), buffer_text(&after));
    bool is_known = had_one && difference_of_statements(buffer_text(&before), buffer_text(&after), &lines);
    struct text rest = buffer_text(&lines), line;
    if (is_known && rest.length) {
        state_file_read(folder, "changes", &changes);
        while (text_next_line(&rest, &line))
            buffer_printf(&changes, "%" PRIu64 " %.*s\n", now_ms, TEXT_ARG(line));
        bound(&changes);
        state_file_write(folder, "changes", buffer_text(&changes));
    }
    if (!is_same) state_file_write(folder, "configuration", buffer_text(&after));
    buffer_free(&after);
    buffer_free(&before);
    buffer_free(&changes);
    buffer_free(&lines);
}

void changes_list(int folder, uint64_t from_ms, uint64_t until_ms,
                  void (*each)(void *context, uint64_t time_ms, struct text change), void *context)
{
    struct buffer changes = { 0 };
    state_file_read(folder, "changes", &changes);
    struct text rest = buffer_text(&changes), line;
    while (text_next_line(&rest, &line)) {
        uint64_t time_ms;
        size_t blank = text_find_char(line, ' ');
        if (!text_to_number(text_slice(line, 0, blank), UINT64_MAX / 2, &time_ms)) continue;
        if (time_ms >= from_ms && time_ms < until_ms)
            each(context, time_ms, text_slice(line, blank + 1, line.length));
    }
    buffer_free(&changes);
}
