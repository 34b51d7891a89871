/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Statements to settings. A statement is a walk down the schema's words with a value at the end; a block
   continues the words before it, so `limits { message 25M }` and `limits message 25M` are the same.
   Every error is reported and its statement skipped; parsing goes on with the next. */
#include <inttypes.h>
#include <stdlib.h>

#include "config/braces.h"
#include "config/complaint.h"
#include "config/encoding.h"
#include "config/engines.h"
#include "config/list_setting.h"
#include "config/nearest.h"
#include "config/value.h"

/* The struct that the rows of a scope are about. */
struct scope {
    enum schema_scope kind;
    size_t index;
};

struct parser {
    struct loader *loader;
    struct lexer lexer;
    struct token token; /* the next one, not taken yet */
    struct token after; /* what the lexer cut before a brace was put in; `has_after` */
    bool has_after;
    bool breaks_next; /* a closing brace was put in: a statement ends behind it */
    struct brace_edits braces;
    size_t brace; /* the next of them */
    unsigned file;
    struct scope scope; /* of the innermost block */
    unsigned depth;
    size_t words; /* of this statement */
    bool is_over; /* a limit of the whole file was passed */
};

static void block_parse(struct parser *parser, const struct schema_node *node, struct scope scope);

static struct place place_of(const struct parser *parser, const struct token *token)
{
    return braces_place(token->line, token->column, parser->file);
}

/* Nothing more is read from this file. */
static void give_up(struct parser *parser, const char *why, size_t most)
{
    if (!parser->is_over)
        loader_complain(parser->loader, SEVERITY_ERROR, place_of(parser, &parser->token),
                        "%s (%zu are allowed)", why, most);
    parser->is_over = true;
    parser->token.kind = TOKEN_END;
}

static void alien_complain(struct parser *parser)
{
    struct token place = { .line = parser->token.line, .column = parser->token.alien_column };
    struct buffer message = { 0 };
    if (parser->token.alien.character.length == 0) return;
    lookalike_print(&parser->token.alien, &message);
    loader_complain(parser->loader, SEVERITY_ERROR, place_of(parser, &place), "%.*s",
                    TEXT_ARG(buffer_text(&message)));
    buffer_free(&message);
}

/* The edit that is due at the token; NULL: none. */
static const struct brace_edit *brace_due(const struct parser *parser, const struct token *token)
{
    if (parser->brace == parser->braces.count) return NULL;
    const struct brace_edit *edit = &parser->braces.items[parser->brace];
    return edit->line == token->line && edit->column == token->column ? edit : NULL;
}

/* The next token of the file, its braces mended. */
static struct token token_next(struct parser *parser)
{
    struct token token = parser->has_after ? parser->after : lexer_next(&parser->lexer);
    parser->has_after = parser->breaks_next;
    if (parser->breaks_next) {
        parser->breaks_next = false;
        return (struct token){ .kind = TOKEN_BREAK, .line = token.line, .column = token.column };
    }
    for (const struct brace_edit *edit; (edit = brace_due(parser, &token));) {
        parser->brace++;
        if (edit->message.length > 0)
            loader_complain(parser->loader, SEVERITY_ERROR, edit->blame, "%.*s", TEXT_ARG(edit->message));
        if (edit->change == BRACE_DROP) {
            token = lexer_next(&parser->lexer);
            continue;
        }
        parser->after = token;
        parser->has_after = true;
        parser->breaks_next = edit->change == BRACE_CLOSE;
        return (struct token){ .kind = edit->change == BRACE_OPEN ? TOKEN_OPEN : TOKEN_CLOSE,
                               .text = edit->change == BRACE_OPEN ? TEXT("{") : TEXT("}"),
                               .line = token.line,
                               .column = token.column };
    }
    return token;
}

