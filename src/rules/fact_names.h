/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Names of the facts that rules may ask for, as src/spam/message_facts.c finds them: a test compares both. */
#ifndef SEKIMORI_RULES_FACT_NAMES_H
#define SEKIMORI_RULES_FACT_NAMES_H

#include "base/text.h"

/* There is a fact of that name, with a value (file=exe) or without. False: *out_meant is the nearest that
   there is, or empty. */
bool fact_names_check(struct text name, bool has_value, struct text *out_meant);

/* A fact and what it says of a message; of one with a value what the value says. */
struct fact_name {
    const char *name, *en, *ja;
};

/* Those with or without a value, from position 0, in the order of their names; NULL behind the last. */
const struct fact_name *fact_names_at(unsigned position, bool has_value);

#endif
