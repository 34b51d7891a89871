/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Composes delivery status notifications: RFC 3461, 3464, 6522, 6533. Pure; the result is 7-bit unless the
   sender's own address has no form in ASCII (then its header is in UTF-8), or an 8-bit message is returned
   whole (then its body is 8-bit). */
#ifndef SEKIMORI_MAIL_DSN_H
#define SEKIMORI_MAIL_DSN_H

#include "base/buffer.h"
#include "mail/envelope.h"

enum dsn_action { DSN_FAILED, DSN_DELAYED, DSN_RELAYED };

struct dsn_recipient {
    struct text address;
    struct text orcpt;      /* as in the envelope: "rfc822;user@example.jp"; empty: none */
    struct text status;     /* "5.1.1" */
    struct text remote;     /* "mail.example.jp[192.0.2.7]:25", or empty: nobody was talked to */
    struct text diagnostic; /* the server's reply, or our reason */
    bool is_smtp_reply;     /* the diagnostic is what the remote server said */
};

/* What is sent back of a message when RETURN was not stated is all of it up to the first limit; nothing is
   ever sent back whole beyond the second, nor with a NUL or a line over 998 octets, which need an encoding
   that a message part may not have (RFC 2046 section 5.2.1). */
enum { DSN_FULL_UNSTATED_MOST = 64 * 1024, DSN_FULL_MOST = 1024 * 1024, DSN_HEADER_MOST = 64 * 1024 };

struct dsn {
    enum dsn_action action;
    struct text hostname;   /* who reports */
    struct text sender;     /* of the message: whom the notice goes to */
    struct text envid;      /* of the message, or empty */
    struct text message_id; /* our id of the message, as in the log */
    struct text help;       /* where people ask, "help@example.jp https://…"; empty: nowhere */
    struct text notice_id;  /* our id of the notice: names its boundary and Message-ID */
    uint64_t arrived_ms, now_ms;
    uint64_t until_ms; /* DSN_DELAYED: how long we go on trying */
    enum envelope_return ret;
    uint32_t recipient_count;
    const struct dsn_recipient *recipients;
    struct text original; /* header and body */
};

/* Appends header and body, CRLF-ended. */
void dsn_compose(const struct dsn *dsn, struct buffer *out);

#endif
