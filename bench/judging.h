/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Judging without a node: configuration, engine, temporary folder and mails from files, for the bench
   programs that call scan's functions themselves. */
#ifndef SEKIMORI_BENCH_JUDGING_H
#define SEKIMORI_BENCH_JUDGING_H

#include "rules/ruleset.h"
#include "scan/read.h"

/* Each ends the program with a message when it cannot do what it is for: 78 the configuration has errors, 71
   no private folder, or no signatures, 66 no rules. */
struct config *judging_config(const char *path);
void judging_enter(const struct config *config); /* the current folder is a private tmpfs from here on */
struct engine *judging_engine(const struct config *config);
struct ruleset *judging_rules(const char *folder);

/* The file's bytes, each line ended by CRLF; ends the program with EX_NOINPUT when it cannot be read. Lives
   as long as the program when it is not freed with free((char *)text.at). */
struct text judging_mail(const char *path);

#endif
