/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Judges lines by their bytes alone. Every byte is looked at once. */
#include "mail/gap.h"

enum { RUN_LINE_LEAST = 16, CONTENT_LINE_LEAST = 56, ENCODED_LEAST = 100, ARMOUR_LINES_MOST = 6 };

enum digit64 { DIGIT64_NONE, DIGIT64_UPPER, DIGIT64_LOWER, DIGIT64_DIGIT, DIGIT64_OTHER, DIGIT64_KINDS };

/* By byte; "=" is among them. */
static const uint8_t digits64[256] = {
    ['A' ... 'Z'] = DIGIT64_UPPER, ['a' ... 'z'] = DIGIT64_LOWER, ['0' ... '9'] = DIGIT64_DIGIT,
    ['+'] = DIGIT64_OTHER,         ['/'] = DIGIT64_OTHER,         ['='] = DIGIT64_OTHER,
};

static bool is_digit64(char c)
{
    return digits64[(uint8_t)c] != DIGIT64_NONE;
}

/* No blanks, and at most a quarter of junk. */
static bool is_base64_line(struct text line, size_t least)
{
    size_t junk = 0;
    if (line.length < least) return false;
    for (size_t i = 0; i < line.length; i++) {
        if (char_is_blank(line.at[i])) return false;
        junk += !is_digit64(line.at[i]);
    }
    return junk <= line.length / 4;
}

/* "--word": a boundary of somebody's, not a signature mark, a rule or a dash. */
static bool is_boundary_line(struct text line)
{
    bool word = false;
    if (!text_starts(line, TEXT("--")) || line.length < 5) return false;
    for (size_t i = 2; i < line.length; i++) {
        if (char_is_blank(line.at[i])) return false;
        word |= char_is_alpha(line.at[i]) || char_is_digit(line.at[i]);
    }
    return word;
}

static bool is_content_field(struct text line)
{
    return text_starts_nocase(line, TEXT("content-"));
}

/* As a lenient program might find the field: behind blanks, control and eight-bit bytes. */
static bool has_content_field(struct text line)
{
    size_t at = 0;
    while (at < line.length && (line.at[at] <= ' ' || line.at[at] >= 127 || line.at[at] & 0x80)) at++;
    return is_content_field(text_slice(line, at, line.length));
}

bool gap_has_field_behind(struct text text, size_t from)
{
    struct text rest = text_slice(text, from, text.length), line;
    while (text_next_line(&rest, &line)) {
        if (line.length == 0 || text_starts(line, TEXT("--"))) return false;
        if (has_content_field(line)) return true;
    }
    return false;
}

/* Behind a few bytes that belong to no word; HTML speaks of such fields in its tags. */
static bool names_content_field(struct text line)
{
    enum { BEFORE_MOST = 8 };
    size_t at = 0;
    while (at < line.length && at < BEFORE_MOST && !char_is_alpha(line.at[at]) && line.at[at] != '<') at++;
    return is_content_field(text_slice(line, at, line.length));
}

bool gap_has_field_in(struct text text)
{
    struct text line;
    while (text_next_line(&text, &line)) {
        if (text_trim(line).length == 0 || text_starts(line, TEXT("--"))) return false;
        if (names_content_field(line)) return true;
    }
    return false;
}

/* Kept until the field comes. */
static void stray_add(struct gap_strays *strays, size_t offset, struct text line)
{
    enum { MOST = sizeof strays->lines / sizeof *strays->lines };
    if (strays->count == MOST) memmove(strays->lines, strays->lines + 1, (MOST - 1) * sizeof *strays->lines);
    strays->count -= strays->count == MOST;
    size_t end = line.length;
    while (end > 2 && char_is_blank(line.at[end - 1])) end--;
    if (end > 2) strays->lines[strays->count++] = (struct gap_run){ offset, text_slice(line, 2, end) };
}

