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
static bool is_id(struct text id)
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

static struct text id_find(struct arena *arena, const struct header *header)
{
    const struct header_field *field = header_find_name(header, TEXT("List-Id"));
    if (!field || header_count_name(header, TEXT("List-Id")) != 1) return TEXT_NONE;
    struct text id = between_brackets(header_unfold(arena, field->value));
    if (!is_id(id)) return TEXT_NONE;
    char *lower = arena_alloc(arena, id.length);
    for (size_t i = 0; i < id.length; i++) lower[i] = char_lower(id.at[i]);
    return text_from(lower, id.length);
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

/* "label" and "namespace" of "label@namespace" around the "@" are the id, with a dot in its place. */
static bool is_list_at(struct text value, size_t at, struct text id)
{
    size_t begin = at, end = at + 1;
    while (begin > 0 && (is_id_char(value.at[begin - 1]) || value.at[begin - 1] == '.')) begin--;
    while (end < value.length && (is_id_char(value.at[end]) || value.at[end] == '.')) end++;
    size_t local = at - begin;
    struct text found = text_slice(value, begin, end);
    if (found.length != id.length || id.at[local] != '.') return false;
    return text_equal_nocase(text_slice(found, 0, local), text_slice(id, 0, local)) &&
           text_equal_nocase(text_slice(found, local + 1, found.length),
                             text_slice(id, local + 1, id.length));
}

/* Outside quotes and comments. One that does not end hides what is behind it. */
static bool is_addressee(struct text value, struct text id)
{
    unsigned comments = 0;
    bool is_quoted = false;
    for (size_t i = 0; i < value.length; i++) {
        char c = value.at[i];
        if (c == '\\')
            i++;
        else if (c == '"' && comments == 0)
            is_quoted = !is_quoted;
        else if (c == '(' && !is_quoted)
            comments++;
        else if (c == ')' && !is_quoted && comments > 0)
            comments--;
        else if (c == '@' && !is_quoted && comments == 0 && is_list_at(value, i, id))
            return true;
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
    *out = (struct mailing_list){ .id = id_find(arena, header) };
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
    if (flags > 3 || (out->id.length > 0 && !is_id(out->id))) reader->failed = true;
}
