/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Whether a process descends from this one. What descends from master is fed by strangers, so it must never
   command master, whoever's user id it has. */
#ifndef SEKIMORI_MASTER_OWN_PROCESSES_H
#define SEKIMORI_MASTER_OWN_PROCESSES_H

#include <stdbool.h>
#include <sys/types.h>

/* From now on a descendant whose parent ends becomes a child of ours, never of init, so that each can be
   traced to us as long as it lives. Before the first child. The caller waits for children it does not know.
 */
void kinship_begin(void);

/* True only when the process `pid`, which connected the AF_UNIX socket behind `fd`, is known to descend from
   somebody else: it is alive, and so was each of its ancestors while it was looked at. */
bool kinship_is_stranger(int fd, pid_t pid);

#endif
