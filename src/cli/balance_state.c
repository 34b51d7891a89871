/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The words. */
#include "cli/balance_state.h"

#include <stdio.h>

void balance_state_print(enum balance_state state, struct losses lost)
{
    static const char *const words[] = {
        [BALANCE_EQUAL] = "balanced", [BALANCE_DIFFERS] = "NOT BALANCED", [BALANCE_INCOMPLETE] = "INCOMPLETE"
    };
    if (lost.refusals)
        printf("%llu %s lost on the way to the ledger: no other count is short of %s\n",
               (unsigned long long)lost.refusals,
               text_word_for(lost.refusals, "refusal was", "refusals were"),
               text_word_for(lost.refusals, "it", "them"));
    if (lost.events)
        printf("%llu %s lost on the way to the ledger\n", (unsigned long long)lost.events,
               text_word_for(lost.events, "event was", "events were"));
    puts(words[state]);
}

void balance_state_set(struct json *object, enum balance_state state, struct losses lost)
{
    json_set_bool(object, "balanced", state == BALANCE_EQUAL);
    json_set_bool(object, "incomplete", state == BALANCE_INCOMPLETE);
    json_set_number(object, "lost", (int64_t)lost.events);
    json_set_number(object, "lost_refusals", (int64_t)lost.refusals);
}
