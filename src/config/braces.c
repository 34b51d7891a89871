/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goes through the tokens of a file whose braces do not balance, with the words of the schema: a word that
   means nothing in its block, but something in one around it or in the statement before it, tells where a
   brace belongs; so does the indentation. Called by parse.c. */
#include "config/braces.h"

#include <inttypes.h>
#include <stdlib.h>

#include "config/lexer.h"
#include "config/value.h"

enum { LEVELS_MOST = CONFIG_NESTING_MOST + 2, PATH_MOST = 16 };

/* What may stand in a block: children of `node`, or domains. NULL and no domains: not known. */
struct inside {
    const struct schema_node *node;
    bool has_domains;
};

struct level {
    struct inside inside;
    struct token open;  /* its brace */
    struct token start; /* the first token of its statement */
    uint32_t inner;     /* column of the first statement in it that begins a line; 0: there is none yet */
};

/* A word of a statement that a block may follow, with the token behind it. */
struct opener {
    struct inside inside;
    struct token next;
};

struct scan {
    struct loader *loader;
    unsigned file;
    struct level levels[LEVELS_MOST]; /* the first is the file itself */
    size_t depth;                     /* of levels in use, 1 or more */
    size_t missing, spare;            /* closing braces too few; too many */
    struct token start;               /* of the statement under way; kind TOKEN_BREAK: none is */
    const struct schema_node *node;   /* where its words have led; NULL: nowhere */
    struct inside follows;            /* what a block behind its words would have */
    struct opener openers[PATH_MOST]; /* of this statement, or of the one before while none is under way */
    size_t opener_count;
    bool awaits_next;     /* the last opener has no `next` yet */
    size_t values;        /* words that led nowhere */
    struct level closed;  /* the block that ended last */
    struct token closing; /* with this brace; line 0: none did */
    bool has_lost;        /* the brace before this token opened nothing, too */
    struct brace_edits edits;
};

struct place braces_place(uint32_t line, uint32_t column, unsigned file)
{
    enum { COLUMN_MOST = (1 << 22) - 1 };
    struct place place = { .line = line, .column = COLUMN_MOST };
    if (column < COLUMN_MOST) place.column = column & COLUMN_MOST;
    place.file = file & 0x3FFu;
    return place;
}

/* `message` is in the arena or a literal. */
static void edit_add(struct scan *scan, enum brace_change change, const struct token *at,
                     const struct token *blame, struct text message)
{
    struct brace_edits *edits = &scan->edits;
    edits->items = value_list_grow(scan->loader->arena, edits->items, edits->count, sizeof *edits->items);
    edits->items[edits->count++] =
        (struct brace_edit){ .change = change,
                             .line = at->line,
                             .column = at->column,
                             .blame = braces_place(blame->line, blame->column, scan->file),
                             .message = message };
}

/* --- what a word means where --- */

static bool is_like_domain(struct text word)
{
    return text_find_char(word, '.') < word.length || text_equal(word, TEXT("*"));
}

static bool is_known(const struct inside *inside, const struct token *word)
{
    if (inside->has_domains) return is_like_domain(word->text);
    return !inside->node || (word->kind == TOKEN_WORD && schema_node_child(inside->node, word->text));
}

/* For certain: what is not known is not. */
static bool has_meaning(const struct inside *inside, const struct token *word)
{
    return (inside->node || inside->has_domains) && is_known(inside, word);
}

static struct level *top(struct scan *scan)
{
    return &scan->levels[scan->depth - 1];
}

/* False: nested deeper than is allowed, which the parser says. */
static bool level_push(struct scan *scan, struct inside inside, const struct token *open)
{
    if (scan->depth == LEVELS_MOST) return false;
    scan->levels[scan->depth++] = (struct level){ inside, *open, scan->start, 0 };
    return true;
}

static void statement_none(struct scan *scan)
{
    scan->start = (struct token){ .kind = TOKEN_BREAK };
}

/* --- too few } --- */

/* The innermost block ends before the token. */
static void level_end(struct scan *scan, const struct token *before)
{
    static const char nothing[] = "this block has no }";
    struct text message = TEXT(nothing);
    if (before->kind != TOKEN_END && before->text.length < 60)
        message = arena_printf(scan->loader->arena, "%s; one is missing before \"%.*s\" in line %" PRIu32,
                               nothing, TEXT_ARG(before->text), before->line);
    edit_add(scan, BRACE_CLOSE, before, &top(scan)->open, message);
    scan->depth--;
    scan->missing--;
}

/* Written no further in than the statement whose block it would be in. */
static bool is_outdented(const struct level *level, const struct token *token)
{
    return token->is_first && level->start.is_first && level->inner > level->start.column &&
           token->column <= level->start.column;
}

/* How many blocks must end for the word to mean something; 0: none, it does, or it never will. */
static size_t levels_to_end(struct scan *scan, const struct token *word)
{
    bool is_in = is_known(&top(scan)->inside, word);
    if (is_in && !is_outdented(top(scan), word)) return 0;
    for (size_t n = 1; n < scan->depth && n <= scan->missing; n++)
        if (has_meaning(&scan->levels[scan->depth - 1 - n].inside, word)) return n;
    return 0;
}

