/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Names of the facts that rules may ask for, as src/spam/message_facts.c finds them: a test compares both. */
#ifndef SEKIMORI_RULES_FACT_NAMES_H
#define SEKIMORI_RULES_FACT_NAMES_H

#include "base/text.h"

/* There is a fact of that name, with a value (file=exe) or without. False: *out_meant is the nearest that
   there is, or empty. */
bool fact_names_check(struct text name, bool has_value, struct text *out_meant);

/* The name at a position from 0; NULL behind the last. */
const char *fact_names_at(unsigned position);

#endif
