/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Written word by word with the column in mind; read by a scanner that counts how deep comments are. */
#include "auth/authentication_results.h"

#include "dns/dns_name.h"
#include "mail/idna.h"

enum { COLUMNS = 78 };

static const char *const words[AUTH_RESULT_COUNT] = {
    [AUTH_NONE] = "none",           [AUTH_PASS] = "pass",          [AUTH_FAIL] = "fail",
    [AUTH_SOFTFAIL] = "softfail",   [AUTH_NEUTRAL] = "neutral",    [AUTH_POLICY] = "policy",
    [AUTH_TEMPERROR] = "temperror", [AUTH_PERMERROR] = "permerror"
};

const char *authentication_results_word(enum auth_result result)
{
    return words[(unsigned)result < AUTH_RESULT_COUNT ? result : AUTH_NONE];
}

bool authentication_results_word_find(struct text word, enum auth_result *out)
{
    for (int result = 0; result < AUTH_RESULT_COUNT; result++) {
        if (!text_equal_nocase(word, text_of(words[result]))) continue;
        *out = (enum auth_result)result;
        return true;
    }
    *out = AUTH_FAIL;
    return text_equal_nocase(word, TEXT("hardfail"));
}

/* --- writing --- */

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

/* RFC 2045 section 5.1. */
static bool is_token_char(char c)
{
    return c > ' ' && c < 0x7f && !strchr("()<>@,;:\\\"/[]?=", c);
}

/* RFC 5321 section 4.1.2, dot-string and domain; what stands on the left may be missing. */
static bool is_address(struct text value)
{
    size_t at = text_find_last_char(value, '@');
    if (at == value.length || at + 1 == value.length) return false;
    for (size_t i = 0; i < value.length; i++) {
        char c = value.at[i];
        bool is_good = char_is_alpha(c) || char_is_digit(c) || c == '-' || c == '.' || c == '_';
        if (i < at) is_good = is_good || (c > ' ' && c < 0x7f && strchr("!#$%&'*+/=?^`{|}~", c));
        if (!is_good && i != at) return false;
    }
    return true;
}

static bool is_plain(struct text value)
{
    if (is_address(value)) return true;
    for (size_t i = 0; i < value.length; i++)
        if (!is_token_char(value.at[i])) return false;
    return value.length > 0;
}

static void escaped_add(struct buffer *out, struct text value, const char *specials)
{
    for (size_t i = 0; i < value.length; i++) {
        if (is_control(value.at[i])) continue;
        if (strchr(specials, value.at[i])) buffer_add_char(out, '\\');
        buffer_add_char(out, value.at[i]);
    }
}

static void value_add(struct buffer *out, struct text value)
{
    if (is_plain(value)) {
        buffer_add_text(out, value);
        return;
    }
    buffer_add_char(out, '"');
    escaped_add(out, value, "\"\\");
    buffer_add_char(out, '"');
}

/* What is written goes into `out`; a word is made up in `word` first, so that its length is known. */
struct writer {
    struct buffer *out;
    struct buffer word;
    size_t column;
    bool is_folded; /* else all goes on one line */
};

static void line_begin(struct writer *writer)
{
    buffer_add(writer->out, "\r\n\t", 3);
    writer->column = 8;
}

/* Moves the word to the output, behind a space or on a line of its own. */
static void word_end(struct writer *writer)
{
    size_t length = buffer_length(&writer->word);
    if (writer->is_folded && writer->column + 1 + length > COLUMNS && writer->column > 8)
        line_begin(writer);
    else if (writer->column > 8 || !writer->is_folded)
        buffer_add_char(writer->out, ' ');
    buffer_add_text(writer->out, buffer_text(&writer->word));
    writer->column += 1 + length;
    buffer_clear(&writer->word);
}

static void property_add(struct writer *writer, const struct auth_property *property)
{
    buffer_printf(&writer->word, "%.*s.%.*s=", TEXT_ARG(property->type), TEXT_ARG(property->name));
    value_add(&writer->word, property->value);
    word_end(writer);
}

