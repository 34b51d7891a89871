/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The words of an SPF record: RFC 7208 sections 4.6.1, 5, 6 and 12. Pure; for spf.c. */
#ifndef SEKIMORI_AUTH_SPF_TERM_H
#define SEKIMORI_AUTH_SPF_TERM_H

#include "auth/spf.h"

enum spf_kind {
    SPF_ALL,
    SPF_INCLUDE,
    SPF_A,
    SPF_MX,
    SPF_PTR,
    SPF_IP4,
    SPF_IP6,
    SPF_EXISTS,
    SPF_REDIRECT,
    SPF_EXP,
    SPF_MODIFIER, /* an unknown one, to be passed over */
    SPF_FAULT     /* no term */
};

/* Texts are slices of the record. */
struct spf_term {
    enum spf_kind kind;
    struct text written;        /* with its qualifier */
    enum spf_outcome qualifier; /* what a match of a mechanism gives */
    struct text domain;         /* domain-spec, checked; empty: there is none */
    struct network network;     /* of ip4 and ip6 */
    uint8_t bits4, bits6;       /* of a and mx: 0-32, 0-128 */
};

/* It begins with "v=spf1" and a blank, or is that alone (section 4.5). */
bool spf_term_is_record(struct text text);

/* The terms of a record, as text. */
struct text spf_term_all(struct text record);

/* Takes the next one off *rest; false: there is none left. */
bool spf_term_next(struct text *rest, struct spf_term *out);

/* All are good, and redirect and exp stand once at most (section 6). False: *out_bad is the first that is
 * not. */
bool spf_term_check(struct text terms, struct text *out_bad);

#endif
