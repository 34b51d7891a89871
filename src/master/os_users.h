/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The users of this machine that the processes run as. Started by root, each process has one of its own,
   NAME-receive, NAME-scan and so on after `user NAME`, so that one that is taken over can neither signal nor
   trace another nor open its files. Where these users are not there, all run as NAME; where we are not root,
   as whoever started us. */
#ifndef SEKIMORI_MASTER_OS_USERS_H
#define SEKIMORI_MASTER_OS_USERS_H

#include "config/settings.h"
#include "ipc/ask_master.h"

struct os_users {
    struct os_user node;              /* NAME itself: its group may reach the control socket */
    struct os_user of[PROCESS_COUNT]; /* of PROCESS_MASTER: who we are */
    bool are_own;                     /* false: all but master's are one */
};

/* "own": each has one; "shared": all but master run as `user`; "one": all, master too, are whoever started
   the node. */
const char *os_users_arrangement(const struct os_users *users);

/* Asks the name service, so only before the loop runs. When the configuration's user, or some of the own
   users but not all, are not there, says so and ends the process (exit 67). */
void os_users_find(const struct config *config, struct os_users *out);

#endif
