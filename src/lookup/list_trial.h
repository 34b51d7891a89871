/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a list of the DNS is tried by (RFC 5782 section 5): what stands before its zone. Pure. */
#ifndef SEKIMORI_LOOKUP_LIST_TRIAL_H
#define SEKIMORI_LOOKUP_LIST_TRIAL_H

#include "config/list_setting.h"

/* What it has to list; empty: nothing is known. */
struct text list_trial_listed(const struct list_setting *list);

/* What no list may have, appended; where digests are asked for, that of something by `chance`. */
void list_trial_unlisted(const struct list_setting *list, uint64_t chance, struct buffer *out);

/* What no list has, and nobody has asked for, appended: an address in 127.0.0.0/8, a name below "invalid", a
   digest. `chance`: any number, another each time. */
void list_trial_by_chance(const struct list_setting *list, uint64_t chance, struct buffer *out);

#endif
