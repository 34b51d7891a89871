/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The one form in which an address or a link is hashed for a list, and asked for. Pure. */
#ifndef SEKIMORI_JUDGE_LIST_VALUE_H
#define SEKIMORI_JUDGE_LIST_VALUE_H

#include "base/buffer.h"

/* "user@example.com": in lower case, without what stands behind a "+" of the local part; gmail.com for
   googlemail.com, and no dots in the local part there. Appended. False, nothing appended: no address, or
   longer than LIST_VALUE_MOST. */
bool list_value_address(struct text address, struct buffer *out);

/* "example.com/path?query": the host in lower case, without scheme, user, port and fragment; a path that is
   "/" alone is left out. `path` begins behind the port. Appended; false as above. */
bool list_value_link(struct text host, struct text path, struct buffer *out);
/* The same of a whole URL. */
bool list_value_url(struct text url, struct buffer *out);

#endif
