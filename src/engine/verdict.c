/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A line is matched alone, and is short, so that no pattern takes long. Called by runs.c. */
#include "engine/verdict.h"

#include "judge/engine_answer.h"

static bool list_has(const struct text_list *list, uint32_t status)
{
    for (size_t i = 0; i < list->count; i++) {
        uint64_t number;
        if (text_to_number(list->items[i], UINT8_MAX, &number) && number == status) return true;
    }
    return false;
}

/* A NUL would end the line for the C library, so it is a blank here. */
static struct text line_copy(struct text line, char room[VERDICT_LINE_MOST + 1])
{
    line = text_slice(line, 0, VERDICT_LINE_MOST);
    for (size_t i = 0; i < line.length; i++) room[i] = line.at[i] == '\0' ? ' ' : line.at[i];
    room[line.length] = '\0';
    return text_from(room, line.length);
}

/* Empty: it does not match, or its group is empty. */
static struct text name_in(struct text line, const regex_t *pattern)
{
    regmatch_t found[2] = { { -1, -1 }, { -1, -1 } };
    if (regexec(pattern, line.at, 2, found, 0) != 0) return TEXT_NONE;
    int group = pattern->re_nsub > 0;
    if (found[group].rm_so < 0) return TEXT_NONE;
    return text_trim(text_slice(line, (size_t)found[group].rm_so, (size_t)found[group].rm_eo));
}

/* False: no line of it has one. */
static bool name_add(const regex_t *pattern, struct text output, struct buffer *name)
{
    char room[VERDICT_LINE_MOST + 1];
    output = text_slice(output, 0, VERDICT_OUTPUT_MOST);
    while (output.length > 0) {
        size_t end = text_find_char(output, '\n');
        struct text line = text_slice(output, 0, end);
        if (line.length > 0 && line.at[line.length - 1] == '\r') line.length--;
        struct text found = name_in(line_copy(line, room), pattern);
        buffer_add_text(name, text_slice(found, 0, ENGINE_WORDS_MOST));
        if (found.length > 0) return true;
        output = text_slice(output, end + 1, output.length);
    }
    return false;
}

/* The first line that is not blank, on one line of the log. Bytes that are not printable are made so by whom
   it is told to (engine_answer_put). */
static void words_add(struct text output, struct buffer *out)
{
    struct text line = TEXT_NONE;
    output = text_slice(output, 0, VERDICT_OUTPUT_MOST);
    while (line.length == 0 && text_next_line(&output, &line)) line = text_trim(line);
    if (line.length == 0) return;
    buffer_add_text(out, TEXT(": "));
    buffer_add_text(out, text_slice(line, 0, VERDICT_WORDS_MOST));
}

enum scan_state verdict_of(const struct outside_engine *engine, const regex_t *pattern, uint32_t status,
                           struct text output, struct buffer *name)
{
    if (list_has(&engine->clean, status)) return SCAN_CLEAN;
    bool is_found = list_has(&engine->found, status);
    if (is_found && pattern && name_add(pattern, output, name)) return SCAN_FOUND;
    buffer_printf(name, is_found ? "found %u" : "it ended with status %u", status);
    if (!is_found) words_add(output, name);
    return is_found ? SCAN_FOUND : SCAN_UNSCANNED;
}
