/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The file of `people`: names and addresses of our people, one a line. */
#ifndef SEKIMORI_CONFIG_PEOPLE_H
#define SEKIMORI_CONFIG_PEOPLE_H

#include "base/text.h"

enum { PEOPLE_MOST = 100000, PEOPLE_LINE_MOST = 1000, PEOPLE_ADDRESSES_MOST = 8 };

/* Borrowed from the file's text. */
struct people_line {
    struct text name; /* UTF-8, without quotes */
    struct text addresses[PEOPLE_ADDRESSES_MOST];
    uint32_t address_count; /* at least 1 */
};

/* Cuts the next line that names somebody off *rest: "Sato Taro <sato@example.ac.jp>", further addresses of
   the same person behind it. A name may stand in double quotes; blank lines, lines that start with "#" and
   what follows a "#" behind the last address are passed over. *line_number, 0 at first, counts lines. False:
   there is none, *why NULL; or the line is not one of these, *why says so. */
bool people_next(struct text *rest, uint32_t *line_number, struct people_line *out, const char **why);

/* NULL: every line is right, and there are at most PEOPLE_MOST; else why not, *out_line is where. */
const char *people_check(struct text content, uint32_t *out_line);

#endif
