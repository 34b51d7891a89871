/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Reads sekimori.conf and conf.d/, and says everything that is wrong with them at once. */
#ifndef SEKIMORI_CONFIG_LOAD_H
#define SEKIMORI_CONFIG_LOAD_H

#include "config/problem.h"
#include "config/settings.h"

/* Limits; passing one is an error that names it. */
enum {
    CONFIG_FILE_MOST = 16 << 20,      /* bytes of one configuration file */
    CONFIG_FILES_MOST = 200,          /* the main file and conf.d together */
    CONFIG_NESTING_MOST = 8,          /* blocks in blocks */
    CONFIG_STATEMENTS_MOST = 1000000, /* in all files */
    CONFIG_LISTENERS_MOST = 256,      /* listen statements */
    CONFIG_HOSTED_MOST = 16,          /* hosted statements */
    CONFIG_WISHES_MOST = 100000,      /* recipient statements */
    CONFIG_ENGINES_MOST = 8,          /* engines outside */
    CONFIG_LISTS_MOST = 64,           /* list statements */
    CONFIG_OPINIONS_MOST = 2,         /* second opinions: one of a kind */
    CONFIG_WORD_MOST = 4096,          /* bytes of one word or quoted text */
    CONFIG_WORDS_MOST = 10000,        /* words of one statement */
    CONFIG_CONTENT_MOST = 64 << 20,   /* bytes of a certificate, key or table file */
    CONFIG_CONTENTS_MOST = 10000,     /* such files */
};

/* Reads `path`, then conf.d/ *.conf beside it in name order, then the files they name (certificates, keys,
   tables). Returns NULL when there is any error; warnings alone do not hinder. `problems` is started by the
   caller with problem_list_start and gets every error and warning: those of statements in
   the order of the files, then those that no single statement can be blamed for.
   Free with config_free. */
struct config *config_load(const char *path, struct problem_list *problems);

/* The same from memory: `content` as if it stood in the file `name`; no conf.d. Files that it names are read
   only when `read_files` is true, else they are taken as empty and not checked. */
struct config *config_load_text(struct text content, const char *name, bool read_files,
                                struct problem_list *problems);

/* The state folder that the file names, whatever errors it has elsewhere, so that a running node is found
   though its file is broken. Where it names none: the default, and only for the default file. False: not
   known. */
bool config_find_state(const char *path, char *room, size_t size);

/* What is in force with the certificates, keys and authorities it names read anew, checked as in config_load.
   Statements and tables stay as they are, whatever stands in their files by now. NULL when there is any
   error. */
struct config *config_renew(const struct config *config, struct problem_list *problems);

void config_free(struct config *config); /* NULL is allowed */

/* $SEKIMORI_CONFIG, or /etc/sekimori/sekimori.conf. */
const char *config_default_path(void);

#endif
