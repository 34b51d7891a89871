/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The names, and whom the name service has for them. */
#include "config/process_kind.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[PROCESS_COUNT] = {
    [PROCESS_MASTER] = "master",   [PROCESS_RECEIVE] = "receive", [PROCESS_LOOKUP] = "lookup",
    [PROCESS_SCAN] = "scan",       [PROCESS_QUEUE] = "queue",     [PROCESS_DELIVER] = "deliver",
    [PROCESS_LEDGER] = "ledger",   [PROCESS_REPORT] = "report",   [PROCESS_COURIER] = "courier",
    [PROCESS_HELPER] = "helper",   [PROCESS_METRICS] = "metrics", [PROCESS_SIGNER] = "signer",
    [PROCESS_CONSULT] = "consult", [PROCESS_OPEN] = "open",       [PROCESS_ENGINE] = "engine",
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

bool os_user_find(const char *name, struct os_user *out)
{
    const struct passwd *entry = getpwnam(name);
    if (entry) *out = (struct os_user){ entry->pw_uid, entry->pw_gid };
    return entry != NULL;
}

int process_users_find(struct text user, struct os_user *out, char missing[PROCESS_USER_SIZE])
{
    int found = 0;
    *missing = '\0';
    for (int kind = PROCESS_MASTER + 1; kind < PROCESS_COUNT; kind++) {
        char name[PROCESS_USER_SIZE];
        int length =
            snprintf(name, sizeof name, "%.*s-%s", TEXT_ARG(user), process_name((enum process_kind)kind));
        bool is_there = length < PROCESS_USER_SIZE && os_user_find(name, &out[kind]);
        if (!is_there && !*missing) memcpy(missing, name, sizeof name);
        found += is_there;
    }
    return found;
}
