/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Two steps: cut the value into raw "name=value" pieces, then join the sections of RFC 2231. */
#include "mail/parameter.h"

#include "mail/charset.h"
#include "mail/encoded_word.h"

enum { SECTION_NONE = -1, SECTION_MOST = 9999 };

/* One piece as written. */
struct piece {
    struct text name; /* lower case, without section and "*" */
    struct text value;
    int section;  /* SECTION_NONE when it has none */
    bool percent; /* its name ends in "*" */
    bool used;
};

struct scan {
    struct arena *arena;
    struct text text;
    enum charset_shape shape; /* of its raw bytes */
    size_t at;
    struct finding_set *findings;
};

static bool more(const struct scan *scan)
{
    return scan->at < scan->text.length;
}

static char here(const struct scan *scan)
{
    return scan->text.at[scan->at];
}

/* Bytes from here on that only look like ASCII. */
static size_t opaque(const struct scan *scan)
{
    return charset_opaque(scan->shape, text_slice(scan->text, scan->at, scan->text.length));
}

/* Behind a comment that begins here; comments nest. RFC 5322 section 3.2.2. */
static void skip_comment(struct scan *scan)
{
    size_t depth = 0;
    for (; more(scan); scan->at++) {
        char c = here(scan);
        if (c == '\\') {
            scan->at++;
        } else if (c == '(') {
            depth++;
        } else if (c == ')' && --depth == 0) {
            scan->at++;
            return;
        }
    }
    if (scan->at > scan->text.length) scan->at = scan->text.length;
}

static void skip_white(struct scan *scan)
{
    while (more(scan)) {
        char c = here(scan);
        if (c == '(')
            skip_comment(scan);
        else if (char_is_blank(c) || c == '\r' || c == '\n')
            scan->at++;
        else
            return;
    }
}

static bool is_token_char(char c)
{
    unsigned char u = (unsigned char)c;
    return u > 32 && u < 127 && !strchr("()<>@,;:\\\"/[]?=", c);
}

/* Room for what was taken since `start`, and all that may follow. */
static char *plain_copy(struct scan *scan, size_t start, size_t length)
{
    char *plain = arena_alloc(scan->arena, scan->text.length - start + 1);
    memcpy(plain, scan->text.at + start, length);
    return plain;
}

/* The opening quote is here. RFC 5322 section 3.2.4. A backslash that is the second byte of a character
   quotes nothing; some programs write it twice. */
static struct text take_quoted(struct scan *scan)
{
    size_t start = ++scan->at, length = 0;
    char *plain = NULL;
    for (; more(scan); scan->at++) {
        size_t wide = opaque(scan);
        if (wide > 0) {
            bool is_doubled =
                text_starts(text_slice(scan->text, scan->at + wide - 1, scan->text.length), TEXT("\\\\"));
            if (is_doubled && !plain) plain = plain_copy(scan, start, length);
            if (plain) memcpy(plain + length, scan->text.at + scan->at, wide);
            length += wide;
            scan->at += wide - 1 + is_doubled;
            continue;
        }
        char c = here(scan);
        if (c == '"') {
            struct text written = text_slice(scan->text, start, scan->at++);
            return plain ? text_from(plain, length) : written;
        }
        if (c == '\\' && scan->at + 1 < scan->text.length) {
            if (!plain) plain = plain_copy(scan, start, length);
            c = scan->text.at[++scan->at];
        }
        if (plain) plain[length] = c;
        length++;
    }
    finding_add(scan->findings, FINDING_PARAMETER_UNCLOSED_QUOTE);
    return plain ? text_from(plain, length) : text_slice(scan->text, start, scan->text.length);
}

/* Does "token=" stand here? Then a semicolon was forgotten before it. */
static bool at_assignment(const struct scan *scan)
{
    size_t at = scan->at;
    while (at < scan->text.length && is_token_char(scan->text.at[at])) at++;
    return at > scan->at && at < scan->text.length && scan->text.at[at] == '=';
}

/* A value without quotes: to the semicolon, a comment, or a forgotten semicolon. */
static struct text take_bare(struct scan *scan)
{
    size_t start = scan->at, end = start;
    bool odd = false;
    while (more(scan) && here(scan) != ';') {
        char c = here(scan);
        size_t wide = opaque(scan);
        if (wide > 0) {
            odd = true;
            end = scan->at += wide;
            continue;
        }
        if (char_is_blank(c) || c == '\r' || c == '\n') {
            skip_white(scan);
            if (!more(scan) || here(scan) == ';') break;
            if (at_assignment(scan)) {
                finding_add(scan->findings, FINDING_PARAMETER_SYNTAX);
                return text_slice(scan->text, start, end);
            }
            odd = true;
            continue;
        }
        odd |= !is_token_char(c);
        end = ++scan->at;
    }
    if (odd) finding_add(scan->findings, FINDING_PARAMETER_UNQUOTED);
    return text_slice(scan->text, start, end);
}

