/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The domains that From names: what DMARC protects. Reads as liberally as any mail program may, so that
   nobody hides an author: RFC 5322 sections 3.4 and 4.4. Pure; linear in the header's bytes, without
   recursion. */
#ifndef SEKIMORI_AUTH_FROM_DOMAINS_H
#define SEKIMORI_AUTH_FROM_DOMAINS_H

#include "mail/header.h"

/* Ways in which From is not one field with one plain address. */
enum from_oddity {
    FROM_MISSING,           /* no field, or no address in any */
    FROM_SEVERAL_FIELDS,    /* RFC 5322 section 3.6 allows one */
    FROM_SEVERAL_ADDRESSES, /* allowed, and rare */
    FROM_SEVERAL_DOMAINS,   /* addresses of different domains */
    FROM_GROUP,             /* RFC 6854 allows it, and hardly anybody writes it */
    FROM_NO_DOMAIN,         /* an address without "@" or with nothing behind it */
    FROM_BAD_DOMAIN,        /* a domain that is no name in the DNS; a literal like [192.0.2.1] too */
    FROM_NUL,
    FROM_CONTROL,         /* another control character */
    FROM_NOT_UTF8,        /* bytes over 127 that are no UTF-8 */
    FROM_DEEP_COMMENT,    /* comments nested deeper than FROM_DEPTH_MOST */
    FROM_UNCLOSED,        /* a quote, comment or bracket that does not end, or ends and was not opened */
    FROM_ADDRESS_IN_NAME, /* the display name shows another address, also by an encoded word */
    FROM_NO_BRACKETS,     /* words and an address without < >, or several addresses without a comma */
    FROM_ROUTE,           /* <@a,@b:c@d> */
    FROM_TOO_MANY,        /* more fields, addresses or domains than are looked at */
    FROM_ODDITY_COUNT
};

enum {
    FROM_FIELDS_MOST = 16,
    FROM_ADDRESSES_MOST = 256, /* in all fields together */
    FROM_DOMAINS_MOST = 16,    /* different ones */
    FROM_DEPTH_MOST = 16       /* of comments in each other; deeper ones are read too */
};

struct from_domains {
    struct text *domains; /* different ones, A-labels in lower case, in their order; live in the arena */
    uint32_t count;       /* 0: DMARC has nothing to look at */
    uint32_t addresses;   /* in all fields that were read */
    struct text address;  /* the first one that has a domain, as written without comments; empty: none */
    uint32_t oddities;    /* bits 1 << enum from_oddity */
};

/* "several-fields": lower case and hyphens, a string literal. */
const char *from_oddity_name(enum from_oddity oddity);

static inline bool from_has(const struct from_domains *from, enum from_oddity oddity)
{
    return from->oddities >> oddity & 1;
}

/* Of all From fields of the header. */
void from_domains_find(struct arena *arena, const struct header *header, struct from_domains *out);

/* Whom a person takes for the sender: the first address of a From field's value, which may be empty, else the
   envelope's; in lower case (mailbox_lower). */
struct text from_address_shown(struct arena *arena, struct text from, struct text envelope_sender);

/* Of one value alone, raw as header_field.value is; adds to *out, which was zero at first. */
void from_domains_add(struct arena *arena, struct text value, struct from_domains *out);

#endif
