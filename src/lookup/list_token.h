/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What stands before a zone that is asked about hashes. Pure. */
#ifndef SEKIMORI_LOOKUP_LIST_TOKEN_H
#define SEKIMORI_LOOKUP_LIST_TOKEN_H

#include "base/buffer.h"
#include "config/list_setting.h"

enum { LIST_TOKEN_MOST = 80 }; /* bytes */

/* Of an address or a link (judge/list_value.h): its digest by the list's algorithm, in the list's spelling,
   and the label that the list has for such things; appended, in lower case. */
void list_token(const struct list_setting *list, enum list_about about, struct text value,
                struct buffer *out);
/* Of a file, known by 64 hexadecimal digits of SHA-256. False: it is not, or the list wants another digest.
 */
bool list_token_of_file(const struct list_setting *list, struct text digits, struct buffer *out);

#endif
