/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What mail is judged with and may not be there. */
#ifndef SEKIMORI_SPAM_SPAM_FILES_H
#define SEKIMORI_SPAM_SPAM_FILES_H

#include "config/problem.h"
#include "config/settings.h"

/* Warns of a base model that is missing or damaged, of a folder of rules that is not there or has none, and
   of a folder of own rules that the configuration names and that is not there. Where the setting is none,
   nothing is said. `config` has its sources. */
void spam_files_check(const struct config *config, struct problem_list *problems);

#endif
