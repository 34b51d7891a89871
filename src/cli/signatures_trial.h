/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Can the second set of signatures be loaded? The program that scans tries it, in a process of its own that
   is killed when its time is over: rules of other people's are loaded nowhere else. */
#ifndef SEKIMORI_CLI_SIGNATURES_TRIAL_H
#define SEKIMORI_CLI_SIGNATURES_TRIAL_H

#include "config/load.h"

/* A set that cannot be loaded becomes an error, each file that has rules which cannot be taken a warning.
   Nothing where no set is wanted, or there is none yet. `libexec`: the folder of scan. */
void signatures_trial(const struct config *config, const char *libexec, struct problem_list *problems);

#endif
