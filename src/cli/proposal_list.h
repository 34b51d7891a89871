/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori learn proposals`, `learn accept` and `learn decline`: what users' reports would teach. */
#ifndef SEKIMORI_CLI_PROPOSAL_LIST_H
#define SEKIMORI_CLI_PROPOSAL_LIST_H

#include <stdbool.h>

#include "cli/control.h"
#include "config/settings.h"

/* Each is a sysexits code; mistakes are said on standard error. */
int proposal_list_print(const struct control_target *target, bool is_json, enum language language);
/* `numbers`: as they were given; none with `is_all`. */
int proposal_list_decide(const struct control_target *target, char *const *numbers, bool is_all, bool is_yes,
                         enum language language);

#endif
