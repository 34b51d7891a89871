/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Key records: SELECTOR._domainkey.DOMAIN TXT (RFC 6376 section 3.6). */
#ifndef SEKIMORI_AUTH_DKIM_KEY_H
#define SEKIMORI_AUTH_DKIM_KEY_H

#include "auth/dkim.h"

enum { DKIM_KEY_RECORD_MOST = 4096 }; /* bytes; RSA-4096 takes 750 */

/* What a record says. The reason is DKIM_GOOD, or the first thing that makes it of no use for mail. */
struct dkim_key {
    enum dkim_reason reason;
    enum key_kind kind;
    struct text bytes; /* p=, decoded */
    bool is_testing;   /* t=y */
    bool is_strict;    /* t=s */
};

/* Texts live in the arena. */
void dkim_key_parse(struct arena *arena, struct text record, struct dkim_key *out);

/* The name to ask for, in the arena. */
struct text dkim_key_name(struct arena *arena, struct text selector, struct text domain);

#endif