/* What stands between a closed quote and the next semicolon belongs to nothing. */
static void skip_to_semicolon(struct scan *scan)
{
    skip_white(scan);
    if (!more(scan) || here(scan) == ';') return;
    finding_add(scan->findings, FINDING_PARAMETER_SYNTAX);
    while (more(scan) && here(scan) != ';' && !at_assignment(scan)) {
        while (more(scan) && is_token_char(here(scan))) scan->at++;
        if (more(scan) && here(scan) != ';') scan->at++;
        skip_white(scan);
    }
}

/* name, name*, name*0, name*0*. RFC 2231 sections 3 and 4. */
static void split_name(struct text written, struct piece *out)
{
    out->section = SECTION_NONE;
    out->percent = text_ends(written, TEXT("*"));
    if (out->percent) written.length--;
    size_t star = text_find_last_char(written, '*');
    uint64_t section;
    if (star < written.length &&
        text_to_number(text_slice(written, star + 1, written.length), SECTION_MOST, &section)) {
        out->section = (int)section;
        written.length = star;
    }
    out->name = written;
}

static bool take_piece(struct scan *scan, struct piece *out)
{
    skip_white(scan);
    size_t start = scan->at;
    while (more(scan) && here(scan) != '=' && here(scan) != ';') scan->at++;
    struct text name = text_trim(text_slice(scan->text, start, scan->at));
    if (!more(scan) || here(scan) == ';' || name.length == 0) {
        if (name.length > 0 || (more(scan) && here(scan) == '='))
            finding_add(scan->findings, FINDING_PARAMETER_SYNTAX);
        while (more(scan) && here(scan) != ';') scan->at++;
        return false;
    }
    scan->at++;
    for (size_t i = 0; i < name.length; i++)
        if (!is_token_char(name.at[i])) finding_add(scan->findings, FINDING_PARAMETER_SYNTAX);
    split_name(arena_text_lower(scan->arena, name), out);
    skip_white(scan);
    if (more(scan) && here(scan) == '"') {
        out->value = take_quoted(scan);
        skip_to_semicolon(scan);
    } else {
        out->value = take_bare(scan);
    }
    if (!text_is_ascii(out->value)) finding_add(scan->findings, FINDING_PARAMETER_8BIT);
    return true;
}

/* Appends with percent signs undone; returns how many bytes. */
static size_t undo_percent(struct text value, char *out, struct finding_set *findings)
{
    size_t length = 0;
    for (size_t i = 0; i < value.length; i++) {
        char c = value.at[i];
        if (c == '%') {
            int high = i + 1 < value.length ? char_hex_value(value.at[i + 1]) : -1;
            int low = i + 2 < value.length ? char_hex_value(value.at[i + 2]) : -1;
            if (high >= 0 && low >= 0) {
                c = (char)(high << 4 | low);
                i += 2;
            } else {
                finding_add(findings, FINDING_PARAMETER_BAD_PERCENT);
            }
        }
        out[length++] = c;
    }
    return length;
}

/* Cuts "charset'language'" off the front of an extended value. */
static struct text take_charset(struct text *value)
{
    size_t first = text_find_char(*value, '\'');
    if (first == value->length) return TEXT_NONE;
    struct text rest = text_slice(*value, first + 1, value->length);
    size_t second = text_find_char(rest, '\'');
    if (second == rest.length) return TEXT_NONE;
    struct text charset = text_slice(*value, 0, first);
    *value = text_slice(rest, second + 1, rest.length);
    return charset;
}

static struct piece *find_section(struct piece *pieces, size_t count, struct text name, int section)
{
    for (size_t i = 0; i < count; i++)
        if (!pieces[i].used && pieces[i].section == section && text_equal(pieces[i].name, name))
            return &pieces[i];
    return NULL;
}

/* Joins all sections that carry this name, in order of their numbers. */
static struct parameter join_sections(struct arena *arena, struct piece *pieces, size_t count,
                                      struct text name, struct finding_set *findings)
{
    struct parameter out = { .name = name, .extended = true };
    size_t room = 0, length = 0, left = 0;
    int highest = SECTION_NONE;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].used || pieces[i].section < 0 || !text_equal(pieces[i].name, name)) continue;
        room += pieces[i].value.length;
        left++;
        if (pieces[i].section > highest) highest = pieces[i].section;
    }
    if ((size_t)highest >= left) finding_add(findings, FINDING_PARAMETER_SECTION_GAP);
    char *value = arena_alloc(arena, room + 1);
    for (int section = 0; section <= highest && left > 0 && section <= (int)count + 1; section++) {
        struct piece *piece = find_section(pieces, count, name, section);
        if (!piece) continue;
        struct text part = piece->value;
        if (piece->percent && section == 0) out.charset = take_charset(&part);
        if (piece->percent)
            length += undo_percent(part, value + length, findings);
        else if (part.length) {
            memcpy(value + length, part.at, part.length);
            length += part.length;
        }
        piece->used = true;
        left--;
    }
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].used || pieces[i].section < 0 || !text_equal(pieces[i].name, name)) continue;
        pieces[i].used = true;
        finding_add(findings, FINDING_DUPLICATE_PARAMETER);
    }
    out.value = text_from(value, length);
    return out;
}

