/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Edits, the one place where they are made. What the message gives occasion for is looked up once, when it is
   read; when the verdict stands, each set of kinds that some recipient has becomes one recipe: which bytes of
   the message stay and what is put between them. queue keeps a recipe as it is, deliver follows it. */
#ifndef SEKIMORI_SCAN_RECIPE_H
#define SEKIMORI_SCAN_RECIPE_H

#include "judge/evidence.h"
#include "mail/header.h"
#include "scan/recipe_order.h"
#include "spam/score.h"

/* Where edits are looked for. `header` was parsed from `message`. */
struct recipe_source {
    struct arena *arena;
    const struct config *config;
    enum direction direction;
    struct text message;
    struct text declared; /* the charset of its text; empty: none is declared */
    const struct header *header;
    bool may_warn; /* some recipient's Subject may get the warning of `virus` */
};

/* Fills edits and edit_count of `out`, from the arena. Kinds of which there are more than there is room for
   are left out, and where that is suspicious the score says so. */
void recipe_look(const struct recipe_source *source, struct score *score, struct facts *out);

/* What edits are composed of. Of `verdict` score and signals are read. */
struct recipe_basis {
    struct arena *arena;
    const struct config *config;
    const struct occasion *occasion;
    const struct facts *facts;
    struct text results; /* authenticate_fields */
    const struct verdict *verdict;
};

/* Fills recipes and recipe_count of `out` from the arena, and each recipient's recipe; `orders` has one for
   each recipient of `out`. The first recipient's recipe is the first. Where there would be more recipes than
   RECIPES_MOST, some tell another recipient's points; the kinds are right. */
void recipe_write(const struct recipe_basis *basis, const struct recipe_order *orders, struct verdict *out);

#endif
