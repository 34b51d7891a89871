/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a signal means, in Japanese and English: of rules by their own descriptions, of all others by a table.
 */
#ifndef SEKIMORI_CLI_SIGNAL_WORDS_H
#define SEKIMORI_CLI_SIGNAL_WORDS_H

#include "config/settings.h"
#include "rules/ruleset.h"

/* Borrowed from the rules (NULL: none) or static; empty: nobody knows. */
struct text signal_words_find(const struct ruleset *rules, struct text name, enum language language);

/* The name of the table's row of that number; NULL: there are fewer. */
const char *signal_words_name(size_t number);

#endif
