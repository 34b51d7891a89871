/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Whom impostors may pretend to be: our people, our domains and those of partners. Made once of a
   configuration, then only read. */
#ifndef SEKIMORI_IMPOSTOR_IMPOSTOR_SET_H
#define SEKIMORI_IMPOSTOR_IMPOSTOR_SET_H

#include "base/arena.h"
#include "config/settings.h"
#include "ipc/fingerprint_page.h"

/* How a domain is like another that it is not. The worse, the higher. */
enum domain_likeness {
    DOMAIN_UNLIKE,
    DOMAIN_OTHER_TOP,   /* example.com for example.ac.jp */
    DOMAIN_ONE_EDIT,    /* exmaple.ac.jp: a letter put in, left out, replaced, or two changed over */
    DOMAIN_BELOW,       /* example.ac.jp.evil.example, example-ac-jp.evil.example */
    DOMAIN_LOOKS_ALIKE, /* examp1e.ac.jp, xn--…: the same skeleton (UTS 39) */
    DOMAIN_LIKENESSES
};

enum { IMPOSTOR_DOMAINS_MOST = 5000 }; /* of ours and of partners; further ones are not looked for */

struct impostor_set;

/* `config` is borrowed and has to live as long. Lines of its people that are wrong are passed over: the
   loader has refused them. Never NULL. */
struct impostor_set *impostor_set_new(const struct config *config);
void impostor_set_free(struct impostor_set *set); /* NULL is allowed */

/* A display name in UTF-8 is that of one of our people, and the address none of whoever bears it. *out_name:
   as the file has it, borrowed from the configuration. */
bool impostor_set_person(const struct impostor_set *set, struct text name, struct text address,
                         struct text *out_name);

/* The same by names of our own senders that were learned (ledgerdb/colleagues.h), which `learned` has; false
   where that is NULL. Names that the file has, whoever bears them, are none of these. */
bool impostor_set_colleague(const struct impostor_set *set, const struct fingerprint_page *learned,
                            struct arena *arena, struct text name, struct text address);

/* The file has the address, in any case of letters. */
bool impostor_set_has_address(const struct impostor_set *set, struct arena *arena, struct text address);

/* `host` in small letters, A-labels, without a final dot; or anything else. *out_like: whose it is like,
   borrowed from the set. What belongs to one of the domains itself, or to its organization, is unlike. */
enum domain_likeness impostor_set_domain(const struct impostor_set *set, struct arena *arena,
                                         struct text host, struct text *out_like);

#endif
