/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori balance --day D`: one day out of the ledger. */
#ifndef SEKIMORI_CLI_BALANCE_DAY_H
#define SEKIMORI_CLI_BALANCE_DAY_H

#include "cli/control.h"

/* enum balance_state by the rows and sums of that day, else as in the help of balance. */
int balance_day(const struct control_target *target, uint32_t day, bool is_json);

#endif
