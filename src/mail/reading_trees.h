/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The stages that follow the structure: the leaves of the tree, of the trees of other choices, and all of
   them decoded otherwise. */
#ifndef SEKIMORI_MAIL_READING_TREES_H
#define SEKIMORI_MAIL_READING_TREES_H

#include "mail/reading_list.h"

/* Each function hands out the next reading of its stage. False: there is none, or first comes what lies
   inside (list->inner is set) and the stage goes on behind it. */
bool reading_trees_parts(struct reading_list *list, struct reading *out);
bool reading_trees_others(struct reading_list *list, struct reading *out);
bool reading_trees_methods(struct reading_list *list, struct reading *out);

/* Behind STAGE_PARTS: the leaves of the first tree are no news to the stages that follow. */
void reading_trees_remember(struct reading_list *list);

/* A variant of another method is due where that one met what it is for. */
bool reading_trees_variant_is_due(const struct finding_set *found, enum reading_method method);

#endif
