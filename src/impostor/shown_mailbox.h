/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The mailboxes of a From or Reply-To field as people are shown them: a name and an address each. Lenient;
   what DMARC goes by is auth/from_domains.h. RFC 5322 section 3.4. */
#ifndef SEKIMORI_IMPOSTOR_SHOWN_MAILBOX_H
#define SEKIMORI_IMPOSTOR_SHOWN_MAILBOX_H

#include "base/arena.h"

enum { SHOWN_MAILBOXES_MOST = 8, SHOWN_FIELD_MOST = 16 * 1024, SHOWN_NAME_MOST = 2000 };

struct shown_mailbox {
    struct text name;    /* UTF-8, without quotes; empty: none is shown */
    struct text address; /* as written */
    struct text domain;  /* A-labels where it is a domain, small letters; empty: the address has none */
};

/* Of a field's raw value, as far as SHOWN_FIELD_MOST bytes; at most SHOWN_MAILBOXES_MOST, which are returned.
   Texts live in the arena or borrow the value. `declared`: as for word_decode. */
uint32_t shown_mailboxes_read(struct arena *arena, struct text value, struct text declared,
                              struct shown_mailbox out[SHOWN_MAILBOXES_MOST]);

#endif
