/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A date as header fields have it, RFC 5322 section 3.3. */
#ifndef SEKIMORI_MAIL_DATE_H
#define SEKIMORI_MAIL_DATE_H

#include <stdint.h>

enum { DATE_SIZE = 40 };

/* Of milliseconds since 1970, in UTC; independent of the locale. Returns `room`. */
const char *date_print(uint64_t ms, char room[DATE_SIZE]);

#endif
