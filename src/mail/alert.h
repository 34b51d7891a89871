/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Composes the mail that tells the administrator at once of what was done with somebody's mail. Pure; 7-bit.
 */
#ifndef SEKIMORI_MAIL_ALERT_H
#define SEKIMORI_MAIL_ALERT_H

#include "base/buffer.h"

/* What happened. By whom the next mail about the like is left out: see queue/own_mail.c. */
enum alert_kind {
    ALERT_VIRUS,           /* somebody inside tried to send a virus, which was stopped */
    ALERT_INSIDE_HELD,     /* a sender inside passed a line of `inside`: its mail is held from now on */
    ALERT_INSIDE_OBSERVED, /* the same where it is only observed */
    ALERT_HARVEST,         /* a client outside tries out recipients */
    ALERT_SIGNUPS_HELD,    /* a flood of sign-ups to one recipient, which is held */
    ALERT_SIGNUPS_OBSERVED,
    ALERT_KINDS
};

struct alert {
    enum alert_kind kind;
    struct text hostname; /* who reports */
    struct text admin;    /* whom it goes to */
    struct text alert_id; /* our id of this mail: its Message-ID */
    uint64_t now_ms;
    struct text message_id;        /* our id of the message, as in the log; empty: there is none */
    struct text client;            /* "10.2.0.25" */
    struct text sender, recipient; /* the first one; the sender may be empty */
    struct text reason;            /* "virus found: Eicar-Test-Signature" */
    uint64_t quiet_ms;             /* so long no further alert of the like is sent */
};

/* A word for the alarm hook that never changes: "virus", "inside", "harvest", "sign-ups". Static. */
const char *alert_word(enum alert_kind kind);
/* Its Subject, UTF-8 in Japanese. Static. */
const char *alert_subject(enum alert_kind kind, bool is_japanese);

/* Appends header and body, CRLF-ended. */
void alert_compose(const struct alert *alert, struct buffer *out);

#endif
