/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The first configuration, out of the answers to `sekimori setup`. Pure. */
#ifndef SEKIMORI_CLI_SETUP_FILE_H
#define SEKIMORI_CLI_SETUP_FILE_H

#include "cli/setup_answers.h"

/* What the file says beside the answers. */
struct setup_surroundings {
    bool has_user;               /* the machine has a user sekimori */
    const struct text_list *dns; /* resolvers that are to be asked; empty: those of the system */
};

/* Appends the whole file, with comments in the language of the answers, all of which are there: both checks
   only observe. */
void setup_file_print(const struct setup_answers *answers, const struct setup_surroundings *surroundings,
                      struct buffer *out);

#endif
