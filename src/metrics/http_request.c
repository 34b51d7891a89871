/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Request line and fields of HTTP/1.0 and 1.1. No field but Host means anything here; content is not read,
   since the connection ends with the reply. */
#include "metrics/http_request.h"

/* RFC 9110 section 5.6.2 */
static bool is_token(struct text text)
{
    const struct text marks = TEXT("!#$%&'*+-.^_`|~");
    for (size_t i = 0; i < text.length; i++) {
        char c = text.at[i];
        if (!char_is_alpha(c) && !char_is_digit(c) && text_find_char(marks, c) == marks.length) return false;
    }
    return text.length > 0;
}

/* No control characters but tabs: RFC 9110 section 5.5. */
static bool is_field_value(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (((unsigned char)text.at[i] < ' ' && text.at[i] != '\t') || text.at[i] == 127) return false;
    return true;
}

/* No blank and nothing else that is not seen. */
static bool is_target(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.at[i] <= ' ' || (unsigned char)text.at[i] >= 127) return false;
    return text.length > 0;
}

/* The next line without its CRLF; false: it is not ended by one. */
static bool line_take(struct text *rest, struct text *out_line)
{
    size_t end = text_find(*rest, TEXT("\r\n"));
    if (end >= rest->length) return false;
    *out_line = text_slice(*rest, 0, end);
    *rest = text_slice(*rest, end + 2, rest->length);
    return true;
}

/* RFC 9112 section 3.2: "/metrics?x" or "http://host/metrics". False: neither. */
static bool path_take(struct text target, struct text *out)
{
    if (text_starts_nocase(target, TEXT("http://"))) {
        target = text_slice(target, 7, target.length);
        target = text_slice(target, text_find_char(target, '/'), target.length);
    }
    if (!text_starts(target, TEXT("/"))) return false;
    *out = text_slice(target, 0, text_find_char(target, '?'));
    return true;
}

/* "HTTP/1.1": 0, with the minor version, or the status of the reply. */
static unsigned version_take(struct text text, char *out_minor)
{
    bool is_version = text.length == 8 && text_starts(text, TEXT("HTTP/")) && char_is_digit(text.at[5]) &&
                      text.at[6] == '.' && char_is_digit(text.at[7]);
    if (!is_version) return 400;
    *out_minor = text.at[7];
    return text.at[5] == '1' ? 0 : 505;
}

/* 0, or the status of the reply. */
static unsigned request_line_take(struct text line, struct http_request *out, char *out_minor)
{
    size_t first = text_find_char(line, ' ');
    struct text rest = text_slice(line, first + 1, line.length);
    size_t second = text_find_char(rest, ' ');
    struct text target = text_slice(rest, 0, second);
    out->method = text_slice(line, 0, first);
    if (!is_token(out->method) || !is_target(target) || second == rest.length) return 400;
    unsigned status = version_take(text_slice(rest, second + 1, rest.length), out_minor);
    if (status) return status;
    return path_take(target, &out->path) ? 0 : 400;
}

/* RFC 9112 section 5: no blank stands before the colon or at the begin of a line. False: malformed. */
static bool field_take(struct text line, unsigned *hosts)
{
    size_t colon = text_find_char(line, ':');
    struct text name = text_slice(line, 0, colon);
    *hosts += text_equal_nocase(name, TEXT("Host"));
    return colon < line.length && is_token(name) && is_field_value(text_slice(line, colon + 1, line.length));
}

static unsigned head_parse(struct text head, struct http_request *out)
{
    struct text line;
    unsigned hosts = 0;
    char minor = '0';
    if (!line_take(&head, &line)) return 400;
    unsigned status = request_line_take(line, out, &minor);
    while (!status && line_take(&head, &line) && line.length > 0)
        if (!field_take(line, &hosts)) status = 400;
    if (status) return status;
    if (hosts > 1 || (hosts == 0 && minor > '0')) return 400; /* RFC 9112 section 3.2 */
    out->is_head = text_equal(out->method, TEXT("HEAD"));
    if (!text_equal(out->path, TEXT("/metrics"))) return 404;
    return out->is_head || text_equal(out->method, TEXT("GET")) ? 200 : 405;
}

unsigned http_request_parse(struct text bytes, struct http_request *out)
{
    *out = (struct http_request){ 0 };
    struct text shown = text_slice(bytes, 0, HTTP_HEAD_MOST);
    while (text_starts(shown, TEXT("\r\n"))) shown = text_slice(shown, 2, shown.length); /* section 2.2 */
    size_t end = text_find(shown, TEXT("\r\n\r\n"));
    if (end < shown.length) return head_parse(text_slice(shown, 0, end + 4), out);
    return bytes.length >= HTTP_HEAD_MOST ? 431 : 0;
}
