/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori balance --nodes`: a day of every node whose events this ledger has. */
#ifndef SEKIMORI_CLI_BALANCE_NODES_H
#define SEKIMORI_CLI_BALANCE_NODES_H

#include "cli/control.h"

/* As balance_day. */
int balance_nodes(const struct control_target *target, uint32_t day, bool is_json);

#endif