static struct parameter whole_piece(struct arena *arena, struct piece *piece, struct finding_set *findings)
{
    struct parameter out = { .name = piece->name, .value = piece->value, .extended = piece->percent };
    piece->used = true;
    if (!piece->percent) return out;
    struct text value = piece->value;
    out.charset = take_charset(&value);
    char *plain = arena_alloc(arena, value.length + 1);
    out.value = text_from(plain, undo_percent(value, plain, findings));
    return out;
}

static void look_for_doubles(const struct parameter_list *list, struct finding_set *findings)
{
    for (size_t i = 0; i < list->count; i++)
        for (size_t k = 0; k < i; k++) {
            if (!text_equal(list->items[i].name, list->items[k].name)) continue;
            bool mixed = list->items[i].extended != list->items[k].extended;
            finding_add(findings, mixed ? FINDING_PARAMETER_MIXED : FINDING_DUPLICATE_PARAMETER);
        }
}

static void build(struct arena *arena, struct piece *pieces, size_t count, struct parameter_list *out)
{
    out->items = arena_alloc_array(arena, count, sizeof *out->items);
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].used) continue;
        struct parameter made = pieces[i].section == SECTION_NONE
                                    ? whole_piece(arena, &pieces[i], &out->findings)
                                    : join_sections(arena, pieces, count, pieces[i].name, &out->findings);
        if (text_find(made.value, TEXT("=?")) < made.value.length)
            finding_add(&out->findings, FINDING_PARAMETER_ENCODED_WORD);
        out->items[out->count++] = made;
    }
    look_for_doubles(out, &out->findings);
}

/* What stands before the parameters, without comments. */
static void take_value(struct scan *scan, struct parameter_list *out)
{
    bool comments = text_find_char(scan->text, '(') < scan->text.length;
    char *plain = comments ? arena_alloc(scan->arena, scan->text.length) : NULL;
    size_t length = 0;
    skip_white(scan);
    size_t start = scan->at;
    out->unseparated = at_assignment(scan);
    while (!out->unseparated && more(scan) && here(scan) != ';') {
        bool blank = char_is_blank(here(scan));
        if (here(scan) == '(') {
            skip_comment(scan);
            continue;
        }
        if (plain) plain[length] = here(scan);
        length++;
        scan->at++;
        out->unseparated = blank && at_assignment(scan);
        if (out->unseparated) break;
    }
    if (out->unseparated) finding_add(scan->findings, FINDING_PARAMETER_SYNTAX);
    out->value = text_trim(plain ? text_from(plain, length) : text_slice(scan->text, start, scan->at));
}

static bool is_raw(struct text value)
{
    return !text_is_ascii(value) || text_find_char(value, '\x1b') < value.length;
}

void parameter_parse(struct arena *arena, struct text value, struct text declared, size_t most,
                     struct parameter_list *out)
{
    memset(out, 0, sizeof *out);
    struct scan scan = { .arena = arena, .text = value, .findings = &out->findings };
    take_value(&scan, out);
    bool has_boundary =
        text_starts_nocase(out->value, TEXT("multipart")); /* no name, and others must agree */
    if (is_raw(value) && !has_boundary) scan.shape = charset_shape(charset_of_bytes(declared, value));
    size_t count = 0, room = 0;
    struct piece *pieces = NULL;
    while (more(&scan)) {
        struct piece piece = { 0 };
        if (here(&scan) == ';') scan.at++;
        if (!take_piece(&scan, &piece)) continue;
        if (count == most) {
            finding_add(&out->findings, FINDING_TOO_MANY_PARAMETERS);
            break;
        }
        if (count == room) {
            struct piece *wider = arena_alloc_array(arena, room ? room * 2 : 4, sizeof *wider);
            if (count) memcpy(wider, pieces, count * sizeof *pieces);
            pieces = wider;
            room = room ? room * 2 : 4;
        }
        pieces[count++] = piece;
    }
    if (count) build(arena, pieces, count, out);
}

const struct parameter *parameter_find(const struct parameter_list *list, struct text name, bool last)
{
    const struct parameter *found = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const struct parameter *item = &list->items[i];
        if (!text_equal(item->name, name)) continue;
        bool better =
            !found || (last ? !item->extended || found->extended : item->extended && !found->extended);
        if (better) found = item;
    }
    return found;
}

size_t parameter_times(const struct parameter_list *list, struct text name)
{
    size_t times = 0;
    for (size_t i = 0; i < list->count; i++) times += text_equal(list->items[i].name, name);
    return times;
}

struct text parameter_utf8(struct arena *arena, const struct parameter *parameter, struct text declared,
                           struct finding_set *findings)
{
    struct text value = parameter->value;
    if (parameter->charset.length == 0) {
        if (!is_raw(value) && text_find(value, TEXT("=?")) == value.length) return value;
        return word_decode_in(arena, value, declared, findings);
    }
    struct buffer decoded = { 0 };
    charset_to_utf8(parameter->charset, value, &decoded, findings);
    struct text text = arena_text(arena, buffer_text(&decoded));
    buffer_free(&decoded);
    return text;
}
