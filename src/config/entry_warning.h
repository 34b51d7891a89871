/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is worth a second look of an allow or block entry that is allowed: it names what is ours, or is for
 * nobody of ours. */
#ifndef SEKIMORI_CONFIG_ENTRY_WARNING_H
#define SEKIMORI_CONFIG_ENTRY_WARNING_H

#include "config/sender_entry.h"

/* A sentence, a literal; NULL: nothing. */
const char *entry_warning_of(const struct config *config, const struct sender_entry *entry);

#endif