static void advance(struct parser *parser)
{
    if (parser->is_over) return;
    parser->token = token_next(parser);
    alien_complain(parser);
    if (parser->token.kind == TOKEN_WRONG)
        loader_complain(parser->loader, SEVERITY_ERROR, place_of(parser, &parser->token), "%.*s",
                        TEXT_ARG(parser->token.text));
    if (++parser->words > CONFIG_WORDS_MOST)
        give_up(parser, "a statement has too many words", CONFIG_WORDS_MOST);
}

/* To the end of the statement, over any block that belongs to it. Leaves a closing brace of an outer block.
 */
static void statement_skip(struct parser *parser)
{
    size_t open = 0;
    *source_spoiled(parser->loader->sources, parser->scope.kind, parser->scope.index) = true;
    for (;; advance(parser)) {
        enum token_kind kind = parser->token.kind;
        if (kind == TOKEN_END || (open == 0 && (kind == TOKEN_BREAK || kind == TOKEN_CLOSE))) return;
        if (kind == TOKEN_OPEN && ++open + parser->depth > CONFIG_NESTING_MOST)
            give_up(parser, "blocks are nested too deep", CONFIG_NESTING_MOST);
        if (kind == TOKEN_CLOSE) open--;
        if (kind == TOKEN_BREAK) parser->words = 0;
    }
}

static bool is_word(const struct token *token)
{
    return token->kind == TOKEN_WORD || token->kind == TOKEN_QUOTED;
}

static void complain_unknown(struct parser *parser, const struct schema_node *node)
{
    complaint_unknown(parser->loader, place_of(parser, &parser->token), &parser->token, node);
}

static void complain_value(struct parser *parser, const struct schema_node *node, const char *why)
{
    complaint_value(parser->loader, place_of(parser, &parser->token), &parser->token, node, why);
}

static void complain_token(struct parser *parser, const char *why, const char *allowed)
{
    complaint_token(parser->loader, place_of(parser, &parser->token), &parser->token, why, allowed);
}

static void *scope_base(const struct loader *loader, struct scope scope)
{
    if (scope.kind == SCHEMA_LISTENER) return &loader->config->listeners[scope.index];
    if (scope.kind == SCHEMA_HOSTED) return &loader->config->hosted[scope.index];
    if (scope.kind == SCHEMA_ENGINE) return &loader->config->engines[scope.index];
    if (scope.kind == SCHEMA_LIST) return &loader->config->lists[scope.index];
    if (scope.kind == SCHEMA_WISH) return &loader->config->wishes[scope.index];
    if (scope.kind == SCHEMA_OPINION) return &loader->config->opinions[scope.index];
    if (scope.kind == SCHEMA_DOMAIN) return &loader->domains[scope.index];
    return loader->config;
}

/* Takes one word as (part of) the node's value. */
static bool value_take(struct parser *parser, const struct schema_node *node, struct scope scope,
                       bool is_first)
{
    struct loader *loader = parser->loader;
    const struct schema_row *row = node->row;
    struct place *slot = source_slot(loader->sources, row, scope.index);
    char *base = scope_base(loader, scope);
    bool grows = value_is_list(row) && row->type != SCHEMA_COMMAND;
    if (slot->line > 0 && is_first && !grows) {
        struct text file = loader->sources->files[slot->file];
        loader_complain(loader, SEVERITY_ERROR, place_of(parser, &parser->token),
                        "%s is said twice, first at %.*s:%" PRIu32 "; it stands once", row->words,
                        TEXT_ARG(file), slot->line);
        return false;
    }
    const char *why = value_parse(row, base, &parser->token, loader->folder, loader->arena);
    if (why) {
        complain_value(parser, node, why);
        return false;
    }
    if (slot->line == 0) *slot = place_of(parser, &parser->token);
    if (row->flag) *(bool *)(base + row->flag - 1) = true;
    advance(parser);
    return true;
}

/* After a block or a whole statement nothing more stands on its line. */
static void statement_end(struct parser *parser)
{
    enum token_kind kind = parser->token.kind;
    if (kind == TOKEN_BREAK || kind == TOKEN_CLOSE || kind == TOKEN_END) return;
    complain_token(parser, "where the statement should end", "a new line, ; or }");
    statement_skip(parser);
}

