/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Each kind of field has its own places for encoded words; in between all bytes stay as they are. */
#include "mail/field_ascii.h"

#include "base/utf8.h"
#include "mail/charset.h"
#include "mail/encoded_word.h"
#include "mail/mailbox.h"

static bool is_one_of(char c, const char *these)
{
    return c && strchr(these, c);
}

/* Octets of the white space at the front. */
static size_t white_length(struct text text)
{
    size_t length = 0;
    while (length < text.length && char_is_white(text.at[length])) length++;
    return length;
}

/* Octets up to white space or one of `stops`. */
static size_t word_length(struct text text, const char *stops)
{
    size_t length = 0;
    while (length < text.length && !char_is_white(text.at[length]) && !is_one_of(text.at[length], stops))
        length++;
    return length;
}

/* Words that are not ASCII, as many as follow each other, with the blanks between them: as encoded words they
   would stand together (RFC 2047 section 6.2). */
static size_t run_length(struct text text, const char *stops)
{
    size_t end = 0, at = 0;
    for (;;) {
        size_t word = word_length(text_slice(text, at, text.length), stops);
        if (word == 0 || text_is_ascii(text_slice(text, at, at + word))) return end;
        end = at + word;
        at = end + white_length(text_slice(text, end, text.length));
    }
}

static size_t column_of(struct text lines)
{
    size_t line = text_find_last_char(lines, '\n');
    return line == lines.length ? lines.length : lines.length - line - 1;
}

static void words_put(struct text utf8, struct buffer *out)
{
    struct buffer plain = { 0 };
    for (size_t i = 0; i < utf8.length; i++)
        if (utf8.at[i] != '\r' && utf8.at[i] != '\n') buffer_add_char(&plain, utf8.at[i]);
    word_encode(TEXT("UTF-8"), 'B', buffer_text(&plain), column_of(buffer_text(out)), out);
    buffer_free(&plain);
}

static void take(struct text *rest, size_t length, struct buffer *out)
{
    buffer_add_text(out, text_slice(*rest, 0, length));
    *rest = text_slice(*rest, length, rest->length);
}

/* Text in which encoded words may stand, up to one of `stops` or the end. */
static void text_put(struct text *rest, const char *stops, struct buffer *out)
{
    while (rest->length > 0 && !is_one_of(rest->at[0], stops)) {
        size_t run = run_length(*rest, stops);
        if (run > 0) {
            words_put(text_slice(*rest, 0, run), out);
            *rest = text_slice(*rest, run, rest->length);
        } else {
            take(rest, white_length(*rest), out);
            if (run_length(*rest, stops) == 0) take(rest, word_length(*rest, stops), out);
        }
    }
}

/* --- structured fields --- */

/* Octets of the quoted string at the front, with its quotes; 0: it has no end. */
static size_t quoted_length(struct text text)
{
    for (size_t i = 1; i < text.length; i++) {
        if (text.at[i] == '"') return i + 1;
        i += text.at[i] == '\\';
    }
    return 0;
}

static struct text unquoted(struct text quoted, struct buffer *room)
{
    buffer_clear(room);
    for (size_t i = 1; i + 1 < quoted.length; i++) {
        i += quoted.at[i] == '\\';
        buffer_add_char(room, quoted.at[i]);
    }
    return buffer_text(room);
}

/* An encoded word ends at a blank or at what ends a phrase. */
static void phrase_end(struct text rest, struct buffer *out)
{
    if (rest.length > 0 && !char_is_white(rest.at[0]) && !is_one_of(rest.at[0], ",;)"))
        buffer_add_char(out, ' ');
}

/* "a@b", "<a@b>", or whatever it is in ASCII. A domain in U-labels has A-labels. */
static bool address_put(struct text token, struct buffer *out)
{
    struct arena *arena = arena_new(0);
    bool is_bracketed = token.at[0] == '<' && token.at[token.length - 1] == '>';
    struct text address = text_slice(token, is_bracketed, token.length - is_bracketed), ascii = TEXT_NONE;
    bool is_ascii = text_is_ascii(token), is_good = is_ascii || mailbox_to_ascii(arena, address, &ascii);
    if (is_ascii)
        buffer_add_text(out, token);
    else if (is_good)
        buffer_printf(out, is_bracketed ? "<%.*s>" : "%.*s", TEXT_ARG(ascii));
    arena_free(arena);
    return is_good;
}

/* An address in angle brackets, or a word. */
static bool token_put(struct text *rest, struct buffer *out)
{
    bool is_bracketed = rest->at[0] == '<';
    size_t length = is_bracketed ? text_find_char(*rest, '>') + 1 : word_length(*rest, "\"(<,;:");
    size_t run = is_bracketed ? 0 : run_length(*rest, "\"(<,;:@");
    if (run == 0) {
        if (length == 0) length = 1;
        bool is_good = address_put(text_slice(*rest, 0, length), out);
        *rest = text_slice(*rest, length, rest->length);
        return is_good;
    }
    words_put(text_slice(*rest, 0, run), out);
    *rest = text_slice(*rest, run, rest->length);
    phrase_end(*rest, out);
    return rest->length == 0 || rest->at[0] != '@';
}