bool gap_next_strays(struct text text, size_t from, struct gap_strays *out)
{
    struct text rest = text_slice(text, from, text.length), line;
    bool is_behind = false; /* the line before was like a boundary */
    out->count = 0;
    while (rest.length > 0) {
        size_t offset = text.length - rest.length;
        text_next_line(&rest, &line);
        out->next = text.length - rest.length;
        if (line.length == 0 && !is_behind) out->count = 0;
        is_behind = text_starts(line, TEXT("--"));
        if (is_behind)
            stray_add(out, offset, line);
        else if (out->count > 0 && has_content_field(line))
            return true;
    }
    return false;
}

bool gap_looks_like_content(struct text gap)
{
    struct text line;
    size_t base64_lines = 0;
    while (text_skip_empty_lines(&gap), text_next_line(&gap, &line)) {
        line = text_trim(line);
        if (is_content_field(line)) return true;
        if (text_starts(line, TEXT("begin ")) || text_starts(line, TEXT("begin-base64 "))) return true;
        if (is_boundary_line(line)) return true;
        base64_lines += is_base64_line(line, CONTENT_LINE_LEAST);
        if (base64_lines >= 2) return true;
    }
    return false;
}

static bool has_digit64(struct text line)
{
    for (size_t i = 0; i < line.length; i++)
        if (is_digit64(line.at[i])) return true;
    return false;
}

bool gap_next_run(struct text text, size_t from, struct gap_run *out)
{
    struct text rest = text_slice(text, from, text.length), line;
    bool in_run = false;
    size_t start = from;
    while (rest.length > 0) {
        size_t line_start = text.length - rest.length;
        text_next_line(&rest, &line);
        if (!in_run) {
            if (!is_base64_line(text_trim(line), RUN_LINE_LEAST)) continue;
            in_run = true;
            start = line_start;
        } else if (has_digit64(line) && !is_base64_line(text_trim(line), 1)) {
            *out = (struct gap_run){ start, text_slice(text, start, line_start) };
            return true;
        }
    }
    *out = (struct gap_run){ start, text_slice(text, start, text.length) };
    return in_run;
}

struct text gap_behind_fields(struct text paragraph)
{
    struct text rest = paragraph, line, from = TEXT_NONE;
    while (text_next_line(&rest, &line)) {
        size_t colon = text_find_char(line, ':');
        if (colon == line.length || text_find_char(text_slice(line, 0, colon), ' ') < colon) break;
        from = rest;
    }
    return from;
}

struct text gap_regular_lines(struct text run)
{
    struct text rest = run, line;
    size_t length = 0;
    while (text_next_line(&rest, &line)) {
        line = text_trim(line);
        if (length > 0 && line.length < length) break;
        length = line.length;
    }
    return text_slice(run, 0, run.length - rest.length);
}

/* Nothing on it that can be seen. */
static bool is_empty_line(struct text line)
{
    for (size_t i = 0; i < line.length; i++)
        if ((unsigned char)line.at[i] > ' ') return false;
    return true;
}

bool gap_next_paragraph(struct text text, size_t from, size_t least, struct gap_run *out)
{
    struct text rest = text_slice(text, from, text.length), line;
    size_t start = from;
    while (rest.length > 0) {
        size_t line_start = text.length - rest.length;
        text_next_line(&rest, &line);
        if (!is_empty_line(line) && !text_starts(line, TEXT("--"))) continue;
        *out = (struct gap_run){ start, text_slice(text, start, line_start) };
        if (out->bytes.length >= least) return true;
        start = text.length - rest.length;
    }
    *out = (struct gap_run){ start, text_slice(text, start, text.length) };
    return out->bytes.length >= least && out->bytes.length > 0;
}

