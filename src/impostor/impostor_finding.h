/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What in a message is as impostors write it, as read finds it and decide weighs it. */
#ifndef SEKIMORI_IMPOSTOR_IMPOSTOR_FINDING_H
#define SEKIMORI_IMPOSTOR_IMPOSTOR_FINDING_H

#include "base/codec.h"
#include "impostor/impostor_set.h"

/* Each once a message. A new one has its signal in scan/impostor_weight.c. */
enum impostor_kind {
    IMPOSTOR_PERSON,        /* a display name of one of our people, another's address */
    IMPOSTOR_OWN_DOMAIN,    /* a domain of ours in From: impostors have no proof of it */
    IMPOSTOR_SHOWN_ADDRESS, /* a display name spells an address of ours, the address is another's */
    IMPOSTOR_FROM_ALIKE,    /* the domain in From is like one of ours or of a partner */
    IMPOSTOR_REPLY_ALIKE,   /* that in Reply-To */
    IMPOSTOR_SENDER_ALIKE,  /* that of MAIL FROM */
    IMPOSTOR_LINK_ALIKE,    /* the host of a link */
    IMPOSTOR_REPLY_OF_OURS, /* From is ours or names one of our people, answers go to a free mail provider */
    IMPOSTOR_REPLY_ELSEWHERE, /* From is of another domain, answers go to a free mail provider */
    IMPOSTOR_NOTICE,          /* it is made like a digest, notice or page of this gateway */
    IMPOSTOR_BOUNCE,          /* it returns a message from us that bears no trace of us */
    IMPOSTOR_COLLEAGUE, /* a display name of one of our own senders, learned from his mail; another's address
                         */
    IMPOSTOR_KINDS
};

enum { IMPOSTOR_ABOUT_MOST = 200 };

struct impostor_finding {
    bool is_found;
    enum domain_likeness likeness; /* of the four that are alike; the worst that was met */
    struct text about; /* UTF-8: whom or what it is like; at most IMPOSTOR_ABOUT_MOST bytes are put */
};

struct impostor_findings {
    struct impostor_finding of[IMPOSTOR_KINDS];
};

/* The byte form, appended; nothing where nothing was found. */
void impostor_findings_put(const struct impostor_findings *findings, struct buffer *out);
/* `about` is borrowed from the bytes. False: malformed. No bytes are no findings. */
bool impostor_findings_get(struct text bytes, struct impostor_findings *out);

#endif
