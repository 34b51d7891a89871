/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a good file asks of this machine and may not find. Said by `sekimori check` and `sekimori start`,
   which may wait for a name service; never by master, whose loop may not. */
#ifndef SEKIMORI_CONFIG_MACHINE_H
#define SEKIMORI_CONFIG_MACHINE_H

#include "config/load.h"

/* Adds a warning for a user that does not exist and an error for a system log that is not there.
   `config` has its sources. */
void machine_check(const struct config *config, struct problem_list *problems);

#endif
