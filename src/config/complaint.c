/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The messages of the parser. */
#include "config/complaint.h"

#include "config/nearest.h"

/* At most `bytes` of a text in UTF-8, no character cut. */
static struct text head_of(struct text text, size_t bytes)
{
    if (bytes >= text.length) return text;
    while (bytes > 0 && (text.at[bytes] & 0xC0) == 0x80) bytes--;
    return text_slice(text, 0, bytes);
}

/* The words that lead to a node, for messages. */
static void node_print(const struct schema_node *node, struct buffer *out)
{
    if (!node->parent) return;
    if (node->parent->parent) {
        node_print(node->parent, out);
        buffer_add_char(out, ' ');
    }
    buffer_add_text(out, node->word);
}

/* What the token looks like in a message: `"word"`, `{`, `the end of the line`. */
static void token_print(const struct token *token, struct buffer *out)
{
    if (token->kind == TOKEN_END)
        buffer_printf(out, "the end of the file");
    else if (token->kind == TOKEN_BREAK)
        buffer_printf(out, "the end of the statement");
    else if (token->text.length > 60)
        buffer_printf(out, "\"%.*s...\"", TEXT_ARG(head_of(token->text, 57)));
    else
        buffer_printf(out, "\"%.*s\"", TEXT_ARG(token->text));
}

static void children_print(const struct schema_node *node, struct buffer *out)
{
    for (const struct schema_node *child = node->first_child; child; child = child->next) {
        if (buffer_length(out) > 0) buffer_printf(out, ", ");
        buffer_add_text(out, child->word);
    }
}

/* The nearest among a node's words and the choices of its value. */
static struct text hint_find(const struct schema_node *node, bool with_value, struct text wrong)
{
    struct text best = TEXT_NONE;
    size_t distance = SIZE_MAX;
    for (const struct schema_node *child = node->first_child; child; child = child->next) {
        if (text_equal(wrong, child->word)) return TEXT_NONE; /* the right word, in quotes */
        nearest_offer(wrong, child->word, &best, &distance);
    }
    if (!with_value || !node->row) return best;
    for (const struct schema_choice *choice = node->row->choices; choice && choice->word; choice++)
        nearest_offer(wrong, text_of(choice->word), &best, &distance);
    if (node->row->none) nearest_offer(wrong, text_of(node->row->none), &best, &distance);
    if (node->row->type == SCHEMA_SWITCH) {
        nearest_offer(wrong, TEXT("on"), &best, &distance);
        nearest_offer(wrong, TEXT("off"), &best, &distance);
    }
    return best;
}

static bool is_word(const struct token *token)
{
    return token->kind == TOKEN_WORD || token->kind == TOKEN_QUOTED;
}

void complaint_unknown(struct loader *loader, struct place place, const struct token *token,
                       const struct schema_node *node)
{
    struct buffer message = { 0 }, allowed = { 0 };
    if (token->kind == TOKEN_WRONG) return;
    buffer_printf(&message, token->kind == TOKEN_WORD ? "unknown word " : "unexpected ");
    token_print(token, &message);
    if (node->parent) {
        buffer_printf(&message, " after ");
        node_print(node, &message);
    }
    children_print(node, &allowed);
    if (buffer_length(&allowed) == 0) buffer_printf(&allowed, "the end of the statement");
    struct text hint = is_word(token) ? hint_find(node, false, token->text) : TEXT_NONE;
    loader_complain_fully(loader, place, buffer_text(&message), buffer_text(&allowed), hint);
    buffer_free(&message);
    buffer_free(&allowed);
}

void complaint_value(struct loader *loader, struct place place, const struct token *token,
                     const struct schema_node *node, const char *why)
{
    struct buffer message = { 0 }, allowed = { 0 };
    if (token->kind == TOKEN_WRONG) return;
    if (!is_word(token)) buffer_printf(&message, "a value is missing before ");
    token_print(token, &message);
    buffer_printf(&message, is_word(token) ? " %s: " : ": ", why);
    node_print(node, &message);
    if (node->row) schema_allowed(node->row, &allowed);
    children_print(node, &allowed);
    struct text hint = is_word(token) ? hint_find(node, true, token->text) : TEXT_NONE;
    loader_complain_fully(loader, place, buffer_text(&message), buffer_text(&allowed), hint);
    buffer_free(&message);
    buffer_free(&allowed);
}

void complaint_token(struct loader *loader, struct place place, const struct token *token, const char *why,
                     const char *allowed)
{
    struct buffer message = { 0 };
    if (token->kind == TOKEN_WRONG) return;
    token_print(token, &message);
    buffer_printf(&message, " %s", why);
    loader_complain_fully(loader, place, buffer_text(&message), text_of(allowed), TEXT_NONE);
    buffer_free(&message);
}