/* Takes the opening brace, which is the next token. False when blocks are nested too deep. */
static bool block_enter(struct parser *parser)
{
    if (parser->depth == CONFIG_NESTING_MOST) {
        give_up(parser, "blocks are nested too deep", CONFIG_NESTING_MOST);
        return false;
    }
    parser->depth++;
    advance(parser);
    return true;
}

static void block_leave(struct parser *parser, const struct token *opening)
{
    parser->depth--;
    if (parser->token.kind == TOKEN_CLOSE) {
        advance(parser);
        statement_end(parser);
    } else if (!parser->is_over) {
        loader_complain(parser->loader, SEVERITY_ERROR, place_of(parser, opening), "this block has no }");
    }
}

static void block_of(struct parser *parser, const struct schema_node *node, struct scope scope)
{
    struct token opening = parser->token;
    struct scope outer = parser->scope;
    if (!block_enter(parser)) return;
    parser->scope = scope;
    block_parse(parser, node, scope);
    parser->scope = outer;
    block_leave(parser, &opening);
}

/* listen ADDRESS:PORT { … } */
static void listen_parse(struct parser *parser, const struct schema_node *node)
{
    struct loader *loader = parser->loader;
    struct config *config = loader->config;
    struct listener listener = loader->listener_fallback;
    if (!is_word(&parser->token) || !value_endpoint_parse(parser->token.text, 0, &listener.endpoint)) {
        complain_value(parser, node, "is not an address and port");
        statement_skip(parser);
        return;
    }
    if (config->listener_count == CONFIG_LISTENERS_MOST) {
        give_up(parser, "there are too many listen statements", CONFIG_LISTENERS_MOST);
        return;
    }
    config->listeners =
        value_list_grow(loader->arena, config->listeners, config->listener_count, sizeof listener);
    config->listeners[config->listener_count] = listener;
    sources_item_add(loader->sources, SCHEMA_LISTENER, place_of(parser, &parser->token));
    struct scope scope = { SCHEMA_LISTENER, config->listener_count++ };
    advance(parser);
    if (parser->token.kind == TOKEN_OPEN)
        block_of(parser, loader->tree.roots[SCHEMA_LISTENER], scope);
    else
        statement_end(parser);
}

/* hosted NAME { … } */
static void hosted_parse(struct parser *parser, const struct schema_node *node)
{
    struct loader *loader = parser->loader;
    struct config *config = loader->config;
    struct hosted hosted = loader->hosted_fallback;
    if (!is_word(&parser->token) || !value_is_host_name(parser->token.text)) {
        complain_value(parser, node, "is not a name of letters, digits and hyphens");
        statement_skip(parser);
        return;
    }
    if (config->hosted_count == CONFIG_HOSTED_MOST) {
        give_up(parser, "there are too many hosted statements", CONFIG_HOSTED_MOST);
        return;
    }
    hosted.name = arena_text(loader->arena, parser->token.text);
    config->hosted = value_list_grow(loader->arena, config->hosted, config->hosted_count, sizeof hosted);
    config->hosted[config->hosted_count] = hosted;
    sources_item_add(loader->sources, SCHEMA_HOSTED, place_of(parser, &parser->token));
    struct scope scope = { SCHEMA_HOSTED, config->hosted_count++ };
    advance(parser);
    if (parser->token.kind == TOKEN_OPEN)
        block_of(parser, loader->tree.roots[SCHEMA_HOSTED], scope);
    else
        statement_end(parser);
}

