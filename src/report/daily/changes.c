/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Configurations are compared as sets of statements: moving one changes nothing. */
#include "report/daily/changes.h"

#include <inttypes.h>
#include <stdlib.h>

#include "config/dump.h"
#include "report/state_file.h"

enum { DEPTH_MOST = 8, CHANGES_BYTES_MOST = 256 * 1024 };

void changes_flatten(struct text dump, struct buffer *out)
{
    size_t ends[DEPTH_MOST + 1] = { 0 }, depth = 0;
    struct buffer path = { 0 };
    struct text line;
    while (text_next_line(&dump, &line)) {
        line = text_trim(line);
        if (line.length == 0) continue;
        if (text_equal(line, TEXT("}"))) {
            if (depth > 0) path.end = path.start + ends[--depth];
        } else if (text_ends(line, TEXT("{")) && depth < DEPTH_MOST) {
            ends[depth++] = buffer_length(&path);
            buffer_add_text(&path, text_slice(line, 0, line.length - 1));
        } else {
            buffer_add_text(out, buffer_text(&path));
            buffer_add_text(out, line);
            buffer_add_char(out, '\n');
        }
    }
    buffer_free(&path);
}

struct line_set {
    struct text *lines;
    size_t count;
};

static int order(const void *a, const void *b)
{
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

static struct line_set set_of(struct text text)
{
    struct line_set set = { memory_alloc((text.length / 2 + 1) * sizeof *set.lines), 0 };
    struct text line;
    while (text_next_line(&text, &line))
        if (line.length) set.lines[set.count++] = line;
    if (set.count) qsort(set.lines, set.count, sizeof *set.lines, order);
    return set;
}

void changes_compare(struct text before, struct text after,
                     void (*each)(void *context, char sign, struct text line), void *context)
{
    struct line_set old = set_of(before), new = set_of(after);
    for (size_t i = 0, j = 0; i < old.count || j < new.count;) {
        int which = i == old.count ? 1 : j == new.count ? -1 : text_compare(old.lines[i], new.lines[j]);
        if (which < 0) each(context, '-', old.lines[i]);
        if (which > 0) each(context, '+', new.lines[j]);
        i += which <= 0;
        j += which >= 0;
    }
    free(old.lines);
    free(new.lines);
}

struct noting {
    struct buffer *out;
    uint64_t now_ms;
};

static void note(void *context, char sign, struct text line)
{
    struct noting *noting = context;
    buffer_printf(noting->out, "%" PRIu64 " %c %.*s\n", noting->now_ms, sign, TEXT_ARG(line));
}

/* The oldest lines go. */
static void bound(struct buffer *changes)
{
    while (buffer_length(changes) > CHANGES_BYTES_MOST)
        buffer_consume(changes, text_find_char(buffer_text(changes), '\n') + 1);
}

void changes_note(int folder, const struct config *config, uint64_t now_ms)
{
    struct buffer dump = { 0 }, after = { 0 }, before = { 0 }, changes = { 0 };
    config_dump(config, &dump, false);
    changes_flatten(buffer_text(&dump), &after);
    bool had_one = state_file_read(folder, "configuration", &before);
    bool is_same = had_one && text_equal(buffer_text(&before), buffer_text(&after));
    if (had_one && !is_same) {
        struct noting noting = { &changes, now_ms };
        state_file_read(folder, "changes", &changes);
        changes_compare(buffer_text(&before), buffer_text(&after), note, &noting);
        bound(&changes);
        state_file_write(folder, "changes", buffer_text(&changes));
    }
    if (!is_same) state_file_write(folder, "configuration", buffer_text(&after));
    buffer_free(&dump);
    buffer_free(&after);
    buffer_free(&before);
    buffer_free(&changes);
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
