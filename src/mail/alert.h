/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Composes the mail that tells the administrator of a virus that somebody inside tried to send. Pure; 7-bit.
 */
#ifndef SEKIMORI_MAIL_ALERT_H
#define SEKIMORI_MAIL_ALERT_H

#include "base/buffer.h"

struct alert {
    struct text hostname; /* who reports */
    struct text admin;    /* whom it goes to */
    struct text alert_id; /* our id of this mail: its Message-ID */
    uint64_t now_ms;
    struct text message_id;        /* our id of the message, as in the log */
    struct text client;            /* "10.2.0.25" */
    struct text sender, recipient; /* the first one; the sender may be empty */
    struct text reason;            /* "virus found: Eicar-Test-Signature" */
    uint64_t quiet_ms;             /* so long no further alert of this client is sent */
};

/* Appends header and body, CRLF-ended. */
void alert_compose(const struct alert *alert, struct buffer *out);

#endif
