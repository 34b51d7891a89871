/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Signatures of viruses on disk: which files are such, how old they are, and whether a configuration that
   asks for a virus check has any. */
#ifndef SEKIMORI_CONFIG_SIGNATURES_H
#define SEKIMORI_CONFIG_SIGNATURES_H

#include "config/problem.h"
#include "config/settings.h"

/* By its name: the endings that libclamav loads. */
bool signatures_is_file(const char *name);

/* When the newest of them in the folder was written, in seconds since 1970. 0: there is none, with errno;
   that is 0 where the folder can be read. */
int64_t signatures_newest(struct text folder);

/* This node scans, and some domain's mail is to be checked for viruses. */
bool signatures_are_wanted(const struct config *config);

/* A warning where nothing will count as scanned: no signatures were fetched, and `builtin only` is not said; or
   the folder of the built-in ones has none, which is an error where `builtin from` names it. */
void signatures_check(const struct config *config, struct problem_list *problems);

#endif
