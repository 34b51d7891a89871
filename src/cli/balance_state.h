/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What every form of `sekimori balance` comes to, in the same words and exit codes. */
#ifndef SEKIMORI_CLI_BALANCE_STATE_H
#define SEKIMORI_CLI_BALANCE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/json.h"

/* Exit codes. Incomplete: nothing differs, but what was lost on its way to the ledger can be in no count. */
enum balance_state { BALANCE_EQUAL = 0, BALANCE_DIFFERS = 1, BALANCE_INCOMPLETE = 2 };

static inline enum balance_state balance_state_of(bool is_different, uint64_t lost)
{
    return is_different ? BALANCE_DIFFERS : lost ? BALANCE_INCOMPLETE : BALANCE_EQUAL;
}

/* The last lines of a table: how many events were lost, if any were; and the word. */
void balance_state_print(enum balance_state state, uint64_t lost);
/* The same as members "balanced", "incomplete" and "lost". */
void balance_state_set(struct json *object, enum balance_state state, uint64_t lost);

#endif
