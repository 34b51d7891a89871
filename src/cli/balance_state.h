/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What every form of `sekimori balance` comes to, in the same words and exit codes. */
#ifndef SEKIMORI_CLI_BALANCE_STATE_H
#define SEKIMORI_CLI_BALANCE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "ledgerdb/sums.h"

/* Exit codes. Incomplete: nothing differs, but what was lost on its way to the ledger can be in no count.
   Refusals are in none that is compared: of their loss is told, and the word stays. */
enum balance_state { BALANCE_EQUAL = 0, BALANCE_DIFFERS = 1, BALANCE_INCOMPLETE = 2 };

static inline enum balance_state balance_state_of(bool is_different, struct losses lost)
{
    return is_different ? BALANCE_DIFFERS : lost.events ? BALANCE_INCOMPLETE : BALANCE_EQUAL;
}

/* The last lines of a table: how many events and refusals were lost, if any were; and the word. */
void balance_state_print(enum balance_state state, struct losses lost);
/* The same as members "balanced", "incomplete", "lost" and "lost_refusals". */
void balance_state_set(struct json *object, enum balance_state state, struct losses lost);

#endif