/* list NAME { … } */
static void list_parse(struct parser *parser, const struct schema_node *node)
{
    struct loader *loader = parser->loader;
    struct config *config = loader->config;
    struct list_setting list = loader->list_fallback;
    if (!is_word(&parser->token) || !list_setting_is_name(parser->token.text)) {
        complain_value(parser, node, "is not a name of letters, digits and hyphens, 40 at most");
        statement_skip(parser);
        return;
    }
    if (config->list_count == CONFIG_LISTS_MOST) {
        give_up(parser, "there are too many list statements", CONFIG_LISTS_MOST);
        return;
    }
    list.name = arena_text_lower(loader->arena, parser->token.text);
    config->lists = value_list_grow(loader->arena, config->lists, config->list_count, sizeof list);
    config->lists[config->list_count] = list;
    sources_item_add(loader->sources, SCHEMA_LIST, place_of(parser, &parser->token));
    struct scope scope = { SCHEMA_LIST, config->list_count++ };
    advance(parser);
    if (parser->token.kind == TOKEN_OPEN)
        block_of(parser, loader->tree.roots[SCHEMA_LIST], scope);
    else
        statement_end(parser);
}

/* recipient ADDRESS { … } */
static void wish_parse(struct parser *parser, const struct schema_node *node)
{
    struct loader *loader = parser->loader;
    struct config *config = loader->config;
    struct recipient_wish wish = loader->wish_fallback;
    if (!is_word(&parser->token) || !value_is_mailbox(parser->token.text)) {
        complain_value(parser, node, "is not a mail address");
        statement_skip(parser);
        return;
    }
    if (config->wish_count == CONFIG_WISHES_MOST) {
        give_up(parser, "there are too many recipient statements", CONFIG_WISHES_MOST);
        return;
    }
    wish.address = arena_text_lower(loader->arena, parser->token.text);
    config->wishes = value_list_grow(loader->arena, config->wishes, config->wish_count, sizeof wish);
    config->wishes[config->wish_count] = wish;
    sources_item_add(loader->sources, SCHEMA_WISH, place_of(parser, &parser->token));
    struct scope scope = { SCHEMA_WISH, config->wish_count++ };
    advance(parser);
    if (parser->token.kind == TOKEN_OPEN)
        block_of(parser, loader->tree.roots[SCHEMA_WISH], scope);
    else
        statement_end(parser);
}

/* No kind stands behind the name: it may be a word that was mistyped. */
static void engine_kind_complain(struct parser *parser, const struct schema_node *node,
                                 const struct token *name)
{
    struct text meant = TEXT_NONE;
    size_t distance = SIZE_MAX;
    for (const struct schema_node *child = node->first_child; child; child = child->next)
        nearest_offer(name->text, child->word, &meant, &distance);
    if (meant.length > 0)
        complaint_unknown(parser->loader, place_of(parser, name), name, node);
    else
        engines_kind_complain(parser->loader, place_of(parser, &parser->token), &parser->token, false);
    statement_skip(parser);
}

/* Where such an engine is: the last word before the block. False: it is none, and the statement was passed
   over. */
static bool engine_target_parse(struct parser *parser, struct outside_engine *out)
{
    bool is_good =
        is_word(&parser->token) && engines_target_parse(parser->token.text, out, parser->loader->arena);
    if (is_good) return true;
    complain_token(
        parser, is_word(&parser->token) ? "is not where such an engine is" : "where its place should stand",
        engines_target_allowed(out->kind));
    statement_skip(parser);
    return false;
}

/* The words before the block; false: one is wrong, and the statement was passed over. */
static bool engine_words_parse(struct parser *parser, const struct schema_node *node,
                               struct outside_engine *out)
{
    struct token name = parser->token;
    if (!value_is_host_name(name.text)) {
        complain_value(parser, node, "is not a name of letters, digits and hyphens");
        statement_skip(parser);
        return false;
    }
    out->name = arena_text(parser->loader->arena, name.text);
    advance(parser);
    if (!is_word(&parser->token) || !engines_kind_parse(parser->token.text, false, &out->kind)) {
        engine_kind_complain(parser, node, &name);
        return false;
    }
    advance(parser);
    return engine_target_parse(parser, out);
}

