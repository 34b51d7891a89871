/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Turns of phrase, in families: each family that is met is a fact. */
#ifndef SEKIMORI_SPAM_PHRASES_H
#define SEKIMORI_SPAM_PHRASES_H

#include "spam/feature_set.h"

/* Both folded. What stands in the Subject is a fact of its own beside that. */
void phrases_add(struct features *features, struct text subject, struct text visible);

/* A family's name by its position from 0, as rules have it (fact phrase=NAME); NULL behind the last. */
const char *phrases_family_at(unsigned position);

#endif
