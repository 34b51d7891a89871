/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Decoders for foreign bytes. The fast path takes whole groups from a table; whatever does not
   fit it goes byte by byte through the slow one, which knows the modes and the findings. */
#include "mail/decode.h"

enum { LINE_MOST = 76, BAD_LINES_MOST = 16 /* in one block */, JUNK_LINES_MOST = 1 /* in a row of data */ };

/* The value of a digit plus one; 0: no digit. */
static const uint8_t digit_plus_one[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

static void note(struct finding_set *findings, enum finding finding)
{
    if (findings) finding_add(findings, finding);
}

/* What stands between two calls of the slow path. */
struct base64 {
    uint32_t bits;
    unsigned digits; /* 0-3 in the group begun */
    bool padded;     /* padding was met, and no digit since */
    bool uneven;     /* a line ended within the group, and no digit came since */
};

static size_t flush_group(struct base64 *state, char *out, struct finding_set *findings)
{
    size_t written = 0;
    if (state->digits == 1) note(findings, FINDING_BASE64_LONE_DIGIT);
    if (state->digits >= 2) out[written++] = (char)(state->bits >> (state->digits * 6 - 8));
    if (state->digits == 3) out[written++] = (char)(state->bits >> 2);
    state->bits = 0;
    state->digits = 0;
    return written;
}

static size_t add_digit(struct base64 *state, uint32_t digit, char *out)
{
    state->bits = state->bits << 6 | digit;
    if (++state->digits < 4) return 0;
    out[0] = (char)(state->bits >> 16);
    out[1] = (char)(state->bits >> 8);
    out[2] = (char)state->bits;
    state->bits = 0;
    state->digits = 0;
    return 3;
}

/* Whole groups of four digits; stops at the first byte that is none. */
static size_t fast_groups(const unsigned char **at, const unsigned char *end, char *out)
{
    const unsigned char *in = *at;
    char *to = out;
    while (end - in >= 4) {
        uint32_t a = digit_plus_one[in[0]], b = digit_plus_one[in[1]], c = digit_plus_one[in[2]],
                 d = digit_plus_one[in[3]];
        if (!a || !b || !c || !d) break;
        uint32_t bits = (a - 1) << 18 | (b - 1) << 12 | (c - 1) << 6 | (d - 1);
        to[0] = (char)(bits >> 16);
        to[1] = (char)(bits >> 8);
        to[2] = (char)bits;
        to += 3;
        in += 4;
    }
    *at = in;
    return (size_t)(to - out);
}

/* One byte that is no digit. False: reading ends here. */
static bool other_byte(struct base64 *state, unsigned char c, enum decode_base64_mode mode, char *out,
                       size_t *written, struct finding_set *findings)
{
    if (c == '\r' || c == '\n' || c == ' ' || c == '\t') return true;
    if (c != '=') {
        note(findings, FINDING_BASE64_JUNK);
        return mode != DECODE_STRICT;
    }
    state->padded = true;
    if (mode == DECODE_SKIP) return true;
    *written += flush_group(state, out + *written, findings);
    return mode == DECODE_RESTART;
}

static void note_line(const unsigned char **line, const unsigned char *at, struct finding_set *findings)
{
    if (at - *line > LINE_MOST + 1) note(findings, FINDING_BASE64_LONG_LINE);
    *line = at + 1;
}

static size_t decode_stream(struct text in, enum decode_base64_mode mode, char *out,
                            struct finding_set *findings)
{
    const unsigned char *at = (const unsigned char *)in.at, *end = at + in.length, *line = at;
    struct base64 state = { 0 };
    size_t written = 0;
    while (at < end) {
        if (state.digits == 0 && !state.padded) written += fast_groups(&at, end, out + written);
        if (at == end) break;
        unsigned char c = *at++;
        if (digit_plus_one[c]) {
            if (state.padded) note(findings, FINDING_BASE64_INNER_PADDING);
            if (state.uneven) note(findings, FINDING_BASE64_UNEVEN_LINE);
            state.uneven = false;
            state.padded = false;
            written += add_digit(&state, digit_plus_one[c] - 1u, out + written);
        } else {
            if (c == '\n') note_line(&line, at - 1, findings);
            state.uneven |= c == '\n' && state.digits > 0;
            if (!other_byte(&state, c, mode, out, &written, findings)) break;
        }
    }
    if (state.digits >= 2 && !state.padded) note(findings, FINDING_BASE64_MISSING_PADDING);
    if (at == end && line < end) note_line(&line, end, findings);
    return written + flush_group(&state, out + written, findings);
}

/* How many of the bytes are the first line, or the lines up to the first empty one, with it. */
static size_t piece_length(struct text in, bool is_paragraph)
{
    struct text rest = in, line;
    do text_next_line(&rest, &line);
    while (is_paragraph && rest.length > 0 && text_trim(line).length > 0);
    return in.length - rest.length;
}

static bool is_whole(struct text line)
{
    if (line.length % 4 != 0) return false;
    for (size_t i = 0; i < line.length; i++)
        if (!digit_plus_one[(uint8_t)line.at[i]] && line.at[i] != '=') return false;
    return true;
}

static size_t decode_whole_lines(struct text in, char *out, struct finding_set *findings)
{
    struct text line;
    size_t written = 0;
    while (text_next_line(&in, &line))
        if (is_whole(line)) written += decode_stream(line, DECODE_STOP, out + written, findings);
    return written;
}

size_t decode_base64(struct text in, enum decode_base64_mode mode, char *out, struct finding_set *findings)
{
    size_t written = 0;
    if (mode < DECODE_LINES) return decode_stream(in, mode, out, findings);
    if (mode == DECODE_WHOLE) return decode_whole_lines(in, out, findings);
    while (in.length > 0) {
        size_t length = piece_length(in, mode == DECODE_PARAGRAPHS);
        written += decode_stream(text_slice(in, 0, length), DECODE_STOP, out + written, findings);
        in = text_slice(in, length, in.length);
    }
    return written;
}

/* A soft line break begins at `at` (on the "="): where the next line begins, or NULL. Blanks before the line
   end are padding that some relay added. */
static const char *soft_break(const char *at, const char *end)
{
    const char *next = at + 1;
    while (next < end && char_is_blank(*next)) next++;
    if (next < end && *next == '\r') next++;
    if (next == end) return next;
    return *next == '\n' ? next + 1 : NULL;
}

static void look_at_line(struct text line, struct finding_set *findings)
{
    uint8_t all = 0;
    if (line.length > LINE_MOST + 1) note(findings, FINDING_QUOTED_LONG_LINE);
    for (size_t i = 0; i < line.length; i++) all |= (uint8_t)line.at[i];
    if (all & 0x80) note(findings, FINDING_QUOTED_8BIT);
}

static void look_at_lines(struct text in, struct finding_set *findings)
{
    struct text line;
    while (text_next_line(&in, &line)) look_at_line(line, findings);
}

size_t decode_quoted(struct text in, char *out, struct finding_set *findings)
{
    const char *at = in.at, *end = in.at + in.length;
    char *to = out;
    if (in.length == 0) return 0;
    if (findings) look_at_lines(in, findings);
    while (at < end) {
        const char *escape = memchr(at, '=', (size_t)(end - at));
        size_t plain = (size_t)((escape ? escape : end) - at);
        memmove(to, at, plain);
        to += plain;
        if (!escape) break;
        int high = escape + 1 < end ? char_hex_value(escape[1]) : -1;
        int low = escape + 2 < end ? char_hex_value(escape[2]) : -1;
        const char *next = high >= 0 && low >= 0 ? NULL : soft_break(escape, end);
        if (high >= 0 && low >= 0) {
            *to++ = (char)(high << 4 | low);
            at = escape + 3;
        } else if (next) {
            at = next;
        } else {
            note(findings, FINDING_QUOTED_BAD_ESCAPE);
            *to++ = '=';
            at = escape + 1;
        }
    }
    return (size_t)(to - out);
}

/* Behind a soft line break that one or more CR end, or behind an escape that the end of the text cuts; NULL
   for anything else. */
static const char *soft_return(const char *at, const char *end)
{
    const char *next = at + 1;
    while (next < end && char_is_blank(*next)) next++;
    if (end - at <= 2 && (next == end || char_hex_value(*next) >= 0)) return end; /* cut within an escape */
    if (next == end || *next != '\r') return NULL;
    while (next < end && *next == '\r') next++;
    return next < end && *next == '\n' ? next + 1 : next;
}

size_t decode_quoted_returns(struct text in, char *out)
{
    const char *at = in.at, *end = in.at + in.length;
    size_t written = 0;
    while (at < end) {
        const char *next = *at == '=' ? soft_return(at, end) : NULL;
        if (next) {
            at = next;
            continue;
        }
        const char *stop = memchr(at + 1, '=', (size_t)(end - at - 1));
        struct text piece = text_from(at, (size_t)((stop ? stop : end) - at));
        written += decode_quoted(piece, out + written, NULL);
        at += piece.length;
    }
    return written;
}

size_t decode_word_quoted(struct text in, char *out)
{
    size_t length = 0;
    bool in_fold = false;
    for (size_t i = 0; i < in.length; i++) {
        char c = in.at[i];
        in_fold = c == '\r' || c == '\n' || (in_fold && char_is_blank(c));
        if (in_fold) continue;
        int high = c == '=' && i + 2 < in.length ? char_hex_value(in.at[i + 1]) : -1;
        int low = c == '=' && i + 2 < in.length ? char_hex_value(in.at[i + 2]) : -1;
        if (high >= 0 && low >= 0) {
            out[length++] = (char)(high << 4 | low);
            i += 2;
        } else {
            out[length++] = c == '_' ? ' ' : c;
        }
    }
    return length;
}

/* "=ybegin line=128 size=68 name=NAME": the name is the rest of the line. */
static bool yenc_line(struct text line, struct decode_block *out)
{
    if (!text_starts(line, TEXT("=ybegin "))) return false;
    size_t at = text_find(line, TEXT(" name="));
    out->form = DECODE_YENC;
    out->name = text_trim(text_slice(line, at + 6, line.length));
    return true;
}

/* "begin 644 name" or "begin-base64 644 name". Programs take a mode of any number of digits. */
static bool begin_line(struct text line, struct decode_block *out)
{
    enum { MODE_DIGITS_MOST = 8 };
    struct text rest = line, word, mode;
    if (yenc_line(line, out)) return true;
    if (!text_starts(line, TEXT("begin"))) return false;
    if (!text_next_word(&rest, &word) || !text_next_word(&rest, &mode)) return false;
    out->form = text_equal(word, TEXT("begin-base64")) ? DECODE_BASE64 : DECODE_UUENCODE;
    if (out->form == DECODE_UUENCODE && !text_equal(word, TEXT("begin"))) return false;
    if (mode.length > MODE_DIGITS_MOST) return false;
    for (size_t i = 0; i < mode.length; i++)
        if (mode.at[i] < '0' || mode.at[i] > '7') return false;
    out->name = text_trim(rest);
    return out->name.length > 0;
}

static unsigned uu_value(char c)
{
    return ((unsigned)(uint8_t)c - 32) & 63;
}

/* Could this line carry data? Its first byte says how many bytes; blanks at the end may have been cut and
   a checksum may have been added. */
static bool is_data_line(struct text line, enum decode_form form)
{
    if (form == DECODE_YENC) return true;
    if (line.length == 0) return false;
    if (form == DECODE_BASE64) return digit_plus_one[(uint8_t)line.at[0]] != 0;
    uint8_t first = (uint8_t)line.at[0];
    if (first < 32 || first > 96) return false;
    size_t due = (uu_value(line.at[0]) + 2) / 3 * 4 + 1;
    return line.length <= due + 2 && line.length + 4 >= (due < 5 ? due : 5);
}

static bool is_end_line(struct text line, enum decode_form form)
{
    if (form == DECODE_YENC) return text_starts(line, TEXT("=yend"));
    line = text_trim(line);
    return form == DECODE_BASE64 ? text_equal(line, TEXT("====")) : text_equal(line, TEXT("end"));
}

/* Empty lines, which some relay put in, and a few others that are no data of uuencode: programs pass over
   them. */
static bool is_gap_line(struct text line, const struct decode_block *block, bool is_behind, unsigned *bad)
{
    if (line.length == 0) return is_behind && block->form != DECODE_YENC;
    return block->form == DECODE_UUENCODE && !is_data_line(line, block->form) &&
           !is_end_line(line, block->form) && !text_starts(line, TEXT("begin")) &&
           !text_starts(line, TEXT("=ybegin ")) && (*bad)++ < BAD_LINES_MOST;
}

/* Fills data, next and ended; false when not even one data line follows. Gaps do not end a block that has its
   "end" line; one that has none ends with the first of them. A line that begins a block is data of a base64
   block, so where one of these found no end, those inside look for none. */
static bool block_body(struct text text, size_t start, struct decode_block *out)
{
    struct text rest = text_slice(text, start, text.length), line;
    const char *begin = rest.at, *data_end = begin, *first_gap = NULL;
    bool is_endless = out->form == DECODE_BASE64 && start < out->endless;
    unsigned bad = 0;
    out->ended = false;
    while (text_next_line(&rest, &line)) {
        bool is_gap = is_gap_line(line, out, data_end > begin, &bad);
        out->ended = is_end_line(line, out->form);
        if (is_gap && !first_gap) first_gap = data_end;
        if (is_gap && is_endless) break;
        if (is_gap) continue;
        if (out->ended || text_starts(line, TEXT("=ybegin ")) || !is_data_line(line, out->form)) break;
        data_end = rest.at ? rest.at : line.at + line.length;
    }
    if (!out->ended && first_gap) data_end = first_gap;
    if (!out->ended && first_gap && out->form == DECODE_BASE64 && !is_endless)
        out->endless = text.length - rest.length;
    out->data = text_from(text.at + start, (size_t)(data_end - (text.at + start)));
    out->next = out->ended ? text.length - rest.length : start + out->data.length;
    if (out->form == DECODE_YENC) out->next = start; /* any line is its data, also one that begins a block */
    return out->data.length > 0;
}

/* The first line at or behind `from` that begins so, or so. */
static size_t line_with(struct text text, size_t from, struct text one, struct text other)
{
    const char *at = text.at + from, *end = text.at + text.length;
    if (from > 0 && from < text.length && at[-1] != '\n') at = memchr(at, '\n', (size_t)(end - at)) ?: end;
    for (; at && at < end; at = char_find_near(at, '\n', (size_t)(end - at))) {
        if (*at == '\n' && ++at == end) break;
        struct text rest = text_from(at, (size_t)(end - at));
        text_skip_empty_lines(&rest);
        at = rest.at;
        if (rest.length == 0) break;
        if (*at == *one.at && text_starts(rest, one)) return (size_t)(at - text.at);
        if (*at == *other.at && text_starts(rest, other)) return (size_t)(at - text.at);
    }
    return text.length;
}

bool decode_find_block(struct text text, size_t from, struct decode_block *out)
{
    while (from < text.length) {
        size_t hit = line_with(text, from, TEXT("begin"), TEXT("=ybegin"));
        size_t line_end = hit + text_find_char(text_slice(text, hit, text.length), '\n');
        if (line_end >= text.length) return false;
        from = line_end + 1;
        if (!begin_line(text_trim(text_slice(text, hit, line_end)), out)) continue;
        if (!block_body(text, from, out)) continue;
        out->offset = hit;
        return true;
    }
    return false;
}

static size_t uu_line(struct text line, char *out, struct finding_set *findings)
{
    size_t due = uu_value(line.at[0]), written = 0;
    if (line.length < (due + 2) / 3 * 4 + 1) note(findings, FINDING_UUENCODE_BAD_LINE);
    for (size_t i = 1; written < due && i < line.length; i += 4) {
        unsigned digits[4] = { 0 };
        for (size_t k = 0; k < 4 && i + k < line.length; k++) digits[k] = uu_value(line.at[i + k]);
        out[written] = (char)(digits[0] << 2 | digits[1] >> 4);
        out[written + 1] = (char)(digits[1] << 4 | digits[2] >> 2);
        out[written + 2] = (char)(digits[2] << 6 | digits[3]);
        written += 3;
    }
    while (written < due && written < line.length) out[written++] = 0; /* blanks at the end that were cut */
    return written < due ? written : due;
}

/* No byte that uuencode has not, but for a few behind the data: a checksum, or what a program adds. */
static bool is_strict_uu_line(struct text line)
{
    enum { JUNK_MOST = 4 };
    if (line.length < 2 || line.at[0] < 33 || line.at[0] > 96) return false;
    size_t due = (uu_value(line.at[0]) + 2) / 3 * 4 + 1;
    if (line.length > due + JUNK_MOST || line.length + 4 < (due < 5 ? due : 5)) return false;
    bool is_trimmed = line.length < due;
    for (size_t i = 1; i < line.length && i + 4 < due; i++)
        if (line.at[i] < 32 || line.at[i] > 96) return false;
    return !is_trimmed || (line.length + 8 >= due && line.length * 2 >= due);
}

static struct text without_blanks(struct text line)
{
    size_t at = 0;
    while (at < line.length && char_is_blank(line.at[at])) at++;
    return text_slice(line, at, line.length);
}

/* The line, or what stands behind its blanks. */
static bool is_uu_line(struct text line)
{
    return is_strict_uu_line(line) || is_strict_uu_line(without_blanks(line));
}

static size_t uu_line_size(struct text line)
{
    if (!is_strict_uu_line(line)) line = without_blanks(line);
    return uu_value(line.at[0]);
}

bool decode_find_uu_lines(struct text text, size_t from, size_t least, bool is_one, struct text *out)
{
    struct text rest = text_slice(text, from, text.length), line;
    size_t start = from, size = 0, last = 0;
    unsigned junk = 0;
    while (rest.length > 0) {
        text_skip_empty_lines(&rest);
        size_t line_start = text.length - rest.length;
        text_next_line(&rest, &line);
        if (is_uu_line(line)) {
            size_t due = uu_line_size(line);
            if (is_one && size >= least && due > last) break;
            if (is_one && due > last) size = 0;
            if (size == 0) start = line_start;
            size += last = due;
            junk = 0;
        } else if (text_trim(line).length > 0 && ++junk > JUNK_LINES_MOST) {
            if (size >= least) break;
            size = 0;
        }
        *out = text_slice(text, start, text.length - rest.length);
    }
    return size >= least && size > 0;
}

/* As an encoder writes it, and no rule or heading that happens to fit. */
static bool is_exact_uu_line(struct text line)
{
    enum { UNLIKE_LEAST = 5 };
    uint64_t seen[2] = { 0 };
    if (!is_strict_uu_line(line)) return false;
    size_t due = (uu_value(line.at[0]) + 2) / 3 * 4 + 1;
    for (size_t i = 1; i < line.length; i++) seen[line.at[i] >> 6 & 1] |= UINT64_C(1) << (line.at[i] & 63);
    int unlike = __builtin_popcountll(seen[0]) + __builtin_popcountll(seen[1]);
    return (line.length == due || line.length == due + 1) && (unlike >= UNLIKE_LEAST || due <= UNLIKE_LEAST);
}

bool decode_has_uu_lines(struct text text, size_t least)
{
    struct text line;
    size_t size = 0;
    unsigned junk = 0, lines = 0;
    while (text_skip_empty_lines(&text), text_next_line(&text, &line)) {
        line = without_blanks(line);
        bool is_exact = is_exact_uu_line(line);
        if (is_exact) {
            size += uu_value(line.at[0]);
            lines++;
            junk = 0;
        } else if (line.length > 0 && ++junk > JUNK_LINES_MOST) {
            size = lines = 0;
        }
        if (size >= least && lines >= 2) return true;
    }
    return false;
}

size_t decode_uuencode_loose(struct text data, char *out)
{
    struct text line;
    size_t written = 0;
    while (text_next_line(&data, &line)) {
        if (!is_uu_line(line) || is_end_line(line, DECODE_UUENCODE)) continue;
        if (!is_strict_uu_line(line)) line = without_blanks(line);
        written += uu_line(line, out + written, NULL);
    }
    return written;
}

size_t decode_uuencode(struct text data, char *out, struct finding_set *findings)
{
    struct text line;
    size_t written = 0;
    while (text_next_line(&data, &line)) {
        if (line.length == 0 || is_end_line(line, DECODE_UUENCODE)) continue;
        if (!is_data_line(line, DECODE_UUENCODE)) {
            note(findings, FINDING_UUENCODE_BAD_LINE);
            continue;
        }
        written += uu_line(line, out + written, findings);
    }
    return written;
}

/* Every byte is 42 more than it was; after "=", 64 more still. Lines that begin with "=y" are about the data.
 */
size_t decode_yenc(struct text data, char *out)
{
    struct text line;
    size_t written = 0;
    while (text_next_line(&data, &line)) {
        if (text_starts(line, TEXT("=y"))) continue;
        for (size_t i = 0; i < line.length; i++) {
            bool is_escape = line.at[i] == '=' && i + 1 < line.length;
            if (is_escape) i++;
            out[written++] = (char)((unsigned char)line.at[i] - (is_escape ? 106 : 42));
        }
    }
    return written;
}

/* However the sentence goes on. */
static size_t binhex_start(struct text text, size_t from)
{
    static const struct text mark = { "(This file must be converted with BinHex", 40 };
    return line_with(text, from, mark, mark);
}

/* Behind the colon that ends the data; where no line begins with one, or none follows, all of it. */
static size_t binhex_length(struct text file)
{
    const char *end = file.at + file.length;
    const char *first = memmem(file.at, file.length, "\n:", 2);
    const char *last = first ? memchr(first + 2, ':', (size_t)(end - first - 2)) : NULL;
    return last ? (size_t)(last + 1 - file.at) : file.length;
}

bool decode_find_binhex(struct text text, size_t from, struct text *out)
{
    size_t start = binhex_start(text, from);
    if (start >= text.length) return false;
    *out = text_slice(text, start, binhex_start(text, start + 1));
    out->length = binhex_length(*out);
    return true;
}
