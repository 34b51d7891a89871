/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Reads the Content- fields of one header. Common short forms are taken without copying. */
#include "mail/content_fields.h"

#include "mail/parameter.h"

enum { BOUNDARY_MOST = 70 };

static struct text lower_in(struct arena *arena, struct text text)
{
    bool upper = false;
    for (size_t i = 0; i < text.length; i++) upper |= text.at[i] >= 'A' && text.at[i] <= 'Z';
    return upper ? arena_text_lower(arena, text) : text;
}

static const struct header_field *chosen(const struct header *header, enum header_id id,
                                         enum mime_choice choice)
{
    return choice == MIME_LAST ? header_find_last(header, id) : header_find(header, id);
}

static const struct {
    struct text name;
    enum mime_encoding encoding;
} encodings[] = {
    { { "7bit", 4 }, MIME_IDENTITY },
    { { "8bit", 4 }, MIME_IDENTITY },
    { { "binary", 6 }, MIME_IDENTITY },
    { { "base64", 6 }, MIME_BASE64 },
    { { "quoted-printable", 16 }, MIME_QUOTED_PRINTABLE },
    { { "x-uuencode", 10 }, MIME_UUENCODE },
    { { "x-uue", 5 }, MIME_UUENCODE },
    { { "uuencode", 8 }, MIME_UUENCODE },
    { { "uue", 3 }, MIME_UUENCODE },
};

static bool known_encoding(struct text text, enum mime_encoding *out)
{
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++) {
        if (!text_equal_nocase(text, encodings[i].name)) continue;
        *out = encodings[i].encoding;
        return true;
    }
    return false;
}

static bool is_name_char(char c)
{
    return char_is_alpha(c) || char_is_digit(c) || c == '-';
}

/* The first run of letters, digits and hyphens: what is meant by `"base64"` or `base64;`. */
static struct text core_of(struct text text)
{
    size_t start = 0;
    while (start < text.length && !is_name_char(text.at[start])) start++;
    size_t end = start;
    while (end < text.length && is_name_char(text.at[end])) end++;
    return text_slice(text, start, end);
}

static void read_encoding(struct arena *arena, enum mime_choice choice, struct mime_part *part)
{
    const struct header_field *field = chosen(part->header, HEADER_CONTENT_TRANSFER_ENCODING, choice);
    if (!field) return;
    struct text text = header_unfold(arena, field->value);
    part->encoding_text = lower_in(arena, text);
    if (text.length == 0) return;
    if (known_encoding(text, &part->encoding)) return;
    if (!known_encoding(core_of(text), &part->encoding)) {
        part->encoding = MIME_UNKNOWN_ENCODING;
        finding_add(&part->findings, FINDING_UNKNOWN_TRANSFER_ENCODING);
        return;
    }
    bool quoted = text_find_char(text, '"') < text.length || text_find_char(text, '\'') < text.length;
    finding_add(&part->findings,
                quoted ? FINDING_QUOTED_TRANSFER_ENCODING : FINDING_TRANSFER_ENCODING_SYNTAX);
}

static bool is_type(struct text value)
{
    size_t slash = text_find_char(value, '/');
    if (slash == 0 || slash + 1 >= value.length) return false;
    for (size_t i = 0; i < value.length; i++) {
        unsigned char c = (unsigned char)value.at[i];
        if (c <= ' ' || c >= 127 || strchr("()<>@,;:\\\"[]?=", c)) return false;
        if (c == '/' && i != slash) return false;
    }
    return true;
}

/* "text / plain" is legal by the grammar of RFC 822, on which RFC 2045 stands. */
static struct text tight_type(struct arena *arena, struct text value)
{
    size_t slash = text_find_char(value, '/');
    struct text type = text_trim(text_slice(value, 0, slash));
    struct text subtype = text_trim(text_slice(value, slash + 1, value.length));
    if (slash == value.length || type.length + subtype.length + 1 == value.length) return value;
    return arena_printf(arena, "%.*s/%.*s", TEXT_ARG(type), TEXT_ARG(subtype));
}

static bool is_boundary_char(char c)
{
    return char_is_alpha(c) || char_is_digit(c) || (c && strchr("'()+_,-./:=? ", c));
}

static bool is_odd_boundary(struct text boundary)
{
    if (boundary.length > BOUNDARY_MOST || boundary.at[boundary.length - 1] == ' ') return true;
    for (size_t i = 0; i < boundary.length; i++)
        if (!is_boundary_char(boundary.at[i])) return true;
    return false;
}