static bool quoted_put(struct text *rest, struct buffer *out)
{
    size_t length = quoted_length(*rest);
    if (length == 0) return token_put(rest, out);
    struct text quoted = text_slice(*rest, 0, length);
    struct buffer room = { 0 };
    if (text_is_ascii(quoted)) {
        take(rest, length, out);
        return true;
    }
    *rest = text_slice(*rest, length, rest->length);
    words_put(unquoted(quoted, &room), out);
    buffer_free(&room);
    phrase_end(*rest, out);
    return rest->length == 0 || rest->at[0] != '@';
}

static void comment_put(struct text *rest, struct buffer *out)
{
    size_t depth = 0;
    do {
        char c = rest->at[0];
        depth += c == '(' ? 1 : c == ')' ? -(size_t)1 : 0;
        take(rest, 1, out);
        text_put(rest, "()", out);
    } while (rest->length > 0 && depth > 0);
}

static bool structured_put(struct text value, struct buffer *out)
{
    bool is_good = true;
    while (is_good && value.length > 0) {
        take(&value, white_length(value), out);
        if (value.length == 0) break;
        if (value.at[0] == '"')
            is_good = quoted_put(&value, out);
        else if (value.at[0] == '(')
            comment_put(&value, out);
        else
            is_good = token_put(&value, out);
    }
    return is_good;
}

/* --- parameters --- */

/* RFC 2231 sections 3 and 4: in parts, so that lines stay short. */
static void parameter_put(struct text name, struct text utf8, struct buffer *out)
{
    enum { PART_MOST = 18 }; /* octets before they are encoded */
    bool is_divided = utf8.length > PART_MOST;
    for (unsigned part = 0; part == 0 || utf8.length > 0; part++) {
        size_t length = utf8.length < PART_MOST ? utf8.length : PART_MOST;
        buffer_printf(out, "%s%.*s*", part ? ";\r\n " : "", TEXT_ARG(name));
        if (is_divided) buffer_printf(out, "%u*", part);
        buffer_add_text(out, part ? TEXT("=") : TEXT("=UTF-8''"));
        for (size_t i = 0; i < length; i++) {
            char c = utf8.at[i];
            bool is_plain = char_is_alpha(c) || char_is_digit(c) || c == '.' || c == '-' || c == '_';
            buffer_printf(out, is_plain ? "%c" : "%%%02X", (uint8_t)c);
        }
        utf8 = text_slice(utf8, length, utf8.length);
    }
}

/* name=value, up to the next semicolon. */
static bool one_parameter_put(struct text *rest, struct buffer *out)
{
    size_t equals = word_length(*rest, "=;");
    struct text name = text_slice(*rest, 0, equals), behind = text_slice(*rest, equals + 1, rest->length);
    bool has_value = equals < rest->length && rest->at[equals] == '=';
    bool is_quoted = has_value && behind.length > 0 && behind.at[0] == '"';
    size_t length = is_quoted ? quoted_length(behind) : text_find_char(behind, ';');
    struct text value = text_slice(behind, 0, length);
    struct buffer room = { 0 };
    if (!has_value || !text_is_ascii(name) || text_is_ascii(value) || (is_quoted && length == 0)) {
        size_t whole = has_value ? equals + 1 + length : equals ? equals : 1;
        bool is_good = text_is_ascii(text_slice(*rest, 0, whole));
        take(rest, whole, out);
        return is_good;
    }
    if (text_find_char(name, '*') < name.length) return false; /* encoded by half */
    parameter_put(name, is_quoted ? unquoted(value, &room) : text_trim(value), out);
    *rest = text_slice(behind, length, behind.length);
    buffer_free(&room);
    return true;
}

static bool parameters_put(struct text value, struct buffer *out)
{
    bool is_good = true;
    size_t type = text_find_char(value, ';');
    if (!text_is_ascii(text_slice(value, 0, type))) return false;
    take(&value, type, out);
    while (is_good && value.length > 0) {
        if (value.at[0] == ';') take(&value, 1, out);
        take(&value, white_length(value), out);
        if (value.length > 0 && value.at[0] != ';') is_good = one_parameter_put(&value, out);
    }
    return is_good;
}

/* --- fields --- */

static bool is_structured(const struct header_field *field)
{
    switch (field->id) {
    case HEADER_SUBJECT:
        return false;
    case HEADER_OTHER:
        return text_starts_nocase(field->name, TEXT("Resent-")) ||
               text_starts_nocase(field->name, TEXT("List-"));
    default:
        return true;
    }
}

static bool value_put(const struct header_field *field, struct text utf8, struct buffer *out)
{
    if (field->id == HEADER_CONTENT_TYPE || field->id == HEADER_CONTENT_DISPOSITION)
        return parameters_put(utf8, out);
    if (is_structured(field)) return structured_put(utf8, out);
    text_put(&utf8, "", out);
    return true;
}

bool field_ascii_put(const struct header_field *field, struct text charset, struct buffer *out)
{
    struct buffer utf8 = { 0 };
    if (!text_is_ascii(field->name)) return false;
    if (utf8_is_valid(field->value))
        buffer_add_text(&utf8, field->value);
    else
        charset_to_utf8(charset, field->value, &utf8, NULL);
    buffer_add_text(out, field->name);
    buffer_add_char(out, ':');
    bool is_good = value_put(field, buffer_text(&utf8), out);
    buffer_add_text(out, TEXT("\r\n"));
    buffer_free(&utf8);
    return is_good;
}
