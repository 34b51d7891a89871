/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A program of the administrator's: may it be run? Looked at by `sekimori check` and before each run, not on
   load, since mail flows without it. */
#ifndef SEKIMORI_CONFIG_EXECUTABLE_H
#define SEKIMORI_CONFIG_EXECUTABLE_H

#include "config/load.h"

/* NULL, or why not: not there, no file, not executable by us, writable by everybody or in a folder that is.
   Borrowed until the next error of the C library's. */
const char *executable_trouble(const struct text_list *command);

/* Every command of the configuration that may not be run becomes an error, and every folder of theirs that is
   none. `config` has its sources. */
void executable_check(const struct config *config, struct problem_list *problems);

#endif
