/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Replies of a server, read line by line without copying. */
#include "smtp/reply.h"

#include "base/buffer.h"

const char *reply_outcome_name(enum reply_outcome outcome)
{
    static const char *const names[] = { "unfinished", "whole", "no reply code", "reply codes differ",
                                         "reply too long" };
    return (unsigned)outcome < sizeof names / sizeof *names ? names[outcome] : "unknown";
}

/* The line without its end, and whether another one follows. */
static enum reply_outcome line_read(struct reply_parser *parser, struct text line, bool *is_last)
{
    if (line.length > 0 && line.at[line.length - 1] == '\r') line.length--;
    if (line.length < 3 || line.at[0] < '2' || line.at[0] > '5') return REPLY_NO_CODE;
    if (!char_is_digit(line.at[1]) || !char_is_digit(line.at[2])) return REPLY_NO_CODE;
    *is_last = line.length == 3 || line.at[3] != '-';
    if (line.length > 3 && line.at[3] != '-' && !char_is_blank(line.at[3])) return REPLY_NO_CODE;
    uint16_t code = (uint16_t)((line.at[0] - '0') * 100 + (line.at[1] - '0') * 10 + (line.at[2] - '0'));
    if (parser->lines > 0 && parser->code != code) return REPLY_CODE_DIFFER;
    parser->code = code;
    parser->lines++;
    return REPLY_MORE;
}

/* "2.1.5 ": class as the code's, subject and detail of one to three digits. Returns its length, 0: none. */
static size_t status_length(struct text text, char class)
{
    size_t i = 1;
    if (text.length < 5 || text.at[0] != class || class == '3') return 0;
    for (int part = 0; part < 2; part++) {
        if (i >= text.length || text.at[i++] != '.') return 0;
        size_t digits = i;
        while (i < text.length && char_is_digit(text.at[i])) i++;
        if (i == digits || i - digits > 3) return 0;
    }
    return i == text.length || char_is_blank(text.at[i]) ? i : 0;
}

static struct text line_text(struct text line)
{
    if (line.length > 0 && line.at[line.length - 1] == '\r') line.length--;
    return text_slice(line, 4, line.length);
}

static void reply_fill(const struct reply_parser *parser, struct text whole, struct text last,
                       struct smtp_reply *out)
{
    last = line_text(last);
    size_t status = status_length(last, (char)('0' + parser->code / 100));
    *out = (struct smtp_reply){ .code = parser->code, .lines = whole, .line_count = parser->lines };
    out->enhanced = text_slice(last, 0, status);
    out->text = text_trim(text_slice(last, status, last.length));
}

enum reply_outcome reply_parse(struct reply_parser *parser, struct text bytes, struct smtp_reply *out,
                               size_t *out_used)
{
    while (parser->scanned < bytes.length) {
        const char *from = bytes.at + parser->scanned;
        const char *end = memchr(from, '\n', bytes.length - parser->scanned);
        size_t stop = end ? (size_t)(end - bytes.at) : bytes.length;
        parser->scanned = stop;
        if (stop - parser->line_start > REPLY_LINE_MOST || stop > REPLY_BYTES_MOST) return REPLY_TOO_LONG;
        if (!end) break;
        struct text line = text_slice(bytes, parser->line_start, stop);
        bool is_last = false;
        enum reply_outcome outcome = line_read(parser, line, &is_last);
        if (outcome != REPLY_MORE) return outcome;
        parser->scanned = parser->line_start = stop + 1;
        if (is_last) {
            reply_fill(parser, text_slice(bytes, 0, stop + 1), line, out);
            *out_used = stop + 1;
            *parser = (struct reply_parser){ 0 };
            return REPLY_WHOLE;
        }
        if (parser->lines >= REPLY_LINES_MOST) return REPLY_TOO_LONG;
    }
    return REPLY_MORE;
}

bool reply_next_line(struct text *rest, struct text *out_line)
{
    if (rest->length == 0) return false;
    size_t end = text_find_char(*rest, '\n');
    *out_line = line_text(text_slice(*rest, 0, end));
    *rest = text_slice(*rest, end + 1, rest->length);
    return true;
}

struct text reply_join(struct arena *arena, const struct smtp_reply *reply, size_t most)
{
    if (reply->line_count == 1) return arena_text(arena, text_slice(reply->text, 0, most));
    struct buffer joined = { 0 };
    struct text rest = reply->lines, line;
    char class = (char)('0' + reply->code / 100);
    while (buffer_length(&joined) < most && reply_next_line(&rest, &line)) {
        line = text_trim(text_slice(line, status_length(line, class), line.length));
        if (line.length > 0 && buffer_length(&joined) > 0) buffer_add_char(&joined, ' ');
        buffer_add_text(&joined, line);
    }
    struct text text = arena_text(arena, text_slice(buffer_text(&joined), 0, most));
    buffer_free(&joined);
    return text;
}

static void capability_read(struct text line, struct smtp_capabilities *out)
{
    struct text keyword, value;
    if (!text_next_word(&line, &keyword)) return;
    const struct {
        struct text keyword;
        bool *offered;
    } plain[] = {
        { TEXT("PIPELINING"), &out->pipelining },
        { TEXT("8BITMIME"), &out->eightbitmime },
        { TEXT("SMTPUTF8"), &out->smtputf8 },
        { TEXT("CHUNKING"), &out->chunking },
        { TEXT("BINARYMIME"), &out->binarymime },
        { TEXT("DSN"), &out->dsn },
        { TEXT("STARTTLS"), &out->starttls },
        { TEXT("XCLIENT"), &out->xclient },
        { TEXT("ENHANCEDSTATUSCODES"), &out->enhancedstatuscodes },
        { TEXT("SIZE"), &out->has_size },
    };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (text_equal_nocase(keyword, plain[i].keyword)) *plain[i].offered = true;
    while (text_equal_nocase(keyword, TEXT("XCLIENT")) && text_next_word(&line, &value))
        if (text_equal_nocase(value, TEXT("TRANSACTION"))) out->xclient_between_nodes = true;
    if (text_equal_nocase(keyword, TEXT("SIZE")) && text_next_word(&line, &value))
        text_to_number(value, UINT64_MAX, &out->size);
}

void smtp_capabilities_parse(const struct smtp_reply *reply, struct smtp_capabilities *out)
{
    *out = (struct smtp_capabilities){ .is_esmtp = true };
    struct text rest = reply->lines, line;
    reply_next_line(&rest, &line); /* the first line greets, RFC 5321 section 4.1.1.1 */
    while (reply_next_line(&rest, &line)) capability_read(line, out);
}
