/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The lexer: one pass, each byte looked at a constant number of times. */
#include "config/lexer.h"

#include "base/utf8.h"
#include "config/load.h"

static void skip(struct lexer *lexer, size_t bytes, uint32_t columns)
{
    lexer->rest = text_slice(lexer->rest, bytes, lexer->rest.length);
    lexer->column += columns;
}

void lexer_start(struct lexer *lexer, struct text content, struct arena *arena)
{
    if (text_starts(content, TEXT("\xEF\xBB\xBF"))) content = text_slice(content, 3, content.length);
    *lexer = (struct lexer){ .arena = arena, .rest = content, .line = 1, .column = 1 };
}

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7F;
}

static bool is_line_end(struct text rest)
{
    return rest.at[0] == '\n' || (rest.at[0] == '\r' && rest.length > 1 && rest.at[1] == '\n');
}

/* Steps over one character of a comment or quote; false when it may not stand in a file. */
static bool step(struct lexer *lexer)
{
    size_t length = utf8_sequence(lexer->rest);
    bool good = length > 0 && !is_control(lexer->rest.at[0]);
    skip(lexer, length ? length : 1, 1);
    return good;
}

static struct token wrong(struct token token, const char *why)
{
    token.kind = TOKEN_WRONG;
    token.text = text_of(why);
    return token;
}

static const char BAD_CHARACTER[] = "a control character or a byte that is not UTF-8";

static struct token comment(struct lexer *lexer, struct token token)
{
    bool good = true;
    while (good && lexer->rest.length > 0 && !is_line_end(lexer->rest)) {
        token.column = lexer->column;
        good = step(lexer);
    }
    return good ? lexer_next(lexer) : wrong(token, BAD_CHARACTER);
}

/* The text between quotes with its escapes resolved: \" \\ \t. */
static struct token unescape(struct lexer *lexer, struct token token)
{
    if (text_find_char(token.text, '\\') == token.text.length) return token;
    char *bytes = arena_alloc(lexer->arena, token.text.length);
    size_t length = 0;
    for (size_t i = 0; i < token.text.length; i++) {
        char c = token.text.at[i];
        if (c == '\\') {
            c = token.text.at[++i];
            if (c == 't')
                c = '\t';
            else if (c != '"' && c != '\\')
                return wrong(token, "an unknown escape; known are \\\" \\\\ \\t");
        }
        bytes[length++] = c;
    }
    token.text = text_from(bytes, length);
    return token;
}

static struct token quoted(struct lexer *lexer, struct token token)
{
    const char *why = NULL;
    skip(lexer, 1, 1);
    struct text start = lexer->rest;
    while (lexer->rest.length > 0 && !is_line_end(lexer->rest) && lexer->rest.at[0] != '"') {
        bool escape = lexer->rest.at[0] == '\\';
        if (!step(lexer)) why = BAD_CHARACTER;
        if (escape && lexer->rest.length > 0 && !is_line_end(lexer->rest) && !step(lexer))
            why = BAD_CHARACTER;
    }
    if (lexer->rest.length == 0 || is_line_end(lexer->rest))
        return wrong(token, "a quote without its end on this line");
    token.kind = TOKEN_QUOTED;
    token.text = text_from(start.at, (size_t)(lexer->rest.at - start.at));
    skip(lexer, 1, 1);
    if (why) return wrong(token, why);
    if (token.text.length > CONFIG_WORD_MOST) return wrong(token, "a text longer than 4096 bytes");
    return unescape(lexer, token);
}

static bool ends_word(struct text rest)
{
    char c = rest.at[0];
    return char_is_blank(c) || c == ';' || c == '{' || c == '}' || c == '"' || is_line_end(rest);
}

static struct token word(struct lexer *lexer, struct token token)
{
    const char *start = lexer->rest.at, *why = NULL;
    while (lexer->rest.length > 0 && !ends_word(lexer->rest))
        if (!step(lexer)) why = BAD_CHARACTER;
    token.kind = TOKEN_WORD;
    token.text = text_from(start, (size_t)(lexer->rest.at - start));
    if (lexer->rest.length > 0 && lexer->rest.at[0] == '"') {
        quoted(lexer, token);
        why = why ? why : "a quote inside a word; quote the whole word";
    }
    if (why) return wrong(token, why);
    if (token.text.length > CONFIG_WORD_MOST) return wrong(token, "a word longer than 4096 bytes");
    return token;
}

static struct token line_end(struct lexer *lexer, struct token token)
{
    skip(lexer, lexer->rest.at[0] == '\r' ? 2 : 1, 0);
    lexer->line++;
    lexer->column = 1;
    token.kind = TOKEN_BREAK;
    return token;
}

static struct token mark(struct lexer *lexer, struct token token, enum token_kind kind)
{
    token.kind = kind;
    token.text = text_slice(lexer->rest, 0, 1);
    skip(lexer, 1, 1);
    return token;
}

struct token lexer_next(struct lexer *lexer)
{
    while (lexer->rest.length > 0 && char_is_blank(lexer->rest.at[0])) skip(lexer, 1, 1);
    struct token token = { .kind = TOKEN_END, .line = lexer->line, .column = lexer->column };
    if (lexer->rest.length == 0) return token;
    if (is_line_end(lexer->rest)) return line_end(lexer, token);
    switch (lexer->rest.at[0]) {
    case '#':
        return comment(lexer, token);
    case '"':
        return quoted(lexer, token);
    case '{':
        return mark(lexer, token, TOKEN_OPEN);
    case '}':
        return mark(lexer, token, TOKEN_CLOSE);
    case ';':
        return mark(lexer, token, TOKEN_BREAK);
    default:
        return word(lexer, token);
    }
}
