/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A text with macros is checked once and then expanded piece by piece, into a room that keeps the end of a
   name or the start of an explanation. What macros are made of is counted, so that no record makes much work.
 */
#include "auth/spf_macro.h"

#include <stdio.h>

#include "dns/dns_name.h"

enum { NAME_MOST = 253, LABEL_MOST = 63, WINDOW = 2048, PARTS_MOST = 128, CLIENT_SIZE = 64 };

/* --- Syntax: section 7.1 */

struct macro {
    char letter; /* lower case */
    bool is_escaped, is_reversed;
    size_t parts; /* right-hand ones to keep, at most PARTS_MOST; 0: all */
    struct text delimiters;
};

static bool is_delimiter(char c)
{
    return c != '\0' && strchr(".-+,/_=", c);
}

static bool take_parts(struct text text, size_t *at, struct macro *out)
{
    size_t begun = *at;
    for (; *at < text.length && char_is_digit(text.at[*at]); ++*at) {
        out->parts = 10 * out->parts + (size_t)(text.at[*at] - '0');
        if (out->parts > PARTS_MOST) out->parts = PARTS_MOST;
    }
    return *at == begun || out->parts > 0;
}

/* The macro "%{…}" that begins at `at`; its length, or 0. */
static size_t macro_at(struct text text, size_t at, bool is_explanation, struct macro *out)
{
    size_t begun = at;
    *out = (struct macro){ 0 };
    at += 2;
    if (at >= text.length) return 0;
    out->letter = char_lower(text.at[at]);
    out->is_escaped = text.at[at] != out->letter;
    if (out->letter == '\0' || !strchr(is_explanation ? "slodiphvcrt" : "slodiphv", out->letter)) return 0;
    at++;
    if (!take_parts(text, &at, out)) return 0;
    if (at < text.length && char_lower(text.at[at]) == 'r') {
        out->is_reversed = true;
        at++;
    }
    size_t delimiters = at;
    while (at < text.length && is_delimiter(text.at[at])) at++;
    out->delimiters = text_slice(text, delimiters, at);
    return at < text.length && text.at[at] == '}' ? at + 1 - begun : 0;
}

/* Bytes of the piece at `at`: a literal, "%%", "%_", "%-" or a macro; 0: none of these. */
static size_t piece_at(struct text text, size_t at, bool is_explanation, struct macro *macro)
{
    char c = text.at[at];
    if (c != '%') return (c > ' ' && c < 0x7f) || (c == ' ' && is_explanation) ? 1 : 0;
    if (at + 1 == text.length) return 0;
    c = text.at[at + 1];
    if (c == '{') return macro_at(text, at, is_explanation, macro);
    return c == '%' || c == '_' || c == '-' ? 2 : 0;
}

/* *out_end: where the last macro-expand ends, of any kind. */
static bool check(struct text text, bool is_explanation, size_t *out_end)
{
    struct macro macro;
    *out_end = 0;
    for (size_t at = 0; at < text.length;) {
        size_t length = piece_at(text, at, is_explanation, &macro);
        if (length == 0) return false;
        bool is_macro = text.at[at] == '%';
        at += length;
        if (is_macro) *out_end = at;
    }
    return true;
}

bool spf_macro_check(struct text text, bool is_explanation)
{
    size_t end;
    return check(text, is_explanation, &end);
}

/* toplabel of section 7.1: letters, digits and inner hyphens, not digits alone. */
static bool is_top_label(struct text label)
{
    bool has_other = false;
    for (size_t i = 0; i < label.length; i++) {
        char c = label.at[i];
        if (!char_is_alpha(c) && !char_is_digit(c) && c != '-') return false;
        has_other |= !char_is_digit(c);
    }
    return has_other && label.at[0] != '-' && label.at[label.length - 1] != '-';
}

bool spf_macro_check_domain(struct text text)
{
    size_t end;
    if (text.length == 0 || !check(text, false, &end)) return false;
    if (end == text.length) return true;
    struct text tail = text_slice(text, end, text.length); /* has no macro: its dots are literal */
    if (tail.at[tail.length - 1] == '.') tail.length--;
    size_t dot = text_find_last_char(tail, '.');
    return dot < tail.length && is_top_label(text_slice(tail, dot + 1, tail.length));
}

