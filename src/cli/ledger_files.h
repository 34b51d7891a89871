/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Opens the ledger of a node for the verbs that read it; the node need not run. */
#ifndef SEKIMORI_CLI_LEDGER_FILES_H
#define SEKIMORI_CLI_LEDGER_FILES_H

#include "cli/control.h"
#include "ledgerdb/reader.h"

/* NULL: said on stderr, with the exit code in *out_code: 66 there is none, 69 it cannot be read now, 65 it is
   damaged, 76 made by a newer version. */
struct ledgerdb_reader *ledger_open(const struct control_target *target, const char *verb, int *out_code);

/* What a question that failed is called; says so on stderr. LEDGERDB_DONE gives 0. */
int ledger_outcome(enum ledgerdb_outcome outcome, const char *verb);

/* The same for verbs that can ask the node instead: where the ledger is there and this user may not read it,
   NULL with EX_NOPERM, and nothing is said. */
struct ledgerdb_reader *ledger_open_unless_closed(const struct control_target *target, const char *verb,
                                                  int *out_code);

#endif
