/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Before something that cannot be undone: a question on the terminal, or --yes where there is none. */
#ifndef SEKIMORI_CLI_CONFIRM_H
#define SEKIMORI_CLI_CONFIRM_H

#include <stdbool.h>

/* Somebody sits at standard input. */
bool consent_can_ask(void);

/* "QUESTION [y/N] "; true for y or yes. Anything else is no, an end of input too. */
bool consent_ask(const char *question);

#endif
