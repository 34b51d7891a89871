/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The words of the schema as a tree: what the parser walks along a statement. */
#ifndef SEKIMORI_CONFIG_SCHEMA_TREE_H
#define SEKIMORI_CONFIG_SCHEMA_TREE_H

#include "base/arena.h"
#include "config/schema.h"

struct schema_node {
    struct text word;
    const struct schema_row *row; /* the setting that these words name, or NULL when they only lead on */
    struct schema_node *parent, *first_child, *next;
};

struct schema_tree {
    struct schema_node *roots[SCHEMA_SCOPES];
};

/* Nodes live in the arena; their words are the schema's. */
void schema_tree_build(struct schema_tree *tree, struct arena *arena);

/* NULL when `word` leads nowhere from `node`. */
struct schema_node *schema_node_child(const struct schema_node *node, struct text word);

#endif
