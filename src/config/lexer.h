/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Cuts a configuration file into words, braces and ends of statements, each with its place. */
#ifndef SEKIMORI_CONFIG_LEXER_H
#define SEKIMORI_CONFIG_LEXER_H

#include "base/arena.h"
#include "config/lookalike.h"

enum token_kind {
    TOKEN_WORD,
    TOKEN_QUOTED, /* a word in quotes: never a word of the language, always a value */
    TOKEN_OPEN,   /* { */
    TOKEN_CLOSE,  /* } */
    TOKEN_BREAK,  /* a line end or ; */
    TOKEN_END,    /* of the file; again and again */
    TOKEN_WRONG,  /* `text` says why */
};

struct token {
    enum token_kind kind;
    struct text text; /* the word without quotes and escapes; borrowed from the file or the arena */
    uint32_t line, column;
    bool is_first;          /* nothing but blanks stands before it on its line */
    struct lookalike alien; /* the first character in it or before it that is only like an ASCII one */
    uint32_t alien_column;
};

struct lexer {
    struct arena *arena; /* for quoted texts that had escapes */
    struct text rest;
    uint32_t line, column;
    bool is_at_start; /* of a line, but for blanks */
    struct lookalike alien;
    uint32_t alien_column;
};

/* Skips a UTF-8 byte order mark. */
void lexer_start(struct lexer *lexer, struct text content, struct arena *arena);

/* Cuts the next token. After TOKEN_WRONG it goes on behind the offending bytes. Escapes in quotes: \" \\ and
   \t. A quoted text ends on its line; one that does not ends before its first closing brace.
   Bytes outside of UTF-8 and control characters are TOKEN_WRONG. A character that is only like one of ASCII
   is taken for that and told of in `alien`, outside of quotes and comments. */
struct token lexer_next(struct lexer *lexer);

#endif
