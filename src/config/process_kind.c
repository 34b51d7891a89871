/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One table of names. */
#include "config/process_kind.h"

#include <stdio.h>

static const char *const kind_names[PROCESS_COUNT] = {
    [PROCESS_MASTER] = "master", [PROCESS_RECEIVE] = "receive", [PROCESS_LOOKUP] = "lookup",
    [PROCESS_SCAN] = "scan",     [PROCESS_QUEUE] = "queue",     [PROCESS_DELIVER] = "deliver",
    [PROCESS_LEDGER] = "ledger", [PROCESS_REPORT] = "report",   [PROCESS_COURIER] = "courier",
    [PROCESS_HELPER] = "helper",
};

const char *process_name(enum process_kind kind)
{
    return (unsigned)kind < PROCESS_COUNT ? kind_names[kind] : "unknown";
}

bool process_kind_from_name(struct text name, enum process_kind *out)
{
    for (unsigned i = 0; i < PROCESS_COUNT; i++) {
        if (!text_equal(name, text_of(kind_names[i]))) continue;
        *out = (enum process_kind)i;
        return true;
    }
    return false;
}

bool process_user_name(struct text user, enum process_kind kind, char room[PROCESS_USER_SIZE])
{
    return snprintf(room, PROCESS_USER_SIZE, "%.*s-%s", TEXT_ARG(user), process_name(kind)) <
           PROCESS_USER_SIZE;
}
