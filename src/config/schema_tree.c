/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Builds the tree from the rows; about 150 nodes. */
#include "config/schema_tree.h"

#include "base/die.h"

struct schema_node *schema_node_child(const struct schema_node *node, struct text word)
{
    for (struct schema_node *child = node->first_child; child; child = child->next)
        if (text_equal(child->word, word)) return child;
    return NULL;
}

/* Children keep the order of the rows. */
static struct schema_node *child_add(struct schema_node *parent, struct text word, struct arena *arena)
{
    struct schema_node *child = arena_alloc(arena, sizeof *child), **end = &parent->first_child;
    child->word = word;
    child->parent = parent;
    while (*end) end = &(*end)->next;
    return *end = child;
}

void schema_tree_build(struct schema_tree *tree, struct arena *arena)
{
    for (size_t i = 0; i < SCHEMA_SCOPES; i++) tree->roots[i] = arena_alloc(arena, sizeof **tree->roots);
    for (size_t i = 0; i < schema_row_count; i++) {
        struct schema_node *node = tree->roots[schema_rows[i].scope];
        struct text rest = text_of(schema_rows[i].words), word;
        while (text_next_word(&rest, &word)) {
            struct schema_node *child = schema_node_child(node, word);
            node = child ? child : child_add(node, word, arena);
        }
        node->row = &schema_rows[i];
    }
}

const struct schema_row *schema_row_of(enum schema_scope scope, const char *words)
{
    for (const struct schema_row *row = schema_rows; row < schema_rows + schema_row_count; row++)
        if (row->scope == scope && strcmp(row->words, words) == 0) return row;
    bug("no setting %s", words);
}
