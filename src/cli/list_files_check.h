/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Whether the files of lists would be taken: as lookup compiles them. */
#ifndef SEKIMORI_CLI_LIST_FILES_CHECK_H
#define SEKIMORI_CLI_LIST_FILES_CHECK_H

#include "config/problem.h"
#include "config/settings.h"

/* Adds an error for each that cannot be read or is refused, with its line. */
void list_files_check(const struct config *config, struct problem_list *problems);

#endif
