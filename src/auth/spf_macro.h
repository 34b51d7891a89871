/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Macros of SPF records: RFC 7208 section 7. Pure; for spf.c and spf_term.c. */
#ifndef SEKIMORI_AUTH_SPF_MACRO_H
#define SEKIMORI_AUTH_SPF_MACRO_H

#include "auth/spf.h"

/* What the letters stand for. */
struct spf_macros {
    const struct spf_request *request;
    struct text local, origin; /* %{l}, %{o}: both sides of the sender's @ */
    struct text domain;        /* %{d}: whose record is read */
    struct text validated;     /* %{p}: set before a text is expanded that spf_macro_has_validated */
    size_t room;               /* bytes that macros may still be made of: SPF_MACRO_BYTES_MOST at first */
};

enum spf_name {
    SPF_NAME_GOOD,
    SPF_NAME_BAD,    /* no domain name, or one that is not ASCII (RFC 8616 section 4): matches nothing */
    SPF_NAME_NO_ROOM /* macros.room is used up */
};

/* A macro-string; with `is_explanation` an explain-string, which has blanks and the letters c, r and t too.
 */
bool spf_macro_check(struct text text, bool is_explanation);

/* A domain-spec: a macro-string that ends in a top label or a macro. */
bool spf_macro_check_domain(struct text text);

/* It needs %{p}. The text has been checked. */
bool spf_macro_has_validated(struct text text);

/* The name to ask for, without labels on its left that are too much (section 7.3), odd bytes as \DDD;
   borrowed from `text` where that has no macros, else in the arena. The text has been checked. */
enum spf_name spf_macro_name(struct arena *arena, struct spf_macros *macros, struct text text,
                             struct text *out);

/* An explanation, cut to SPF_EXPLANATION_MOST; empty where it would not be printable ASCII. The text has been
   checked. In the arena. */
struct text spf_macro_explanation(struct arena *arena, struct spf_macros *macros, struct text text);

/* It can be asked for: labels of 1 to 63 octets, 253 in all. */
bool spf_macro_is_name(struct text name);

#endif
