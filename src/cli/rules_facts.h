/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* sekimori rules facts: what a rule may ask for behind `fact` and `signal`. */
#ifndef SEKIMORI_CLI_RULES_FACTS_H
#define SEKIMORI_CLI_RULES_FACTS_H

#include <stdbool.h>

#include "config/settings.h"

/* Prints each fact, those of its values that are words of ours, and each signal, with what it says. */
void rules_facts_print(enum language language, bool is_json);

#endif