/* A } that stands as far out as the statement of an outer block closes that one. */
static void levels_end_by_column(struct scan *scan, const struct token *close)
{
    while (scan->missing > 0 && scan->depth > 2 && close->is_first) {
        const struct level *inner = top(scan), *outer = &scan->levels[scan->depth - 2];
        bool is_of_outer = close->line > inner->open.line && inner->start.is_first &&
                           close->column < inner->start.column && outer->start.is_first &&
                           close->column <= outer->start.column;
        if (!is_of_outer) return;
        level_end(scan, close);
    }
}

/* --- too many } --- */

/* The statement before wanted a block for this word. */
static bool opener_find(struct scan *scan, const struct token *word)
{
    for (size_t i = scan->opener_count; i-- > 0;) {
        const struct opener opener = scan->openers[i];
        if (!has_meaning(&opener.inside, word) || opener.next.line == 0) continue;
        edit_add(scan, BRACE_OPEN, &opener.next, &opener.next,
                 arena_printf(scan->loader->arena,
                              "a { is missing here: \"%.*s\" in line %" PRIu32 " belongs into a block",
                              TEXT_ARG(text_slice(word->text, 0, 60)), word->line));
        scan->spare--;
        scan->opener_count = 0;
        return level_push(scan, opener.inside, &opener.next);
    }
    return false;
}

/* The } before was one too many: the word belongs into the block that it closed. */
static bool closing_find(struct scan *scan, const struct token *word)
{
    if (scan->closing.line == 0 || !has_meaning(&scan->closed.inside, word)) return false;
    edit_add(scan, BRACE_DROP, &scan->closing, &scan->closing,
             arena_printf(scan->loader->arena,
                          "this } is one too many: \"%.*s\" in line %" PRIu32
                          " belongs into the block that it closes",
                          TEXT_ARG(text_slice(word->text, 0, 60)), word->line));
    scan->spare--;
    scan->closing.line = 0;
    scan->levels[scan->depth++] = scan->closed;
    return true;
}

/* --- statements --- */

/* Behind name, kind and place of an engine its block follows. */
static bool is_engine(const struct schema_node *node)
{
    return node && node->row && node->row->type == SCHEMA_ENGINES;
}

/* Behind kind and place of a second opinion its block follows. */
static bool is_opinion(const struct schema_node *node)
{
    return node && node->row && node->row->type == SCHEMA_OPINIONS;
}

static struct inside inside_of(const struct scan *scan, const struct schema_node *node)
{
    if (!node->row || node->row->type < SCHEMA_LISTEN || is_engine(node) || is_opinion(node))
        return (struct inside){ node->first_child ? node : NULL, false };
    if (node->row->type == SCHEMA_DOMAINS) return (struct inside){ NULL, true };
    enum schema_scope scope = node->row->type == SCHEMA_CLOUD    ? SCHEMA_HOSTED
                              : node->row->type == SCHEMA_LISTED ? SCHEMA_LIST
                              : node->row->type == SCHEMA_WHOM   ? SCHEMA_WISH
                                                                 : SCHEMA_LISTENER;
    return (struct inside){ scan->loader->tree.roots[scope], false };
}

static void opener_add(struct scan *scan, struct inside inside)
{
    scan->follows = inside;
    if (scan->opener_count == PATH_MOST) return;
    scan->openers[scan->opener_count++] = (struct opener){ .inside = inside };
    scan->awaits_next = true;
}

static void statement_begin(struct scan *scan, const struct token *word)
{
    const struct inside *here = &top(scan)->inside;
    if (top(scan)->inner == 0 && word->is_first) top(scan)->inner = word->column;
    scan->start = *word;
    scan->opener_count = 0;
    scan->awaits_next = false;
    scan->values = 0;
    scan->closing.line = 0;
    scan->follows = (struct inside){ 0 };
    scan->node = here->node && word->kind == TOKEN_WORD ? schema_node_child(here->node, word->text) : NULL;
    if (here->has_domains) return;
    if (!scan->node) return;
    struct inside inside = inside_of(scan, scan->node);
    if (inside.has_domains || scan->node->first_child) opener_add(scan, inside);
}

/* Behind one word a block follows. */
static bool is_named_block(const struct schema_node *node)
{
    bool is_one = node && node->row;
    return is_one && (node->row->type == SCHEMA_LISTEN || node->row->type == SCHEMA_CLOUD ||
                      node->row->type == SCHEMA_LISTED || node->row->type == SCHEMA_WHOM);
}

