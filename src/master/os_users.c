/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Asked once, at the start. */
#include "master/os_users.h"

#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"

static void all_are(struct os_users *users, struct os_user one)
{
    users->are_own = false;
    users->node = one;
    for (int kind = PROCESS_MASTER + 1; kind < PROCESS_COUNT; kind++) users->of[kind] = one;
}

const char *os_users_arrangement(const struct os_users *users)
{
    if (users->are_own) return "own";
    return users->node.uid == users->of[PROCESS_MASTER].uid ? "one" : "shared";
}

static void user_missing(const char *name)
{
    log_error("user %s: there is no such user", name);
    exit(EX_NOUSER);
}

void os_users_find(const struct config *config, struct os_users *out)
{
    struct os_user self = { geteuid(), getegid() }, node;
    *out = (struct os_users){ .of[PROCESS_MASTER] = self };
    all_are(out, self);
    if (geteuid() != 0) return;
    if (config->user.length == 0) {
        log_warning("user is not said: the processes run as root");
        return;
    }
    char *name = memory_string(config->user), missing[PROCESS_USER_SIZE];
    if (!os_user_find(name, &node)) user_missing(name);
    int found = process_users_find(config->user, out->of, missing);
    if (found > 0 && *missing) user_missing(missing);
    if (found == 0) {
        log_info("all processes run as %s: users of their own, %s-receive and so on, part them", name, name);
        all_are(out, node);
    }
    out->are_own = found > 0;
    out->node = node;
    free(name);
}