bool gap_next_body(struct text text, size_t from, struct gap_run *out)
{
    struct text rest = text_slice(text, from, text.length), line;
    size_t start = text.length, paragraph = start;
    bool in_body = false, has_line = false;
    while (rest.length > 0) {
        size_t line_start = text.length - rest.length;
        text_next_line(&rest, &line);
        bool is_boundary = text_starts(line, TEXT("--"));
        if (in_body && (is_boundary || is_content_field(line))) {
            *out = (struct gap_run){ start, text_slice(text, start, is_boundary ? line_start : paragraph) };
            return true;
        }
        if (!is_empty_line(line)) {
            has_line |= in_body;
            continue;
        }
        text_skip_empty_lines(&rest);
        paragraph = text.length - rest.length;
        if (!has_line) start = paragraph;
        in_body = true;
    }
    *out = (struct gap_run){ start, text_slice(text, start, text.length) };
    return in_body && out->bytes.length > 0;
}

struct base64_row {
    size_t length;
    bool upper, lower, digit;
    bool is_over; /* by padding, or by a short line */
};

/* False when the line has a byte that is no digit of base64, or stands behind the last one. */
static bool row_add(struct base64_row *row, struct text line, size_t padding_most)
{
    if (row->is_over) return false;
    size_t padding = 0;
    while (padding < padding_most && padding < line.length && line.at[line.length - padding - 1] == '=')
        padding++;
    row->is_over = padding > 0 || line.length < RUN_LINE_LEAST;
    for (size_t i = 0; i + padding < line.length; i++) {
        char c = line.at[i];
        if (!is_digit64(c) || c == '=') return false;
        row->upper |= c >= 'A' && c <= 'Z';
        row->lower |= c >= 'a' && c <= 'z';
        row->digit |= char_is_digit(c);
    }
    row->length += line.length;
    return true;
}

bool gap_has_base64(struct text text, size_t least, bool is_quoted)
{
    const size_t padding_most = is_quoted ? 0 : 2;
    struct base64_row row = { 0 };
    struct text line;
    while (text_next_line(&text, &line)) {
        if (row_add(&row, text_trim(line), padding_most)) {
            if (row.length >= least && row.upper && row.lower && row.digit) return true;
            continue;
        }
        row = (struct base64_row){ 0 };
        text_skip_empty_lines(&text);
    }
    return false;
}

bool gap_is_base64(struct text encoded)
{
    size_t counts[DIGIT64_KINDS] = { 0 };
    for (size_t i = 0; i < encoded.length; i++) {
        enum digit64 kind = digits64[(uint8_t)encoded.at[i]];
        if (kind == DIGIT64_NONE && encoded.at[i] != '\r' && encoded.at[i] != '\n') return false;
        counts[kind]++;
    }
    size_t upper = counts[DIGIT64_UPPER], lower = counts[DIGIT64_LOWER], digits = counts[DIGIT64_DIGIT];
    size_t all = upper + lower + digits + counts[DIGIT64_OTHER];
    return all >= ENCODED_LEAST && upper >= all / 8 && lower >= all / 8 && digits >= all / 64;
}

bool gap_is_quoted(struct text encoded)
{
    size_t escapes = 0;
    for (struct text rest = encoded;;) {
        rest = text_slice(rest, text_find_char(rest, '='), rest.length);
        if (rest.length <= 2) break;
        escapes += char_hex_value(rest.at[1]) >= 0 && char_hex_value(rest.at[2]) >= 0;
        rest = text_slice(rest, 1, rest.length);
    }
    return escapes * 8 >= encoded.length && escapes > 0;
}

bool gap_is_armoured(struct text text, size_t offset)
{
    struct text before = text_slice(text, 0, offset);
    for (unsigned lines = 0; lines < ARMOUR_LINES_MOST && before.length > 0; lines++) {
        before.length--; /* the line end of the line before */
        size_t feed = text_find_last_char(before, '\n');
        size_t start = feed == before.length ? 0 : feed + 1;
        if (text_starts(text_slice(before, start, before.length), TEXT("-----BEGIN "))) return true;
        before = text_slice(before, 0, start);
    }
    return false;
}
