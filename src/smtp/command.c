/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Parses command lines. Each verb has one small function; the table at the end of the file joins them. */
#include "smtp/command.h"

#include "base/utf8.h"

static const struct smtp_error NO_ERROR = { 0, NULL, NULL };

static struct smtp_error syntax(const char *text)
{
    return (struct smtp_error){ 501, "5.5.4", text };
}

/* `takes_utf8`: what is not ASCII stands for itself, if it is UTF-8. */
static bool decode(struct arena *arena, struct text text, bool takes_utf8, struct text *out)
{
    if (takes_utf8 && !utf8_is_valid(text)) return false;
    char *plain = arena_alloc(arena, text.length + 1);
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.at[i];
        bool is_utf8 = takes_utf8 && (uint8_t)c > 127;
        if ((!is_utf8 && (c < '!' || c > '~')) || c == '=') return false;
        if (c == '+') {
            if (i + 2 >= text.length) return false;
            int high = char_hex_value(text.at[i + 1]), low = char_hex_value(text.at[i + 2]);
            if (high < 0 || low < 0) return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        plain[length++] = c;
    }
    *out = text_from(plain, length);
    return true;
}

bool xtext_decode(struct arena *arena, struct text text, struct text *out)
{
    return decode(arena, text, false, out);
}

/* What was hidden in xtext stands in header fields, logs and commands later on. */
static bool decode_plain(struct arena *arena, struct text text, bool takes_utf8, struct text *out)
{
    if (!decode(arena, text, takes_utf8, out)) return false;
    for (size_t i = 0; i < out->length; i++)
        if ((uint8_t)out->at[i] < ' ' || out->at[i] == 127) return false;
    return true;
}

void xtext_encode(struct text text, struct buffer *out)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.at[i];
        if (c < '!' || c > '~' || c == '+' || c == '=')
            buffer_printf(out, "+%02X", (uint8_t)c);
        else
            buffer_add_char(out, c);
    }
}

/* --- ESMTP parameters --- */

struct esmtp_parameter {
    struct text keyword, value;
    bool has_value;
};

static struct smtp_error take_size(struct arena *arena, struct esmtp_parameter *given,
                                   struct smtp_command *out)
{
    if (text_to_number(given->value, UINT64_MAX / 2, &out->size)) return NO_ERROR;
    return syntax("SIZE wants a number of octets");
}

static struct smtp_error take_body(struct arena *arena, struct esmtp_parameter *given,
                                   struct smtp_command *out)
{
    if (text_equal_nocase(given->value, TEXT("7BIT")))
        out->body = BODY_7BIT;
    else if (text_equal_nocase(given->value, TEXT("8BITMIME")))
        out->body = BODY_8BITMIME;
    else
        return syntax("BODY is 7BIT or 8BITMIME");
    return NO_ERROR;
}

static struct smtp_error take_smtputf8(struct arena *arena, struct esmtp_parameter *given,
                                       struct smtp_command *out)
{
    return given->has_value ? syntax("SMTPUTF8 has no value") : NO_ERROR;
}

static struct smtp_error take_ret(struct arena *arena, struct esmtp_parameter *given,
                                  struct smtp_command *out)
{
    if (text_equal_nocase(given->value, TEXT("FULL")))
        out->ret = RETURN_FULL;
    else if (text_equal_nocase(given->value, TEXT("HDRS")))
        out->ret = RETURN_HEADERS;
    else
        return syntax("RET is FULL or HDRS");
    return NO_ERROR;
}

static struct smtp_error take_envid(struct arena *arena, struct esmtp_parameter *given,
                                    struct smtp_command *out)
{
    bool good = given->value.length > 0 && decode_plain(arena, given->value, false, &out->envid);
    return good ? NO_ERROR : syntax("ENVID is xtext");
}