bool spf_macro_has_validated(struct text text)
{
    return text_find_nocase(text, TEXT("%{p")) < text.length;
}

/* --- Expansion */

struct room {
    char *bytes;
    size_t length, size;
    bool keeps_end;
};

/* A full room of a name forgets its first half; the half that is left is longer than any name. */
static void add(struct room *room, char c)
{
    if (room->length == room->size) {
        if (!room->keeps_end) return;
        room->length = room->size / 2;
        memmove(room->bytes, room->bytes + room->size - room->length, room->length);
    }
    room->bytes[room->length++] = c;
}

static void add_escaped(struct room *room, char c)
{
    static const char digits[] = "0123456789ABCDEF";
    if (char_is_alpha(c) || char_is_digit(c) || (c != '\0' && strchr("-._~", c))) {
        add(room, c);
        return;
    }
    add(room, '%');
    add(room, digits[(unsigned char)c >> 4]);
    add(room, digits[(unsigned char)c & 15]);
}

static bool splits(const struct macro *macro, char c)
{
    if (macro->delimiters.length == 0) return c == '.';
    return memchr(macro->delimiters.at, c, macro->delimiters.length) != NULL;
}

/* From `from` on, which is a part's first byte. */
static void add_parts(struct room *room, const struct macro *macro, struct text value, size_t from)
{
    for (size_t i = from; i < value.length; i++) {
        char c = splits(macro, value.at[i]) ? '.' : value.at[i];
        if (macro->is_escaped)
            add_escaped(room, c);
        else
            add(room, c);
    }
}

static void add_right_hand(struct room *room, const struct macro *macro, struct text value)
{
    size_t from = value.length, left = macro->parts;
    while (from > 0 && (!splits(macro, value.at[from - 1]) || --left > 0)) from--;
    add_parts(room, macro, value, macro->parts ? from : 0);
}

/* The right-hand parts of what is reversed are the left-hand ones of the value. */
static void add_reversed(struct room *room, const struct macro *macro, struct text value)
{
    size_t end = 0, left = macro->parts;
    while (end < value.length && (!splits(macro, value.at[end]) || left == 0 || --left > 0)) end++;
    for (size_t from = end;; end = --from) {
        while (from > 0 && !splits(macro, value.at[from - 1])) from--;
        add_parts(room, macro, text_slice(value, 0, end), from);
        if (from == 0) return;
        add(room, '.');
    }
}

/* "1.0.B.C…" of 32 digits, or dotted quad: what %{i} is. */
static struct text client_digits(const struct address *client, char text[CLIENT_SIZE])
{
    static const char digits[] = "0123456789ABCDEF";
    if (address_is_v4(client)) return text_of(address_print(client, text));
    for (size_t i = 0; i < 32; i++) {
        text[2 * i] = digits[i % 2 ? client->bytes[i / 2] & 15 : client->bytes[i / 2] >> 4];
        text[2 * i + 1] = '.';
    }
    return text_from(text, CLIENT_SIZE - 1);
}

static struct text value_of(const struct spf_macros *macros, char letter, char scratch[CLIENT_SIZE])
{
    const struct spf_request *request = macros->request;
    switch (letter) {
    case 'l':
        return macros->local;
    case 'o':
        return macros->origin;
    case 'd':
        return macros->domain;
    case 'p':
        return macros->validated;
    case 'h':
        return request->helo;
    case 'i':
        return client_digits(&request->client, scratch);
    case 'v':
        return address_is_v4(&request->client) ? TEXT("in-addr") : TEXT("ip6");
    case 'c':
        return text_of(address_print(&request->client, scratch));
    case 'r':
        return request->host.length ? request->host : TEXT("unknown");
    default: /* 't' */
        return text_from(scratch,
                         (size_t)snprintf(scratch, CLIENT_SIZE, "%llu", (unsigned long long)request->now));
    }
}

/* %{s} is made of two values; nobody splits it by what cannot be in a domain but at its "@". */
static struct text sender_of(struct arena *arena, const struct spf_macros *macros)
{
    struct text local = macros->local, origin = macros->origin;
    char *sender = arena_alloc(arena, local.length + origin.length + 1);
    memcpy(sender, local.at, local.length);
    sender[local.length] = '@';
    memcpy(sender + local.length + 1, origin.at, origin.length);
    return text_from(sender, local.length + origin.length + 1);
}