/* virus engine NAME KIND TARGET { … }; the name is the next token. */
static void engine_parse(struct parser *parser, const struct schema_node *node)
{
    struct loader *loader = parser->loader;
    struct config *config = loader->config;
    struct outside_engine engine = loader->engine_fallback;
    struct place place = place_of(parser, &parser->token);
    if (!engine_words_parse(parser, node, &engine)) return;
    if (config->engine_count == CONFIG_ENGINES_MOST) {
        give_up(parser, "there are too many engines", CONFIG_ENGINES_MOST);
        return;
    }
    config->engines = value_list_grow(loader->arena, config->engines, config->engine_count, sizeof engine);
    config->engines[config->engine_count] = engine;
    sources_item_add(loader->sources, SCHEMA_ENGINE, place);
    struct scope scope = { SCHEMA_ENGINE, config->engine_count++ };
    advance(parser);
    if (parser->token.kind == TOKEN_OPEN)
        block_of(parser, loader->tree.roots[SCHEMA_ENGINE], scope);
    else
        statement_end(parser);
    engines_finish(&config->engines[scope.index], loader->arena);
}

/* spam opinion KIND TARGET { … }; the kind is the next token. */
static void opinion_parse(struct parser *parser, const struct schema_node *node)
{
    struct loader *loader = parser->loader;
    struct config *config = loader->config;
    struct outside_engine opinion = loader->opinion_fallback;
    struct place place = place_of(parser, &parser->token);
    if (!is_word(&parser->token) || !engines_kind_parse(parser->token.text, true, &opinion.kind)) {
        engines_kind_complain(loader, place, &parser->token, true);
        statement_skip(parser);
        return;
    }
    opinion.name = arena_text(loader->arena, parser->token.text);
    advance(parser);
    if (!engine_target_parse(parser, &opinion)) return;
    if (config->opinion_count == CONFIG_OPINIONS_MOST) {
        give_up(parser, "there are too many second opinions", CONFIG_OPINIONS_MOST);
        return;
    }
    config->opinions =
        value_list_grow(loader->arena, config->opinions, config->opinion_count, sizeof opinion);
    config->opinions[config->opinion_count] = opinion;
    sources_item_add(loader->sources, SCHEMA_OPINION, place);
    struct scope scope = { SCHEMA_OPINION, config->opinion_count++ };
    advance(parser);
    if (parser->token.kind == TOKEN_OPEN)
        block_of(parser, loader->tree.roots[SCHEMA_OPINION], scope);
    else
        statement_end(parser);
}

static const char TARGETS_ALLOWED[] =
    "an address or host name, with :PORT where it is not the usual one, or mx; options stand in braces";

/* 10.1.0.25, 10.1.0.25:2525, [2001:db8::1]:25, mail.example.jp, mail.example.jp:2525, mx. The port stays 0
   where none is said. */
static bool target_parse(const struct parser *parser, struct target *out)
{
    struct text word = parser->token.text;
    size_t colon = text_find_char(word, ':');
    uint64_t port = 0;
    *out = (struct target){ 0 };
    if (text_equal(word, TEXT("mx"))) return out->use_mx = true;
    if (value_endpoint_parse(word, UINT16_MAX, &out->endpoint)) {
        struct endpoint other;
        if (!value_endpoint_parse(word, 0, &other)) out->endpoint.port = 0;
        return out->is_address = true;
    }
    if (colon < word.length && !text_to_number(text_slice(word, colon + 1, word.length), 65535, &port))
        return false;
    if ((colon < word.length && port == 0) || !value_is_host_name(text_slice(word, 0, colon))) return false;
    out->host = arena_text(parser->loader->arena, text_slice(word, 0, colon));
    out->endpoint.port = (uint16_t)port;
    return true;
}

/* "example.jp", ".example.jp" or "*". */
static const char *domain_name_complaint(const struct parser *parser)
{
    struct text word = parser->token.text;
    const struct schema_node *options = parser->loader->tree.roots[SCHEMA_DOMAIN];
    if (text_equal(word, TEXT("*"))) return NULL;
    if (schema_node_child(options, word))
        return "is an option of one domain; it stands in braces behind its servers";
    if (!text_is_ascii(word)) return "is not in ASCII; write the xn-- form of the domain";
    if (text_starts(word, TEXT("."))) word = text_slice(word, 1, word.length);
    return value_is_host_name(word) ? NULL : "is not a domain, .parent or *";
}

