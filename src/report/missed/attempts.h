/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* How many lives of this process have begun a mail, kept in the file `errand`: so one that ends them is
   known, and so are several that do. */
#ifndef SEKIMORI_REPORT_MISSED_ATTEMPTS_H
#define SEKIMORI_REPORT_MISSED_ATTEMPTS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    ATTEMPTS_MOST = 3,  /* that begin one mail */
    ATTEMPTS_MAILS = 16 /* that are remembered, beside the one at hand */
};

/* This life begins mail `id`, and has outlived mail `outlived` (0: none). *out_before: how many lives began
   it before. False, logged: it cannot be noted. */
bool attempts_begin(int folder, uint64_t id, uint64_t outlived, uint64_t *out_before);

#endif