/* False: no room is left. */
static bool add_macro(struct arena *arena, struct room *room, struct spf_macros *macros,
                      const struct macro *macro)
{
    char scratch[CLIENT_SIZE];
    struct text value =
        macro->letter == 's' ? sender_of(arena, macros) : value_of(macros, macro->letter, scratch);
    if (value.length >= macros->room) return false;
    macros->room -= value.length + 1;
    if (macro->is_reversed)
        add_reversed(room, macro, value);
    else
        add_right_hand(room, macro, value);
    return true;
}

static bool expand(struct arena *arena, struct spf_macros *macros, struct text text, bool is_explanation,
                   struct room *room)
{
    struct macro macro;
    for (size_t at = 0, length; at < text.length; at += length) {
        length = piece_at(text, at, is_explanation, &macro);
        if (length > 2) {
            if (!add_macro(arena, room, macros, &macro)) return false;
        } else if (length == 1) {
            add(room, text.at[at]);
        } else if (text.at[at + 1] == '-') {
            add(room, '%');
            add(room, '2');
            add(room, '0');
        } else {
            add(room, text.at[at + 1] == '_' ? ' ' : '%');
        }
    }
    return true;
}

/* --- Names */

bool spf_macro_is_name(struct text name)
{
    size_t label = 0;
    if (name.length == 0 || name.length > NAME_MOST) return false;
    for (size_t i = 0; i < name.length; i++) {
        label = name.at[i] == '.' ? 0 : label + 1;
        if (label > LABEL_MOST || (label == 0 && (i == 0 || name.at[i - 1] == '.'))) return false;
    }
    return label > 0;
}

/* Section 7.3: labels are taken off the left side until it fits. */
static struct text shortened(struct text name)
{
    if (name.length <= NAME_MOST) return name;
    struct text end = text_slice(name, name.length - NAME_MOST - 1, name.length);
    size_t dot = text_find_char(end, '.');
    return dot == end.length ? name : text_slice(end, dot + 1, end.length);
}

static bool is_odd(char c)
{
    return c <= ' ' || c == 0x7f || c == '\\';
}

/* Odd bytes as \DDD, as names in answers have them. */
static struct text escaped(struct arena *arena, struct text name)
{
    size_t odd = 0, length = 0;
    for (size_t i = 0; i < name.length; i++) odd += is_odd(name.at[i]);
    if (odd == 0) return name;
    char *bytes = arena_alloc(arena, name.length + 3 * odd);
    for (size_t i = 0; i < name.length; i++) {
        unsigned value = (unsigned char)name.at[i];
        if (is_odd(name.at[i])) {
            bytes[length++] = '\\';
            bytes[length++] = (char)('0' + value / 100);
            bytes[length++] = (char)('0' + value / 10 % 10);
            bytes[length++] = (char)('0' + value % 10);
        } else {
            bytes[length++] = name.at[i];
        }
    }
    return text_from(bytes, length);
}

enum spf_name spf_macro_name(struct arena *arena, struct spf_macros *macros, struct text text,
                             struct text *out)
{
    char window[WINDOW];
    struct room room = { window, 0, WINDOW, true };
    bool is_plain = !memchr(text.at, '%', text.length);
    if (!is_plain && !expand(arena, macros, text, false, &room)) return SPF_NAME_NO_ROOM;
    struct text name = shortened(dns_name_without_root(is_plain ? text : text_from(window, room.length)));
    if (!spf_macro_is_name(name) || !text_is_ascii(name)) return SPF_NAME_BAD;
    struct text safe = escaped(arena, name);
    *out = is_plain || safe.at != name.at ? safe : arena_text(arena, safe);
    return SPF_NAME_GOOD;
}

struct text spf_macro_explanation(struct arena *arena, struct spf_macros *macros, struct text text)
{
    struct room room = { arena_alloc(arena, SPF_EXPLANATION_MOST), 0, SPF_EXPLANATION_MOST, false };
    if (!expand(arena, macros, text, true, &room)) return TEXT_NONE;
    for (size_t i = 0; i < room.length; i++)
        if (room.bytes[i] < ' ' || room.bytes[i] > '~') return TEXT_NONE;
    return text_from(room.bytes, room.length);
}