static void statement_add(struct writer *writer, const struct auth_statement *statement)
{
    buffer_add_char(writer->out, ';');
    if (writer->is_folded) line_begin(writer);
    buffer_printf(&writer->word, "%.*s=%s", TEXT_ARG(statement->method),
                  authentication_results_word(statement->result));
    word_end(writer);
    if (statement->comment.length > 0) {
        buffer_add_char(&writer->word, '(');
        escaped_add(&writer->word, statement->comment, "()\\");
        buffer_add_char(&writer->word, ')');
        word_end(writer);
    }
    if (statement->reason.length > 0) {
        buffer_printf(&writer->word, "reason=");
        value_add(&writer->word, statement->reason);
        word_end(writer);
    }
    for (uint32_t i = 0; i < statement->property_count && i < AUTH_PROPERTIES_MOST; i++)
        property_add(writer, &statement->properties[i]);
}

static void statements_add(struct writer *writer, const struct authentication_results *results)
{
    if (results->count == 0) buffer_printf(writer->out, "; none");
    for (uint32_t i = 0; i < results->count; i++) statement_add(writer, &results->statements[i]);
    buffer_free(&writer->word);
}

void authentication_results_add(struct buffer *out, struct text name,
                                const struct authentication_results *results)
{
    struct writer writer = { .out = out, .is_folded = true };
    buffer_add_text(out, name);
    buffer_add_char(out, ':');
    writer.column = name.length + 9; /* never at a line's start */
    value_add(&writer.word, results->authserv_id);
    word_end(&writer);
    statements_add(&writer, results);
    buffer_add(out, "\r\n", 2);
}

void authentication_results_payload_add(struct buffer *out, const struct authentication_results *results)
{
    struct writer writer = { .out = out };
    statements_add(&writer, results);
}

/* --- reading --- */

/* `is_broken`: a comment or quoted string has no end. */
struct results_scanner {
    const char *at, *end;
    bool is_broken;
};

static void comment_skip(struct results_scanner *scanner)
{
    size_t depth = 0;
    for (; scanner->at < scanner->end; scanner->at++) {
        char c = *scanner->at;
        if (c == '\\' && scanner->at + 1 < scanner->end) scanner->at++;
        depth += c == '(';
        if (c != ')' || --depth > 0) continue;
        scanner->at++;
        return;
    }
    scanner->is_broken = true;
}

/* CFWS: RFC 5322 section 3.2.2. */
static void space_skip(struct results_scanner *scanner)
{
    while (scanner->at < scanner->end) {
        if (*scanner->at == '(')
            comment_skip(scanner);
        else if (char_is_white(*scanner->at))
            scanner->at++;
        else
            return;
    }
}

static void quoted_read(struct results_scanner *scanner, struct buffer *out)
{
    for (scanner->at++; scanner->at < scanner->end; scanner->at++) {
        char c = *scanner->at;
        if (c == '"') {
            scanner->at++;
            return;
        }
        if (c == '\\' && scanner->at + 1 < scanner->end) c = *++scanner->at;
        if (!is_control(c)) buffer_add_char(out, c);
    }
    scanner->is_broken = true;
}

/* Up to white space, a comment, or one of `stops`; quoted strings in it are unquoted. */
static struct text word_read(struct results_scanner *scanner, const char *stops, struct buffer *room)
{
    buffer_clear(room);
    space_skip(scanner);
    while (scanner->at < scanner->end) {
        char c = *scanner->at;
        if (c == '"') {
            quoted_read(scanner, room);
            continue;
        }
        if (char_is_white(c) || c == '(' || (c && strchr(stops, c))) break;
        if (!is_control(c)) buffer_add_char(room, c);
        scanner->at++;
    }
    return buffer_text(room);
}

static bool char_take(struct results_scanner *scanner, char wanted)
{
    space_skip(scanner);
    if (scanner->at == scanner->end || *scanner->at != wanted) return false;
    scanner->at++;
    return true;
}

static struct results_scanner scanner_of(struct text value)
{
    const char *at = value.at ? value.at : "";
    return (struct results_scanner){ at, at + value.length, false };
}

