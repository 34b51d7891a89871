/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What `sekimori health --all` shows beside the page: the facts that alarms are made of, and each
   certificate. Asked of the node, so it takes as long as the node takes to answer. */
#ifndef SEKIMORI_CLI_ALARM_FACTS_H
#define SEKIMORI_CLI_ALARM_FACTS_H

#include "base/arena.h"
#include "base/json.h"
#include "cli/control.h"

enum alarm_fact_state { ALARM_FACT_UNKNOWN, ALARM_FACT_GOOD, ALARM_FACT_BAD };

struct alarm_fact {
    struct text name, says; /* in the arena */
    enum alarm_fact_state state;
};

struct alarm_facts {
    struct arena *arena;
    struct alarm_fact *items;
    size_t count;
    int code; /* of the node's answer: EX_OK, else nothing is in the list */
};

/* What is wrong is said on standard error. */
void alarm_facts_ask(const struct control_target *target, struct alarm_facts *out);
void alarm_facts_free(struct alarm_facts *facts);

bool alarm_facts_are_good(const struct alarm_facts *facts); /* none of them is bad */

struct json *alarm_facts_json(const struct alarm_facts *facts); /* an array, the caller's */

#endif
