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
    *lexer = (struct lexer){ .arena = arena, .rest = content, .line = 1, .column = 1, .is_at_start = true };
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

/* True when a character that is only like one of ASCII is next; it is remembered for the token. */
static bool alien_next(struct lexer *lexer, struct lookalike *out)
{
    if (!lookalike_find(lexer->rest, out)) return false;
    if (lexer->alien.character.length > 0) return true;
    lexer->alien = *out;
    lexer->alien_column = lexer->column;
    return true;
}

static struct token wrong(struct token token, const char *why)
{
    token.kind = TOKEN_WRONG;
    token.text = text_of(why);
    return token;
}

static const char BAD_CHARACTER[] = "a control character or a byte that is not UTF-8";

static struct token cut(struct lexer *lexer);

static struct token comment(struct lexer *lexer, struct token token)
{
    bool good = true;
    while (good && lexer->rest.length > 0 && !is_line_end(lexer->rest)) {
        token.column = lexer->column;
        good = step(lexer);
    }
    return good ? cut(lexer) : wrong(token, BAD_CHARACTER);
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

static const char UNENDED[] = "a quote without its end on this line";

/* Behind `start` nothing ended the quote. What is like a quote ended it, or else the first closing brace was
   meant as one: it is cut next. */
static struct token unended(struct lexer *lexer, struct token token, struct text start, uint32_t column)
{
    struct text body = text_from(start.at, (size_t)(lexer->rest.at - start.at)), text;
    struct lookalike like;
    column--;
    for (size_t i = 0; i < body.length; i++) {
        column +=
            ((unsigned char)body.at[i] & 0xC0) != 0x80; /* of the character that begins or goes on here */
        bool is_end = lookalike_find(text_slice(body, i, body.length), &like) && like.ascii == '"';
        if (!is_end) continue;
        token.kind = TOKEN_QUOTED;
        token.text = text_slice(body, 0, i);
        lexer->alien = like;
        lexer->alien_column = column;
        lexer->rest = text_from(like.character.at, lexer->rest.length + body.length - i);
        lexer->column = column;
        skip(lexer, like.character.length, 1);
        return token;
    }
    text = text_slice(body, text_find_char(body, '}'), body.length);
    if (text.length > 0) lexer->rest = text_from(text.at, lexer->rest.length + text.length);
    for (size_t i = 0; i < text.length; i++) lexer->column -= ((unsigned char)text.at[i] & 0xC0) != 0x80;
    return wrong(token, UNENDED);
}

static struct token quoted(struct lexer *lexer, struct token token)
{
    const char *why = NULL;
    skip(lexer, 1, 1);
    struct text start = lexer->rest;
    uint32_t column = lexer->column;
    while (lexer->rest.length > 0 && !is_line_end(lexer->rest) && lexer->rest.at[0] != '"') {
        bool escape = lexer->rest.at[0] == '\\';
        if (!step(lexer)) why = BAD_CHARACTER;
        if (escape && lexer->rest.length > 0 && !is_line_end(lexer->rest) && !step(lexer))
            why = BAD_CHARACTER;
    }
    if (lexer->rest.length == 0 || is_line_end(lexer->rest)) return unended(lexer, token, start, column);
    token.kind = TOKEN_QUOTED;
    token.text = text_from(start.at, (size_t)(lexer->rest.at - start.at));
    skip(lexer, 1, 1);
    if (why) return wrong(token, why);
    if (token.text.length > CONFIG_WORD_MOST) return wrong(token, "a text longer than 4096 bytes");
    return unescape(lexer, token);
}

/* Between quotes that only look like some, either of which may be one of ASCII. */
static struct token quoted_alike(struct lexer *lexer, struct token token, const struct lookalike *opening)
{
    struct lookalike like;
    skip(lexer, opening->character.length, 1);
    const char *start = lexer->rest.at;
    while (lexer->rest.length > 0 && !is_line_end(lexer->rest)) {
        bool is_like = lookalike_find(lexer->rest, &like) && like.ascii == '"';
        if (!is_like && lexer->rest.at[0] != '"') {
            step(lexer);
            continue;
        }
        token.kind = TOKEN_QUOTED;
        token.text = text_from(start, (size_t)(lexer->rest.at - start));
        skip(lexer, is_like ? like.character.length : 1, 1);
        return token;
    }
    return wrong(token, UNENDED);
}

static bool ends_word(struct text rest)
{
    char c = rest.at[0];
    return char_is_blank(c) || c == ';' || c == '{' || c == '}' || c == '"' || is_line_end(rest);
}

/* The rest of a word that has characters which are only like ASCII ones, as if they were. Such a one that
   ends a word is left for the next token. */
static struct token word_fold(struct lexer *lexer, struct token token)
{
    struct buffer folded = { 0 };
    struct lookalike like;
    bool is_good = true;
    buffer_add_text(&folded, token.text);
    while (lexer->rest.length > 0 && !ends_word(lexer->rest)) {
        bool is_like = lookalike_find(lexer->rest, &like);
        if (is_like && like.ascii && ends_word(text_from(&like.ascii, 1))) break;
        struct text character = text_slice(lexer->rest, 0, is_like ? 0 : utf8_sequence(lexer->rest));
        if (is_like && like.ascii) buffer_add_char(&folded, like.ascii);
        buffer_add_text(&folded, character);
        is_good = step(lexer) && is_good;
    }
    token.text = arena_text(lexer->arena, buffer_text(&folded));
    buffer_free(&folded);
    return is_good ? token : wrong(token, BAD_CHARACTER);
}

static struct token word(struct lexer *lexer, struct token token)
{
    struct lookalike like = { 0 };
    const char *start = lexer->rest.at, *why = NULL;
    while (lexer->rest.length > 0 && !ends_word(lexer->rest) && !lookalike_find(lexer->rest, &like))
        if (!step(lexer)) why = BAD_CHARACTER;
    token.kind = TOKEN_WORD;
    token.text = text_from(start, (size_t)(lexer->rest.at - start));
    bool is_alien = like.character.length > 0 && (!like.ascii || !ends_word(text_from(&like.ascii, 1)));
    if (is_alien && alien_next(lexer, &like)) token = word_fold(lexer, token);
    if (token.kind == TOKEN_WRONG) return token;
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
    lexer->is_at_start = true;
    token.kind = TOKEN_BREAK;
    return token;
}

static struct token mark(struct lexer *lexer, struct token token, enum token_kind kind, size_t bytes)
{
    token.kind = kind;
    token.text = text_slice(lexer->rest, 0, bytes);
    skip(lexer, bytes, 1);
    return token;
}

/* The token that begins with a character of ASCII, or with what stands in its place. */
static struct token token_begin(struct lexer *lexer, struct token token, char first, size_t bytes)
{
    switch (first) {
    case '#':
        return comment(lexer, token);
    case '{':
        return mark(lexer, token, TOKEN_OPEN, bytes);
    case '}':
        return mark(lexer, token, TOKEN_CLOSE, bytes);
    case ';':
        return mark(lexer, token, TOKEN_BREAK, bytes);
    default:
        return word(lexer, token);
    }
}

static void blanks_skip(struct lexer *lexer)
{
    struct lookalike like;
    while (lexer->rest.length > 0) {
        if (char_is_blank(lexer->rest.at[0])) {
            skip(lexer, 1, 1);
        } else if (lookalike_find(lexer->rest, &like) && (like.ascii == ' ' || !like.ascii)) {
            alien_next(lexer, &like);
            skip(lexer, like.character.length, 1);
        } else {
            return;
        }
    }
}

static struct token cut(struct lexer *lexer)
{
    struct lookalike like;
    blanks_skip(lexer);
    struct token token = {
        .kind = TOKEN_END, .line = lexer->line, .column = lexer->column, .is_first = lexer->is_at_start
    };
    if (lexer->rest.length == 0) return token;
    if (is_line_end(lexer->rest)) return line_end(lexer, token);
    lexer->is_at_start = false;
    if (lexer->rest.at[0] == '"') return quoted(lexer, token);
    if (!lookalike_find(lexer->rest, &like)) return token_begin(lexer, token, lexer->rest.at[0], 1);
    alien_next(lexer, &like);
    if (like.ascii == '"') return quoted_alike(lexer, token, &like);
    return token_begin(lexer, token, like.ascii, like.character.length);
}

struct token lexer_next(struct lexer *lexer)
{
    lexer->alien = (struct lookalike){ 0 };
    struct token token = cut(lexer);
    token.alien = lexer->alien;
    token.alien_column = lexer->alien_column;
    return token;
}
