/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What `sekimori health --all` shows beside the page: the facts that alarms are made of, and each
   certificate. Asked of the node, so it takes as long as the node takes to answer. */
#ifndef SEKIMORI_CLI_WELLNESS_FACTS_H
#define SEKIMORI_CLI_WELLNESS_FACTS_H

#include "base/arena.h"
#include "cli/control.h"
#include "cli/json.h"

enum wellness_state { WELLNESS_UNKNOWN, WELLNESS_GOOD, WELLNESS_BAD };

struct wellness_fact {
    struct text name, says; /* in the arena */
    enum wellness_state state;
};

struct wellness_facts {
    struct arena *arena;
    struct wellness_fact *items;
    size_t count;
    int code; /* of the node's answer: EX_OK, else nothing is in the list */
};

/* What is wrong is said on standard error. */
void wellness_facts_ask(const struct control_target *target, struct wellness_facts *out);
void wellness_facts_free(struct wellness_facts *facts);

bool wellness_facts_are_good(const struct wellness_facts *facts); /* none of them is bad */

struct json *wellness_facts_json(const struct wellness_facts *facts); /* an array, the caller's */

#endif