static struct domain *domain_add(struct parser *parser)
{
    struct loader *loader = parser->loader;
    if (loader->domain_count == loader->domain_capacity) {
        loader->domain_capacity = loader->domain_capacity ? loader->domain_capacity * 2 : 16;
        loader->domains = memory_grow(loader->domains, loader->domain_capacity * sizeof *loader->domains);
    }
    struct domain *domain = &loader->domains[loader->domain_count++];
    *domain = loader->domain_fallback;
    domain->name = arena_text_lower(loader->arena, parser->token.text);
    sources_item_add(loader->sources, SCHEMA_DOMAIN, place_of(parser, &parser->token));
    return domain;
}

enum { TARGETS_MOST = 64 };

/* False when one is wrong; that one is the next token then. */
static bool targets_parse(struct parser *parser, struct domain *domain)
{
    struct target targets[TARGETS_MOST];
    size_t count = 0;
    for (; is_word(&parser->token); advance(parser), count++) {
        bool has_room = count < TARGETS_MOST;
        if (!has_room || !target_parse(parser, &targets[count])) {
            complain_token(parser, has_room ? "is not a server" : "is one server too many (64 are allowed)",
                           TARGETS_ALLOWED);
            return false;
        }
    }
    domain->targets = arena_alloc_array(parser->loader->arena, count, sizeof *targets);
    if (count > 0) memcpy(domain->targets, targets, count * sizeof *targets);
    domain->target_count = count;
    if (count == 0) complain_token(parser, "where the servers of the domain should stand", TARGETS_ALLOWED);
    return count > 0;
}

/* NAME TARGET… { … } */
static void domain_parse(struct parser *parser)
{
    struct loader *loader = parser->loader;
    const char *why = is_word(&parser->token) ? domain_name_complaint(parser) : "where a domain should stand";
    if (why) {
        complain_token(parser, why, "");
        statement_skip(parser);
        return;
    }
    struct domain *domain = domain_add(parser);
    struct scope scope = { SCHEMA_DOMAIN, loader->domain_count - 1 };
    advance(parser);
    if (!targets_parse(parser, domain))
        statement_skip(parser);
    else if (parser->token.kind == TOKEN_OPEN)
        block_of(parser, loader->tree.roots[SCHEMA_DOMAIN], scope);
    else
        statement_end(parser);
}

/* True when a statement begins at the next token; counts it. */
static bool statement_begins(struct parser *parser)
{
    parser->words = 0;
    while (parser->token.kind == TOKEN_BREAK) {
        advance(parser);
        parser->words = 0;
    }
    if (parser->token.kind == TOKEN_END || parser->token.kind == TOKEN_CLOSE) return false;
    if (++parser->loader->statements > CONFIG_STATEMENTS_MOST) {
        give_up(parser, "there are too many statements", CONFIG_STATEMENTS_MOST);
        return false;
    }
    return true;
}

/* domains { … } */
static void domains_parse(struct parser *parser, const struct schema_node *node)
{
    struct token opening = parser->token;
    if (is_word(&opening)) {
        domain_parse(parser);
    } else if (opening.kind != TOKEN_OPEN) {
        complain_value(parser, node, "");
        statement_skip(parser);
    } else if (block_enter(parser)) {
        while (statement_begins(parser)) domain_parse(parser);
        block_leave(parser, &opening);
    }
}

/* Where a word leads: a child of the node, or, once the node has its value, of the words before it in this
   statement (`tag above 6.8 subject "[SPAM] "`). */
