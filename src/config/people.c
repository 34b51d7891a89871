/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "config/people.h"

#include "base/utf8.h"

static struct text without_quotes(struct text name)
{
    name = text_trim(name);
    bool is_quoted = name.length >= 2 && name.at[0] == '"' && name.at[name.length - 1] == '"';
    return is_quoted ? text_trim(text_slice(name, 1, name.length - 1)) : name;
}

static bool is_address(struct text address)
{
    size_t at = text_find_last_char(address, '@');
    if (at == 0 || at + 1 >= address.length) return false;
    for (size_t i = 0; i < address.length; i++)
        if ((unsigned char)address.at[i] <= ' ' || address.at[i] == '<') return false;
    return true;
}

/* Addresses in brackets, from the first bracket on. */
static const char *addresses_read(struct text rest, struct people_line *out)
{
    for (rest = text_trim(rest); rest.length > 0 && rest.at[0] == '<'; rest = text_trim(rest)) {
        size_t end = text_find_char(rest, '>');
        struct text address = text_slice(rest, 1, end);
        if (end == rest.length) return "\"<\" without \">\"";
        if (!is_address(address)) return "no address stands between \"<\" and \">\"";
        if (out->address_count == PEOPLE_ADDRESSES_MOST) return "more than 8 addresses of one person";
        out->addresses[out->address_count++] = address;
        rest = text_slice(rest, end + 1, rest.length);
    }
    return rest.length == 0 || rest.at[0] == '#' ? NULL : "something stands behind the address";
}

static const char *line_read(struct text line, struct people_line *out)
{
    size_t bracket = text_find_char(line, '<');
    if (line.length > PEOPLE_LINE_MOST) return "longer than 1000 bytes";
    for (size_t i = 0; i < line.length; i++)
        if (((unsigned char)line.at[i] < ' ' && line.at[i] != '\t') || line.at[i] == 0x7F)
            return "a control character";
    if (!utf8_is_valid(line)) return "not UTF-8";
    if (bracket == line.length) return "no address: write NAME <ADDRESS>";
    out->name = without_quotes(text_slice(line, 0, bracket));
    if (out->name.length == 0) return "no name before the address";
    return addresses_read(text_slice(line, bracket, line.length), out);
}

bool people_next(struct text *rest, uint32_t *line_number, struct people_line *out, const char **why)
{
    struct text line;
    *why = NULL;
    while (text_next_line(rest, &line)) {
        ++*line_number;
        line = text_trim(line);
        if (line.length == 0 || line.at[0] == '#') continue;
        *out = (struct people_line){ 0 };
        *why = line_read(line, out);
        return *why == NULL;
    }
    return false;
}

const char *people_check(struct text content, uint32_t *out_line)
{
    struct people_line line;
    const char *why;
    uint32_t count = 0;
    *out_line = 0;
    while (people_next(&content, out_line, &line, &why))
        if (++count > PEOPLE_MOST) return "more than 100000 people";
    return why;
}
