/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Judges lines by their bytes alone. Every byte is looked at once. */
#include "mail/gap.h"

enum { RUN_LINE_LEAST = 16, CONTENT_LINE_LEAST = 56, ENCODED_LEAST = 100, ARMOUR_LINES_MOST = 6 };

static bool is_digit64(char c)
{
    return char_is_alpha(c) || char_is_digit(c) || c == '+' || c == '/' || c == '=';
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

bool gap_begins_parts(struct text text, struct text *out_boundary)
{
    struct text rest = text_trim(text), line;
    if (!text_starts(rest, TEXT("--")) || !text_next_line(&rest, &line)) return false;
    *out_boundary = text_trim(text_slice(line, 2, line.length));
    return out_boundary->length > 0 && gap_has_field_behind(rest, 0);
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
    out->count = 0;
    while (rest.length > 0) {
        size_t offset = text.length - rest.length;
        text_next_line(&rest, &line);
        out->next = text.length - rest.length;
        if (line.length == 0) out->count = 0;
        if (text_starts(line, TEXT("--")))
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
    while (text_next_line(&gap, &line)) {
        line = text_trim(line);
        if (is_content_field(line)) return true;
        if (text_starts(line, TEXT("begin ")) || text_starts(line, TEXT("begin-base64 "))) return true;
        if (is_boundary_line(line)) return true;
        base64_lines += is_base64_line(line, CONTENT_LINE_LEAST);
        if (base64_lines >= 2) return true;
    }
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
        } else if (text_trim(line).length > 0 && !is_base64_line(text_trim(line), 1)) {
            *out = (struct gap_run){ start, text_slice(text, start, line_start) };
            return true;
        }
    }
    *out = (struct gap_run){ start, text_slice(text, start, text.length) };
    return in_run;
}

bool gap_next_paragraph(struct text text, size_t from, size_t least, struct gap_run *out)
{
    struct text rest = text_slice(text, from, text.length), line;
    size_t start = from;
    while (rest.length > 0) {
        size_t line_start = text.length - rest.length;
        text_next_line(&rest, &line);
        if (text_trim(line).length > 0 && !text_starts(line, TEXT("--"))) continue;
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
    bool in_body = false;
    while (rest.length > 0) {
        size_t line_start = text.length - rest.length;
        text_next_line(&rest, &line);
        bool is_boundary = text_starts(line, TEXT("--"));
        if (in_body && (is_boundary || is_content_field(line))) {
            *out = (struct gap_run){ start, text_slice(text, start, is_boundary ? line_start : paragraph) };
            return true;
        }
        if (text_trim(line).length > 0) continue;
        paragraph = text.length - rest.length;
        if (!in_body) start = paragraph;
        in_body = true;
    }
    *out = (struct gap_run){ start, text_slice(text, start, text.length) };
    return in_body && out->bytes.length > 0;
}

bool gap_is_base64(struct text encoded)
{
    size_t upper = 0, lower = 0, digits = 0, all = 0;
    for (size_t i = 0; i < encoded.length; i++) {
        char c = encoded.at[i];
        if (c == '\r' || c == '\n') continue;
        if (!is_digit64(c)) return false;
        upper += c >= 'A' && c <= 'Z';
        lower += c >= 'a' && c <= 'z';
        digits += char_is_digit(c);
        all++;
    }
    return all >= ENCODED_LEAST && upper >= all / 8 && lower >= all / 8 && digits >= all / 64;
}

bool gap_is_quoted(struct text encoded)
{
    size_t escapes = 0;
    for (size_t i = 0; i + 2 < encoded.length; i++)
        escapes += encoded.at[i] == '=' && char_hex_value(encoded.at[i + 1]) >= 0 &&
                   char_hex_value(encoded.at[i + 2]) >= 0;
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
