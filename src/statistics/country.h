/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which country an address is in, by a GeoIP file (MaxMind's format) that the administrator gives. */
#ifndef SEKIMORI_STATISTICS_COUNTRY_H
#define SEKIMORI_STATISTICS_COUNTRY_H

#include "base/text.h"

struct country_file;

enum { COUNTRY_SIZE = 3 };

/* NULL, with the reason in `out_why` (a constant), when it is not there or no such file. */
struct country_file *country_open(const char *path, const char **out_why);
void country_close(struct country_file *file); /* NULL is allowed */

/* The code of ISO 3166, "JP". False: no file, no address, or not known. */
bool country_find(const struct country_file *file, struct text address, char out[COUNTRY_SIZE]);

#endif