static bool is_same_id(struct text id, struct text ours)
{
    id = dns_name_without_root(id);
    ours = dns_name_without_root(ours);
    if (text_equal_nocase(id, ours)) return true;
    bool is_ascii = text_is_ascii(id) && text_is_ascii(ours);
    bool is_encoded = text_starts_nocase(id, TEXT("xn--")) || text_find_nocase(id, TEXT(".xn--")) < id.length;
    return (!is_ascii || is_encoded) && id.length <= 1000 && idna_equal(id, ours);
}

bool authentication_results_is_of(struct text value, struct text authserv_id)
{
    struct results_scanner scanner = scanner_of(value);
    struct buffer room = { 0 };
    struct text id = word_read(&scanner, ";", &room);
    bool is_ours = is_same_id(id, authserv_id);
    bool is_doubtful = scanner.is_broken || id.length == 0;
    if (!is_ours && is_doubtful) is_ours = text_find_nocase(value, authserv_id) < value.length;
    buffer_free(&room);
    return is_ours;
}

/* Behind the semicolon that ends this statement; false: that was the last. */
static bool statement_pass(struct results_scanner *scanner, struct buffer *room)
{
    while (scanner->at < scanner->end) {
        word_read(scanner, ";", room);
        if (char_take(scanner, ';')) return true;
    }
    return false;
}

/* "spf=pass", "dkim/1=fail". */
static bool method_read(struct results_scanner *scanner, struct arena *arena, struct buffer *room,
                        struct auth_statement *out)
{
    out->method = arena_text_lower(arena, word_read(scanner, ";=/", room));
    if (char_take(scanner, '/')) word_read(scanner, ";=", room);
    if (out->method.length == 0 || !char_take(scanner, '=')) return false;
    return authentication_results_word_find(word_read(scanner, ";", room), &out->result);
}

/* "reason=…", "smtp.mailfrom=…"; of what has neither form the value is passed over. False: no more. */
static bool property_read(struct results_scanner *scanner, struct arena *arena, struct buffer *room,
                          struct auth_statement *statement)
{
    struct auth_property property = { .type = arena_text(arena, word_read(scanner, ";=.", room)) };
    bool has_name = char_take(scanner, '.');
    if (has_name) property.name = arena_text(arena, word_read(scanner, ";=", room));
    if (!char_take(scanner, '=')) return false;
    property.value = arena_text(arena, word_read(scanner, ";", room));
    if (has_name && statement->property_count < AUTH_PROPERTIES_MOST)
        statement->properties[statement->property_count++] = property;
    else if (!has_name && text_equal_nocase(property.type, TEXT("reason")))
        statement->reason = property.value;
    return true;
}

bool authentication_results_read(struct arena *arena, struct text value, struct authentication_results *out)
{
    struct results_scanner scanner = scanner_of(value);
    struct buffer room = { 0 };
    struct auth_statement *statements = arena_alloc_array(arena, AUTH_STATEMENTS_MOST, sizeof *statements);
    *out = (struct authentication_results){ .statements = statements };
    out->authserv_id = arena_text(arena, word_read(&scanner, ";", &room));
    bool has_more = statement_pass(&scanner, &room);
    while (has_more && out->count < AUTH_STATEMENTS_MOST) {
        struct auth_statement statement = { 0 };
        bool is_good = method_read(&scanner, arena, &room, &statement);
        while (is_good && property_read(&scanner, arena, &room, &statement)) {
        }
        if (is_good) statements[out->count++] = statement;
        has_more = statement_pass(&scanner, &room);
    }
    buffer_free(&room);
    return out->authserv_id.length > 0;
}

const struct auth_statement *authentication_results_find(const struct authentication_results *results,
                                                         struct text method)
{
    const struct auth_statement *first = NULL;
    for (uint32_t i = 0; i < results->count; i++) {
        const struct auth_statement *statement = &results->statements[i];
        if (!text_equal(statement->method, method)) continue;
        if (statement->result == AUTH_PASS) return statement;
        if (!first) first = statement;
    }
    return first;
}

struct text authentication_results_property(const struct auth_statement *statement, struct text type,
                                            struct text name)
{
    for (uint32_t i = 0; i < statement->property_count; i++) {
        const struct auth_property *property = &statement->properties[i];
        if (text_equal_nocase(property->type, type) && text_equal_nocase(property->name, name))
            return property->value;
    }
    return TEXT_NONE;
}
