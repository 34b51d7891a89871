/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The public suffix list (publicsuffix.org): below which names domains are registered. The only file that
   knows libpsl. Lists are read-only once open. */
#ifndef SEKIMORI_AUTH_PUBLIC_SUFFIX_H
#define SEKIMORI_AUTH_PUBLIC_SUFFIX_H

#include "base/arena.h"

struct public_suffix_list;

/* The list that libpsl was built with: opens no file, and is nobody's to close. NULL: it has none. */
const struct public_suffix_list *public_suffix_builtin(void);

/* `path` of a list in the text form of publicsuffix.org or as DAFSA. NULL: it cannot be read. */
struct public_suffix_list *public_suffix_open(const char *path);
void public_suffix_close(struct public_suffix_list *list); /* NULL is allowed */

/* The organizational domain of RFC 7489 section 3.2: the public suffix and one label. `domain` in A-labels,
   lower case, without a final dot; the result is its end. Empty: it is a public suffix itself, or no domain
   name. */
struct text public_suffix_organization(const struct public_suffix_list *list, struct text domain);

#endif
