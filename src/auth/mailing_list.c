/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by authentication.c. An id that is not plain is none: it becomes part of a record's key and of a
   comment in a header field. */
#include "auth/mailing_list.h"

#include "base/buffer.h"

/* --- the id --- */

static bool is_id_char(char c)
{
    return char_is_alpha(c) || char_is_digit(c) || c == '-' || c == '_' || c == '+';
}

/* Atoms with single dots between them, at least two (RFC 2919 section 3). */
bool mailing_list_is_id(struct text id)
{
    size_t atom = 0, dots = 0;
    if (id.length > MAILING_LIST_ID_MOST) return false;
    for (size_t i = 0; i < id.length; i++) {
        bool is_dot = id.at[i] == '.';
        if (is_dot ? atom == 0 : !is_id_char(id.at[i])) return false;
        atom = is_dot ? 0 : atom + 1;
        dots += is_dot;
    }
    return atom > 0 && dots > 0;
}

/* What stands in the last angle brackets; without any, the whole value. */
static struct text between_brackets(struct text value)
{
    size_t open = text_find_last_char(value, '<');
    if (open == value.length) return text_trim(value);
    struct text rest = text_slice(value, open + 1, value.length);
    return text_trim(text_slice(rest, 0, text_find_char(rest, '>')));
}

struct text mailing_list_id(struct arena *arena, const struct header *header)
{
    const struct header_field *field = header_find_name(header, TEXT("List-Id"));
    if (!field || header_count_name(header, TEXT("List-Id")) != 1) return TEXT_NONE;
    struct text id = between_brackets(header_unfold(arena, field->value));
    return mailing_list_is_id(id) ? arena_text_lower(arena, id) : TEXT_NONE;
}

static bool is_sent_to_many(struct arena *arena, const struct header *header)
{
    const struct header_field *precedence = header_find_name(header, TEXT("Precedence"));
    if (header_find_name(header, TEXT("List-Post"))) return true;
    if (!precedence) return false;
    struct text word = text_trim(header_unfold(arena, precedence->value));
    return text_equal_nocase(word, TEXT("list")) || text_equal_nocase(word, TEXT("bulk"));
}

/* --- the author's addressees --- */

/* What can stand beside an address; all else may be a part of a longer one. */
static bool is_beside(char c)
{
    return char_is_blank(c) || c == '\r' || c == '\n' || c == '<' || c == '>' || c == '(' || c == ')';
}

/* "label" and "namespace" of "label@namespace" around the "@" are the id, with a dot in its place. */
static bool is_list_at(struct text value, size_t at, struct text id)
{
    size_t begin = at, end = at + 1;
    while (begin > 0 && !is_beside(value.at[begin - 1])) begin--;
    while (end < value.length && !is_beside(value.at[end])) end++;
    size_t local = at - begin;
    struct text found = text_slice(value, begin, end);
    if (found.length != id.length || id.at[local] != '.') return false;
    return text_equal_nocase(text_slice(found, 0, local), text_slice(id, 0, local)) &&
           text_equal_nocase(text_slice(found, local + 1, found.length),
                             text_slice(id, local + 1, id.length));
}

struct walk {
    unsigned comments;
    bool is_quoted;
};

/* The octet is outside quotes and comments, and none of their marks. Passes over what a backslash hides. */
static bool is_outside(struct walk *walk, struct text value, size_t *at)
{
    char c = value.at[*at];
    if (c == '\\') ++*at;
    if (c == '"' && walk->comments == 0) walk->is_quoted = !walk->is_quoted;
    if (c == '\\' || c == '"' || walk->is_quoted) return false;
    if (c == '(') walk->comments++;
    if (c == ')' && walk->comments > 0) walk->comments--;
    return walk->comments == 0 && c != ')';
}

/* Where the address that begins the text ends, at a comma, semicolon or colon. *out_open: its "<", or as far
   as it goes. */
static size_t address_end(struct text rest, size_t *out_open)
{
    struct walk walk = { 0 };
    size_t open = rest.length, i = 0;
    for (; i < rest.length; i++) {
        size_t at = i;
        if (!is_outside(&walk, rest, &i)) continue;
        if (rest.at[at] == '<' && open == rest.length) open = at;
        if (rest.at[at] == ',' || rest.at[at] == ';' || rest.at[at] == ':') break;
    }
    if (i > rest.length) i = rest.length;
    *out_open = open < i ? open : i;
    return i;
}

static bool is_list_in(struct text address, struct text id)
{
    struct walk walk = { 0 };
    for (size_t i = 0; i < address.length; i++) {
        size_t at = i;
        if (is_outside(&walk, address, &i) && address.at[at] == '@' && is_list_at(address, at, id))
            return true;
    }
    return false;
}

/* Of an address with "<…>" what is inside, of others all. What does not end hides what is behind it. */
static bool is_addressee(struct text value, struct text id)
{
    while (value.length > 0) {
        size_t open, end = address_end(value, &open);
        struct text address = text_slice(value, 0, end);
        if (open < end) {
            address = text_slice(address, open + 1, end);
            address = text_slice(address, 0, text_find_char(address, '>'));
        }
        if (is_list_in(address, id)) return true;
        value = text_slice(value, end + 1, value.length);
    }
    return false;
}

static bool is_in_fields(const struct header *header, enum header_id which, struct text id)
{
    for (size_t i = 0; header->times[which] > 0 && i < header->count; i++)
        if (header->fields[i].id == which && is_addressee(header->fields[i].value, id)) return true;
    return false;
}

void mailing_list_read(struct arena *arena, const struct header *header, struct mailing_list *out)
{
    *out = (struct mailing_list){ .id = mailing_list_id(arena, header) };
    if (out->id.length > 0 && !is_sent_to_many(arena, header)) out->id = TEXT_NONE;
    if (out->id.length == 0) return;
    out->is_in_to = is_in_fields(header, HEADER_TO, out->id);
    out->is_in_cc = is_in_fields(header, HEADER_CC, out->id);
}

/* --- the byte form --- */

void mailing_list_put(const struct mailing_list *list, struct buffer *out)
{
    put_text(out, list->id);
    put_u8(out, (uint8_t)(list->is_in_to | list->is_in_cc << 1));
}

void mailing_list_get(struct reader *reader, struct mailing_list *out)
{
    out->id = get_text(reader);
    uint8_t flags = get_u8(reader);
    out->is_in_to = flags & 1;
    out->is_in_cc = flags >> 1 & 1;
    if (flags > 3 || (out->id.length > 0 && !mailing_list_is_id(out->id))) reader->failed = true;
}
