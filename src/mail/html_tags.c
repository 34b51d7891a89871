/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Each byte is looked at a fixed number of times: what does not end lasts to the end of all. */
#include "mail/html_tags.h"

#include "base/utf8.h"

enum { ENTITY_MOST = 10 };

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

static bool is_name(char c)
{
    return char_is_alpha(c) || char_is_digit(c) || c == '-' || c == ':';
}

/* --- tags --- */

/* Where the tag that begins in front of `at` ends: the index of its ">", quoted ones are none. */
static size_t tag_end(struct text text, size_t at)
{
    char quote = '\0';
    for (; at < text.length; at++) {
        char c = text.at[at];
        if (quote != '\0')
            quote = c == quote ? '\0' : quote;
        else if (c == '>')
            return at;
        else if ((c == '"' || c == '\'') && text.at[at - 1] == '=')
            quote = c;
    }
    return text.length;
}

static void cut(struct text *rest, size_t length)
{
    *rest = text_slice(*rest, length, rest->length);
}

static bool is_tag_at(struct text text, size_t at)
{
    char next = at + 1 < text.length ? text.at[at + 1] : '\0';
    return text.at[at] == '<' && (char_is_alpha(next) || next == '/' || next == '!' || next == '?');
}

static void tag_read(struct text *rest, struct html_piece *out)
{
    size_t end = tag_end(*rest, 1), at = 1;
    *out = (struct html_piece){ .is_tag = true, .is_end = rest->at[1] == '/' };
    if (out->is_end) at++;
    size_t name = at;
    while (at < end && is_name(rest->at[at])) at++;
    out->name = text_slice(*rest, name, at);
    out->inside = text_slice(*rest, at, end);
    cut(rest, end == rest->length ? end : end + 1);
}

static void text_read(struct text *rest, struct html_piece *out)
{
    size_t at = 0;
    while (at < rest->length && (at == 0 || !is_tag_at(*rest, at))) at++;
    *out = (struct html_piece){ .inside = text_slice(*rest, 0, at) };
    cut(rest, at);
}

bool html_is(const struct html_piece *piece, struct text name)
{
    return piece->is_tag && text_equal_nocase(piece->name, name);
}

static void hidden_skip(const struct html_piece *tag, struct text *rest)
{
    if (tag->is_end) return;
    if (html_is(tag, TEXT("script"))) cut(rest, text_find_nocase(*rest, TEXT("</script")));
    if (html_is(tag, TEXT("style"))) cut(rest, text_find_nocase(*rest, TEXT("</style")));
}

bool html_next(struct text *rest, struct html_piece *out)
{
    while (rest->length > 0) {
        if (text_starts(*rest, TEXT("<!--"))) {
            cut(rest, text_find(*rest, TEXT("-->")) + 3);
            continue;
        }
        if (!is_tag_at(*rest, 0)) {
            text_read(rest, out);
            return true;
        }
        tag_read(rest, out);
        hidden_skip(out, rest);
        if (out->name.length > 0) return true;
    }
    return false;
}

/* --- attributes --- */

static struct text value_read(struct text inside, size_t *at)
{
    while (*at < inside.length && is_space(inside.at[*at])) ++*at;
    if (*at == inside.length) return TEXT_NONE;
    char quote = inside.at[*at];
    bool is_quoted = quote == '"' || quote == '\'';
    size_t from = is_quoted ? ++*at : *at;
    while (*at < inside.length && (is_quoted ? inside.at[*at] != quote : !is_space(inside.at[*at]))) ++*at;
    struct text value = text_slice(inside, from, *at);
    if (*at < inside.length) ++*at;
    return value;
}

/* One attribute off the front of what is behind *at; its value is empty where it has none. */
static bool attribute_next(struct text inside, size_t *at, struct text *out_name, struct text *out_value)
{
    while (*at < inside.length && (is_space(inside.at[*at]) || inside.at[*at] == '/')) ++*at;
    size_t from = *at;
    while (*at < inside.length && !is_space(inside.at[*at]) && inside.at[*at] != '=') ++*at;
    *out_name = text_slice(inside, from, *at);
    while (*at < inside.length && is_space(inside.at[*at])) ++*at;
    *out_value = TEXT_NONE;
    if (*at < inside.length && inside.at[*at] == '=') {
        ++*at;
        *out_value = value_read(inside, at);
    }
    return *at > from;
}

bool html_attribute(struct text inside, struct text name, struct text *out_value)
{
    struct text found;
    for (size_t at = 0; attribute_next(inside, &at, &found, out_value);)
        if (out_value->length > 0 && text_equal_nocase(found, name)) return true;
    return false;
}

/* --- entities --- */

/* Of "#123" and "#x7b"; 0: it is none. */
static uint32_t number_of(struct text name)
{
    bool is_hex = name.length > 1 && char_lower(name.at[1]) == 'x';
    uint32_t code = 0;
    for (size_t i = is_hex ? 2 : 1; i < name.length; i++) {
        int digit = char_hex_value(name.at[i]);
        if (digit < 0 || (!is_hex && digit > 9) || code > 0x10FFFF) return 0;
        code = code * (is_hex ? 16 : 10) + (uint32_t)digit;
    }
    return code;
}

static uint32_t entity_of(struct text name)
{
    static const struct {
        struct text name;
        uint32_t code;
    } known[] = { { { "nbsp", 4 }, 0xA0 },    { { "block", 5 }, 0x2588 }, { { "uhblk", 5 }, 0x2580 },
                  { { "lhblk", 5 }, 0x2584 }, { { "lt", 2 }, '<' },       { { "gt", 2 }, '>' },
                  { { "amp", 3 }, '&' },      { { "quot", 4 }, '"' } };
    if (text_starts(name, TEXT("#"))) return number_of(name);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (text_equal(name, known[i].name)) return known[i].code;
    return 0;
}

void html_decode(struct text text, struct buffer *out)
{
    for (size_t at = 0; at < text.length;) {
        size_t next = at;
        while (next < text.length && text.at[next] != '&') next++;
        buffer_add_text(out, text_slice(text, at, next));
        if (next == text.length) return;
        struct text name = text_slice(text, next + 1, next + 1 + ENTITY_MOST);
        size_t length = text_find_char(name, ';');
        char bytes[4];
        uint32_t code = length < name.length ? entity_of(text_slice(name, 0, length)) : 0;
        if (code != 0)
            buffer_add(out, bytes, utf8_write(code, bytes));
        else
            buffer_add_char(out, '&');
        at = code != 0 ? next + length + 2 : next + 1;
    }
}