/* Behind an endpoint or the servers of a domain a block may follow. */
static void value_pass(struct scan *scan)
{
    bool is_of_domain = top(scan)->inside.has_domains || scan->follows.has_domains;
    scan->values++;
    if (is_named_block(scan->node) && scan->values == 1)
        opener_add(scan, inside_of(scan, scan->node));
    else if (is_engine(scan->node) && scan->values == 3)
        opener_add(scan, (struct inside){ scan->loader->tree.roots[SCHEMA_ENGINE], false });
    else if (is_opinion(scan->node) && scan->values == 2)
        opener_add(scan, (struct inside){ scan->loader->tree.roots[SCHEMA_OPINION], false });
    else if (is_of_domain && (scan->values > (scan->follows.has_domains ? 1u : 0u)))
        opener_add(scan, (struct inside){ scan->loader->tree.roots[SCHEMA_DOMAIN], false });
}

static void word_pass(struct scan *scan, const struct token *word)
{
    const struct schema_node *next =
        scan->node && word->kind == TOKEN_WORD ? schema_node_child(scan->node, word->text) : NULL;
    bool wants_block = scan->spare > 0 && scan->values > 0 && scan->opener_count > 0 &&
                       scan->openers[scan->opener_count - 1].inside.node &&
                       (is_named_block(scan->node) || is_engine(scan->node) || is_opinion(scan->node) ||
                        top(scan)->inside.has_domains) &&
                       has_meaning(&scan->openers[scan->opener_count - 1].inside, word);
    if (wants_block && opener_find(scan, word)) {
        statement_begin(scan, word);
        return;
    }
    if (!next) {
        value_pass(scan);
        return;
    }
    scan->node = next;
    scan->follows = inside_of(scan, next);
    if (next->first_child) opener_add(scan, scan->follows);
}

static void word_take(struct scan *scan, const struct token *word)
{
    if (scan->start.kind != TOKEN_BREAK) {
        word_pass(scan, word);
        return;
    }
    for (size_t n = levels_to_end(scan, word); n > 0; n--) level_end(scan, word);
    if (scan->spare > 0 && !is_known(&top(scan)->inside, word) && !opener_find(scan, word))
        closing_find(scan, word);
    statement_begin(scan, word);
}

static bool open_take(struct scan *scan, const struct token *open)
{
    bool is_lost = scan->start.kind == TOKEN_BREAK;
    if (is_lost && scan->missing > 0) {
        edit_add(scan, BRACE_DROP, open, open, scan->has_lost ? TEXT_NONE : TEXT("this { opens nothing"));
        scan->has_lost = true;
        scan->missing--;
        return true;
    }
    bool is_pushed = level_push(scan, is_lost ? (struct inside){ 0 } : scan->follows, open);
    scan->opener_count = 0;
    statement_none(scan);
    return is_pushed;
}

static void close_take(struct scan *scan, const struct token *close)
{
    levels_end_by_column(scan, close);
    statement_none(scan);
    scan->opener_count = 0;
    if (scan->depth > 1) {
        scan->closed = scan->levels[--scan->depth];
        scan->closing = *close;
    } else if (scan->spare > 0) {
        edit_add(scan, BRACE_DROP, close, close, TEXT("a } without its {"));
        scan->spare--;
    }
}

/* False: the file is at its end, or too deep for it to be told. */
static bool token_take(struct scan *scan, const struct token *token)
{
    if (scan->awaits_next) scan->openers[scan->opener_count - 1].next = *token;
    scan->awaits_next = false;
    if (token->kind != TOKEN_OPEN) scan->has_lost = false;
    switch (token->kind) {
    case TOKEN_OPEN:
        return open_take(scan, token);
    case TOKEN_CLOSE:
        close_take(scan, token);
        return true;
    case TOKEN_BREAK:
        statement_none(scan);
        return true;
    case TOKEN_END:
        while (scan->depth > 1 && scan->missing > 0) level_end(scan, token);
        return false;
    default:
        word_take(scan, token);
        return true;
    }
}

/* Opening braces less closing ones. */
static int64_t surplus_count(struct loader *loader, struct text content)
{
    struct lexer lexer;
    int64_t surplus = 0;
    lexer_start(&lexer, content, loader->arena);
    for (struct token token; (token = lexer_next(&lexer)).kind != TOKEN_END;)
        surplus += (token.kind == TOKEN_OPEN) - (token.kind == TOKEN_CLOSE);
    return surplus;
}

static int by_place(const void *a, const void *b)
{
    const struct brace_edit *x = a, *y = b;
    if (x->line != y->line) return x->line < y->line ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

struct brace_edits braces_mend(struct loader *loader, struct text content, unsigned file)
{
    int64_t surplus = surplus_count(loader, content);
    struct scan scan = { .loader = loader, .file = file, .depth = 1 };
    struct lexer lexer;
    if (surplus == 0) return scan.edits;
    scan.missing = surplus > 0 ? (size_t)surplus : 0;
    scan.spare = surplus < 0 ? (size_t)-surplus : 0;
    scan.levels[0].inside.node = loader->tree.roots[SCHEMA_GLOBAL];
    statement_none(&scan);
    lexer_start(&lexer, content, loader->arena);
    for (struct token token = lexer_next(&lexer); token_take(&scan, &token); token = lexer_next(&lexer)) {
    }
    if (scan.edits.count > 1) qsort(scan.edits.items, scan.edits.count, sizeof *scan.edits.items, by_place);
    return scan.edits;
}
