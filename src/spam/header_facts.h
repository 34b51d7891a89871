/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Facts of the header that say who built it: a mail program, or a program for junk that copies one badly.
   They are for rules alone: a model learns none of them, as they tell sources of mail apart, too. */
#ifndef SEKIMORI_SPAM_HEADER_FACTS_H
#define SEKIMORI_SPAM_HEADER_FACTS_H

#include "mail/header.h"
#include "spam/feature_set.h"

struct header_look {
    const struct header *header;
    struct text subject; /* decoded, not folded */
    struct text own;     /* the organisation's domain in From; empty: none */
    bool is_free_mail;   /* it gives mailboxes to everybody */
};

/* Adds them. */
void header_facts_add(struct features *features, const struct header_look *look);

#endif