/* RFC 2046 section 5.1.1. */
static void read_boundary(const struct parameter_list *list, enum mime_choice choice, struct mime_part *part)
{
    const struct parameter *first = parameter_find(list, TEXT("boundary"), false);
    const struct parameter *last = parameter_find(list, TEXT("boundary"), true);
    const struct parameter *boundary = choice == MIME_LAST ? last : first;
    if (!boundary || boundary->value.length == 0) {
        finding_add(&part->findings, FINDING_NO_BOUNDARY);
        return;
    }
    if (first != last && !text_equal(first->value, last->value))
        finding_add(&part->findings, FINDING_DUPLICATE_BOUNDARY);
    if (boundary->extended) finding_add(&part->findings, FINDING_ENCODED_BOUNDARY);
    if (is_odd_boundary(boundary->value)) finding_add(&part->findings, FINDING_ODD_BOUNDARY);
    part->boundary = boundary->value;
    while (part->boundary.length > 0 && char_is_blank(part->boundary.at[part->boundary.length - 1]))
        part->boundary.length--;
}

/* A part's own charset says more than the message's. */
static void read_name(struct arena *arena, const struct parameter_list *list, struct text parameter,
                      struct text declared, enum mime_choice choice, struct mime_part *part)
{
    const struct parameter *name = parameter_find(list, parameter, choice == MIME_LAST);
    if (part->charset.length) declared = part->charset;
    if (name && name->value.length) part->name = parameter_utf8(arena, name, declared, &part->findings);
}

static void read_type(struct arena *arena, const struct mime_limits *limits, enum mime_choice choice,
                      struct text declared, struct mime_part *part)
{
    const struct header_field *field = chosen(part->header, HEADER_CONTENT_TYPE, choice);
    struct parameter_list list;
    if (!field) return;
    parameter_parse(arena, header_unfold(arena, field->value), declared, limits->parameters, &list);
    finding_merge(&part->findings, &list.findings);
    struct text type = tight_type(arena, list.value);
    if (is_type(type))
        part->type = lower_in(arena, type);
    else if (choice == MIME_LAST && text_starts_nocase(type, TEXT("multipart")))
        part->type = TEXT("multipart/mixed");
    bool is_message = text_starts(part->type, TEXT("message/"));
    if (choice == MIME_LAST && !is_message && parameter_find(&list, TEXT("boundary"), true))
        part->type = TEXT("multipart/mixed"); /* whatever it says */
    if (!is_type(type) || list.unseparated) finding_add(&part->findings, FINDING_CONTENT_TYPE_SYNTAX);
    const struct parameter *charset = parameter_find(&list, TEXT("charset"), choice == MIME_LAST);
    if (charset) part->charset = lower_in(arena, text_trim(charset->value));
    read_name(arena, &list, TEXT("name"), declared, choice, part);
    if (text_starts(part->type, TEXT("multipart/"))) read_boundary(&list, choice, part);
}

static void read_disposition(struct arena *arena, const struct mime_limits *limits, enum mime_choice choice,
                             struct text declared, struct mime_part *part)
{
    const struct header_field *field = chosen(part->header, HEADER_CONTENT_DISPOSITION, choice);
    struct parameter_list list;
    if (!field) return;
    parameter_parse(arena, header_unfold(arena, field->value), declared, limits->parameters, &list);
    finding_merge(&part->findings, &list.findings);
    part->disposition = lower_in(arena, list.value);
    read_name(arena, &list, TEXT("filename"), declared, choice, part);
}

void content_fields_read(struct arena *arena, const struct mime_limits *limits, enum mime_choice choice,
                         bool in_digest, struct text declared, struct mime_part *part)
{
    part->type = in_digest ? TEXT("message/rfc822") : TEXT("text/plain");
    read_type(arena, limits, choice, declared, part);
    read_disposition(arena, limits, choice, declared, part); /* its name comes before that of the type */
    read_encoding(arena, choice, part);
    bool container = text_starts(part->type, TEXT("multipart/")) || text_starts(part->type, TEXT("message/"));
    bool encoded = part->encoding != MIME_IDENTITY && part->encoding != MIME_UNKNOWN_ENCODING;
    if (container && encoded) finding_add(&part->findings, FINDING_ENCODED_CONTAINER);
    if (text_equal(part->type, TEXT("message/partial")) ||
        text_equal(part->type, TEXT("message/external-body")))
        finding_add(&part->findings, FINDING_MESSAGE_PARTIAL);
    bool typed = part->header->times[HEADER_CONTENT_TYPE] > 0;
    if (part->depth == 0 && typed && part->header->times[HEADER_MIME_VERSION] == 0)
        finding_add(&part->findings, FINDING_NO_MIME_VERSION);
}
