/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What every text that a pattern matches has in it: literals that are looked for before the pattern runs.
   Reads the syntax of PCRE2; what it does not know promises nothing. */
#ifndef SEKIMORI_RULES_RULE_LITERALS_H
#define SEKIMORI_RULES_RULE_LITERALS_H

#include "base/arena.h"

enum { RULE_LITERALS_MOST = 64, RULE_WIDTH_MOST = 10000 };

/* Every match has at least one of them. */
struct rule_literals {
    unsigned count;
    size_t widest; /* bytes that a match has at most; RULE_WIDTH_MOST: that or more */
    size_t before; /* bytes at most from where a match begins to where one of its literals does; likewise */
    struct text items[RULE_LITERALS_MOST];
};

/* Literals of LITERAL_LEAST bytes or more, in the arena; of several such sets that whose shortest is the
   longest, and the second in that, of another place of the pattern. A count of 0: nothing is sure. */
void rule_literals_of(struct arena *arena, struct text pattern, struct rule_literals *out,
                      struct rule_literals *out_second);

#endif