static struct smtp_error take_notify(struct arena *arena, struct esmtp_parameter *given,
                                     struct smtp_command *out)
{
    static const struct {
        const char *word;
        uint8_t bit;
    } words[] = { { "NEVER", NOTIFY_NEVER },
                  { "SUCCESS", NOTIFY_SUCCESS },
                  { "FAILURE", NOTIFY_FAILURE },
                  { "DELAY", NOTIFY_DELAY } };
    struct text rest = given->value;
    while (rest.length > 0) {
        size_t comma = text_find_char(rest, ','), i = 0;
        struct text word = text_slice(rest, 0, comma);
        while (i < 4 && !text_equal_nocase(word, text_of(words[i].word))) i++;
        if (i == 4 || (out->notify & words[i].bit) || comma + 1 == rest.length) break;
        out->notify |= words[i].bit;
        rest = text_slice(rest, comma + 1, rest.length);
    }
    bool good = rest.length == 0 && out->notify != 0 &&
                (out->notify == NOTIFY_NEVER || !(out->notify & NOTIFY_NEVER));
    return good ? NO_ERROR : syntax("NOTIFY is NEVER, or some of SUCCESS, FAILURE, DELAY");
}

/* RFC 6533 section 3: beside xtext there is utf-8-addr-unitext, which is passed on as utf-8-addr-xtext. */
static struct smtp_error take_orcpt(struct arena *arena, struct esmtp_parameter *given,
                                    struct smtp_command *out)
{
    size_t semicolon = text_find_char(given->value, ';');
    struct text type = text_slice(given->value, 0, semicolon);
    bool is_utf8 = text_equal_nocase(type, TEXT("utf-8"));
    bool good = semicolon > 0 && semicolon < given->value.length && text_is_ascii(type) &&
                decode_plain(arena, given->value, true, &out->orcpt) &&
                (!is_utf8 || utf8_is_valid(out->orcpt));
    return good ? NO_ERROR : syntax("ORCPT is TYPE;XTEXT, or utf-8; and UTF-8");
}

static const struct {
    const char *keyword;
    enum smtp_verb verb;
    enum smtp_parameter bit;
    struct smtp_error (*take)(struct arena *arena, struct esmtp_parameter *given, struct smtp_command *out);
} parameters[] = {
    { "SIZE", VERB_MAIL, PARAMETER_SIZE, take_size },
    { "BODY", VERB_MAIL, PARAMETER_BODY, take_body },
    { "SMTPUTF8", VERB_MAIL, PARAMETER_SMTPUTF8, take_smtputf8 },
    { "RET", VERB_MAIL, PARAMETER_RET, take_ret },
    { "ENVID", VERB_MAIL, PARAMETER_ENVID, take_envid },
    { "NOTIFY", VERB_RCPT, PARAMETER_NOTIFY, take_notify },
    { "ORCPT", VERB_RCPT, PARAMETER_ORCPT, take_orcpt },
};

static struct smtp_error take_parameter(struct arena *arena, struct text word, struct smtp_command *out)
{
    size_t equals = text_find_char(word, '=');
    struct esmtp_parameter given = { text_slice(word, 0, equals), text_slice(word, equals + 1, word.length),
                                     equals < word.length };
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
        if (parameters[i].verb != out->verb ||
            !text_equal_nocase(given.keyword, text_of(parameters[i].keyword)))
            continue;
        if (out->given & parameters[i].bit) return syntax("a parameter is given twice");
        out->given |= parameters[i].bit;
        return parameters[i].take(arena, &given, out);
    }
    return (struct smtp_error){ 555, "5.5.4", "a parameter is not known here" };
}

/* --- verbs --- */

/* The path ends at the ">" that no quote hides, or at the first blank. */
static size_t path_length(struct text text)
{
    bool is_quoted = false;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.at[i];
        if (is_quoted && c == '\\')
            i++;
        else if (c == '"')
            is_quoted = !is_quoted;
        else if (!is_quoted && c == '>')
            return i + 1;
        else if (!is_quoted && char_is_blank(c))
            return i;
    }
    return text.length;
}