static const struct schema_node *node_follow(const struct schema_node *node, const struct schema_node *start,
                                             bool is_valued, const struct token *token)
{
    if (token->kind != TOKEN_WORD) return NULL;
    const struct schema_node *child = schema_node_child(node, token->text);
    for (node = node->parent; !child && is_valued && node && node != start; node = node->parent)
        child = schema_node_child(node, token->text);
    return child;
}

static void statement_parse(struct parser *parser, const struct schema_node *start, struct scope scope)
{
    const struct schema_node *node = start;
    bool is_valued = false;
    for (;;) {
        const struct token *token = &parser->token;
        const struct schema_node *next = node_follow(node, start, is_valued, token);
        if (next) {
            node = next;
            is_valued = false;
            advance(parser);
            if (node->row && node->row->type == SCHEMA_LISTEN) return listen_parse(parser, node);
            if (node->row && node->row->type == SCHEMA_CLOUD) return hosted_parse(parser, node);
            if (node->row && node->row->type == SCHEMA_LISTED) return list_parse(parser, node);
            if (node->row && node->row->type == SCHEMA_WHOM) return wish_parse(parser, node);
            if (node->row && node->row->type == SCHEMA_OPINIONS) return opinion_parse(parser, node);
            if (node->row && node->row->type == SCHEMA_DOMAINS) return domains_parse(parser, node);
        } else if (is_word(token) && node != start && node->row && node->row->type == SCHEMA_ENGINES) {
            return engine_parse(parser, node);
        } else if (is_word(token) && node != start && node->row && (!is_valued || value_is_list(node->row))) {
            if (!value_take(parser, node, scope, !is_valued)) return statement_skip(parser);
            is_valued = true;
        } else if (is_word(token)) {
            complain_unknown(parser, node);
            return statement_skip(parser);
        } else if (token->kind == TOKEN_OPEN && node != start && node->first_child) {
            return block_of(parser, node, scope);
        } else if (token->kind == TOKEN_OPEN || token->kind == TOKEN_WRONG) {
            bool is_wanting = node != start && node->row && !is_valued;
            if (is_wanting)
                complain_value(parser, node, "");
            else if (token->kind == TOKEN_OPEN)
                complain_unknown(parser, node);
            return statement_skip(parser);
        } else {
            if (is_valued) return;
            complain_value(parser, node, "");
            return statement_skip(parser);
        }
    }
}

static void block_parse(struct parser *parser, const struct schema_node *node, struct scope scope)
{
    while (statement_begins(parser)) statement_parse(parser, node, scope);
}

/* False: the file is no text of ours, and nothing that is said of its words would help. */
static bool encoding_check(struct loader *loader, struct text content, unsigned file)
{
    size_t offset;
    const struct encoding *encoding = encoding_guess(content, &offset);
    uint32_t line = 1, column = 1;
    if (!encoding) return true;
    for (size_t i = 0; i < offset; i++) {
        column = content.at[i] == '\n' ? 1 : column + 1;
        line += content.at[i] == '\n';
    }
    loader_complain(loader, SEVERITY_ERROR, braces_place(line, column, file),
                    "the file is not UTF-8; it looks like %s: iconv -f %s -t UTF-8 converts it",
                    encoding->name, encoding->iconv);
    loader->sources->is_spoiled = true;
    return false;
}

void parse_file(struct loader *loader, struct text content, struct text name)
{
    struct parser parser = { .loader = loader, .file = (unsigned)loader->sources->file_count };
    sources_file_add(loader->sources, name, content);
    if (!encoding_check(loader, content, parser.file)) return;
    parser.braces = braces_mend(loader, content, parser.file);
    lexer_start(&parser.lexer, content, loader->arena);
    advance(&parser);
    for (;;) {
        block_parse(&parser, loader->tree.roots[SCHEMA_GLOBAL], (struct scope){ SCHEMA_GLOBAL, 0 });
        if (parser.token.kind != TOKEN_CLOSE) return;
        loader_complain(loader, SEVERITY_ERROR, place_of(&parser, &parser.token), "a } without its {");
        advance(&parser);
    }
}
