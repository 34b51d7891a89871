/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori balance --begin`: what was lost is known and looked into; from now on let the counts be right. */
#ifndef SEKIMORI_CLI_BALANCE_BEGIN_H
#define SEKIMORI_CLI_BALANCE_BEGIN_H

#include "cli/control.h"

/* Takes the counts of a node that is stopped away: its next start begins with what the journal holds then.
   Returns the exit code. */
int balance_begin(const struct control_target *target);

#endif