static struct smtp_error parse_path_verb(struct arena *arena, struct text rest, bool strict,
                                         struct text keyword, struct smtp_command *out)
{
    bool is_sender = out->verb == VERB_MAIL;
    if (!text_starts_nocase(rest, keyword))
        return syntax(is_sender ? "say MAIL FROM:<address>" : "say RCPT TO:<address>");
    rest = text_slice(rest, keyword.length, rest.length);
    while (!strict && rest.length > 0 && char_is_blank(rest.at[0])) rest = text_slice(rest, 1, rest.length);
    size_t end = path_length(rest);
    enum mailbox_outcome outcome = mailbox_parse_path(text_slice(rest, 0, end), strict, &out->mailbox);
    if (outcome == MAILBOX_GOOD && !is_sender && out->mailbox.is_null) outcome = MAILBOX_EMPTY;
    if (outcome != MAILBOX_GOOD)
        return (struct smtp_error){ is_sender ? 501 : 553, mailbox_status(outcome, is_sender),
                                    mailbox_reason(outcome) };
    rest = text_slice(rest, end, rest.length);
    if (rest.length > 0 && !char_is_blank(rest.at[0])) return syntax("a space is missing after the path");
    struct smtp_error error = NO_ERROR;
    for (struct text word; error.code == 0 && text_next_word(&rest, &word);)
        error = take_parameter(arena, word, out);
    return error;
}

static struct smtp_error parse_mail(struct arena *arena, struct text rest, bool strict,
                                    struct smtp_command *out)
{
    return parse_path_verb(arena, rest, strict, TEXT("FROM:"), out);
}

static struct smtp_error parse_rcpt(struct arena *arena, struct text rest, bool strict,
                                    struct smtp_command *out)
{
    return parse_path_verb(arena, rest, strict, TEXT("TO:"), out);
}

/* Anything else could forge a header that names it. */
static bool is_plain_name(struct text name)
{
    for (size_t i = 0; i < name.length; i++) {
        char c = name.at[i];
        if ((uint8_t)c <= ' ' || c == 127 || strchr("()<>;\"\\", c)) return false;
    }
    return true;
}

/* RFC 5321 section 4.1.4 lets a server not refuse for a name that does not check; one that could forge a
 * header is. */
static struct smtp_error parse_hello(struct arena *arena, struct text rest, bool strict,
                                     struct smtp_command *out)
{
    out->argument = text_trim(rest);
    if (out->argument.length == 0) return syntax("a name or address literal is missing");
    if (out->argument.length > 255) return syntax("the name is too long");
    if (!is_plain_name(out->argument)) return syntax("the name has a forbidden character");
    return utf8_is_valid(out->argument) ? NO_ERROR : syntax("the name is not UTF-8");
}

static struct smtp_error parse_bdat(struct arena *arena, struct text rest, bool strict,
                                    struct smtp_command *out)
{
    struct text size, last, more;
    bool good = text_next_word(&rest, &size) && size.length <= BDAT_MOST_DIGITS &&
                text_to_number(size, UINT64_MAX / 2, &out->size);
    if (good && text_next_word(&rest, &last)) {
        out->is_last = text_equal_nocase(last, TEXT("LAST"));
        good = out->is_last && !text_next_word(&rest, &more);
    }
    out->is_out_of_step = !good; /* octets follow, nobody knows how many */
    return good ? NO_ERROR : syntax("say BDAT SIZE or BDAT SIZE LAST");
}

static struct smtp_error parse_nothing(struct arena *arena, struct text rest, bool strict,
                                       struct smtp_command *out)
{
    return text_trim(rest).length == 0 ? NO_ERROR : syntax("no argument is allowed");
}

static struct smtp_error parse_anything(struct arena *arena, struct text rest, bool strict,
                                        struct smtp_command *out)
{
    out->argument = text_trim(rest);
    return NO_ERROR;
}

static struct smtp_error take_attribute(struct arena *arena, struct text word, struct smtp_command *out)
{
    static const char *const names[XCLIENT_COUNT] = {
        "NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT", "TLS", "TRANSACTION"
    };
    size_t equals = text_find_char(word, '=');
    struct text name = text_slice(word, 0, equals), value = text_slice(word, equals + 1, word.length);
    for (int i = 0; i < XCLIENT_COUNT; i++) {
        if (!text_equal_nocase(name, text_of(names[i]))) continue;
        out->has_attribute[i] = true;
        bool is_temporary = text_equal_nocase(value, TEXT("[TEMPUNAVAIL]"));
        if (i == XCLIENT_NAME) out->name_is_temporary = is_temporary;
        if (is_temporary || text_equal_nocase(value, TEXT("[UNAVAILABLE]"))) return NO_ERROR;
        if (value.length > XCLIENT_VALUE_MOST || !decode_plain(arena, value, false, &out->attribute[i]))
            return syntax("an attribute is not xtext, or has a control character");
        bool is_name = i == XCLIENT_NAME || i == XCLIENT_HELO;
        return is_name && !is_plain_name(out->attribute[i]) ? syntax("the name has a forbidden character")
                                                            : NO_ERROR;
    }
    return syntax("an attribute is not known");
}

