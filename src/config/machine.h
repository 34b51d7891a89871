/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a good file asks of this machine and may not find. Said by `sekimori check` and `sekimori start`,
   which may wait for a name service; never by master, whose loop may not. */
#ifndef SEKIMORI_CONFIG_MACHINE_H
#define SEKIMORI_CONFIG_MACHINE_H

#include "config/load.h"

/* Adds what sekimorid would not start for: no such user, no state folder that it can write to, a port that is
   taken or needs root, a system log that is not there. Errors where who asks would start it: root, or anybody
   where no `user` is said; else warnings. What a node of this state folder has itself is no problem.
   `config` has its sources. */
void machine_check(const struct config *config, struct problem_list *problems);

/* The same without what sekimorid refuses by itself, with a reason and an exit code of its own. */
void machine_check_for_start(const struct config *config, struct problem_list *problems);

#endif
