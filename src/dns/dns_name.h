/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* How names of the DNS lie to each other. Pure. */
#ifndef SEKIMORI_DNS_NAME_H
#define SEKIMORI_DNS_NAME_H

#include "base/text.h"

/* `name` is `domain` or below it. ASCII case is ignored; neither has a final dot. */
bool dns_name_is_within(struct text name, struct text domain);

/* Borrowed: without the dot of the root, if it has one. */
struct text dns_name_without_root(struct text name);

/* Labels of letters, digits, hyphens and underscores, of 63 octets at most, no final dot: at most `most`
   octets in all. */
bool dns_name_has_labels(struct text name, size_t most);

#endif