static struct smtp_error parse_xclient(struct arena *arena, struct text rest, bool strict,
                                       struct smtp_command *out)
{
    struct smtp_error error = NO_ERROR;
    struct text word;
    if (text_trim(rest).length == 0) return syntax("attributes are missing");
    while (error.code == 0 && text_next_word(&rest, &word)) error = take_attribute(arena, word, out);
    return error;
}

static const struct {
    const char *name;
    enum smtp_verb verb;
    struct smtp_error (*parse)(struct arena *arena, struct text rest, bool strict, struct smtp_command *out);
} verbs[] = {
    { "MAIL", VERB_MAIL, parse_mail },          { "RCPT", VERB_RCPT, parse_rcpt },
    { "DATA", VERB_DATA, parse_nothing },       { "BDAT", VERB_BDAT, parse_bdat },
    { "EHLO", VERB_EHLO, parse_hello },         { "HELO", VERB_HELO, parse_hello },
    { "RSET", VERB_RSET, parse_nothing },       { "NOOP", VERB_NOOP, parse_anything },
    { "QUIT", VERB_QUIT, parse_nothing },       { "STARTTLS", VERB_STARTTLS, parse_nothing },
    { "VRFY", VERB_VRFY, parse_anything },      { "EXPN", VERB_EXPN, parse_anything },
    { "HELP", VERB_HELP, parse_anything },      { "AUTH", VERB_AUTH, parse_anything },
    { "XCLIENT", VERB_XCLIENT, parse_xclient },
};

static bool has_forbidden_byte(struct text line)
{
    return memchr(line.at, '\r', line.length) || memchr(line.at, '\n', line.length) ||
           memchr(line.at, '\0', line.length);
}

/* "GET / HTTP/1.1", "PRI * HTTP/2.0" */
static bool is_http(struct text line)
{
    static const char *const methods[] = { "GET",     "POST",  "PUT",   "HEAD", "DELETE",
                                           "OPTIONS", "TRACE", "PATCH", "PRI",  "CONNECT" };
    struct text rest = line, word;
    if (!text_next_word(&rest, &word)) return false;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (text_equal_nocase(word, text_of(methods[i]))) return true;
    return text_find(line, TEXT(" HTTP/")) < line.length;
}

/* "Subject: hello", "Host:example.jp" */
static bool is_field(struct text line)
{
    size_t colon = 0;
    for (; colon < line.length; colon++) {
        char c = line.at[colon];
        if (!char_is_alpha(c) && !char_is_digit(c) && c != '-') break;
    }
    return colon > 0 && colon < line.length && line.at[colon] == ':';
}

bool smtp_is_foreign_start(struct text bytes)
{
    if (bytes.length == 0) return false;
    char c = bytes.at[0];
    return !char_is_blank(c) && !char_is_alpha(c) && c != '\r' && c != '\n';
}

struct smtp_error smtp_command_parse(struct arena *arena, struct text line, bool strict,
                                     struct smtp_command *out)
{
    *out = (struct smtp_command){ .verb = VERB_UNKNOWN };
    if (line.length > COMMAND_LINE_MOST) return (struct smtp_error){ 500, "5.5.2", "the line is too long" };
    out->is_out_of_step = true;
    if (line.length && has_forbidden_byte(line))
        return (struct smtp_error){ 500, "5.5.2", "a bare CR, a bare LF or a NUL is not allowed" };
    if (smtp_is_foreign_start(line) || is_http(line) || is_field(line))
        return (struct smtp_error){ 500, "5.5.1", "this is SMTP, and what you speak is not" };
    out->is_out_of_step = false;
    struct text rest = line, word = TEXT_NONE;
    text_next_word(&rest, &word);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (!text_equal_nocase(word, text_of(verbs[i].name))) continue;
        out->verb = verbs[i].verb;
        if (rest.length > 0) rest = text_slice(rest, 1, rest.length); /* one blank separates */
        return verbs[i].parse(arena, rest, strict, out);
    }
    return (struct smtp_error){ 500, "5.5.1", "the command is not known" };
}
