/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What receive asks of queue. A message is kept (it is on disk) or refused; nothing in between. */
#ifndef SEKIMORI_IPC_ASK_QUEUE_H
#define SEKIMORI_IPC_ASK_QUEUE_H

#include "base/address.h"
#include "base/arena.h"
#include "ipc/body.h"
#include "ipc/channel.h"
#include "mail/alert.h"
#include "mail/digest.h"
#include "mail/edits.h"
#include "mail/envelope.h"

enum queue_frame {
    QUEUE_KEEP = 1,    /* struct keep_request; frame id = message id */
    QUEUE_KEPT,        /* same id: the message is on disk and will get exactly one ending per recipient */
    QUEUE_KEPT_BEFORE, /* same id; u64 message id: the same transaction (envelope.transaction) was kept as
                          that one, and the node that sent it may not have heard */
    QUEUE_NOT_KEPT,    /* same id; u8 enum keep_refusal, text reason */
    QUEUE_CONFIRMED,   /* receive: id: the node has seen our reply; should the same come again, it is meant */
    QUEUE_RESOLVE,     /* id: was this message kept? asked by a receive that was restarted */
    QUEUE_RESOLVED,    /* same id; u8 kept */
    QUEUE_SPACE,       /* queue to receive, unasked: u8 full (1: answer 452 at MAIL FROM), text why */
    QUEUE_BODY_FILE,   /* asks for an unnamed file in the spool for a large body */
    QUEUE_BODY_FILE_IS, /* same id; fd 0: the file (none: not to be had) */
    QUEUE_ALERT,        /* receive, unanswered: id: tell the administrator of this message, or with 0 of none;
                           struct alert (queue_alert_put) */
    QUEUE_ALERTED,      /* queue to report, unasked: the same, for the alarm hook: the mail is on its way */
};

enum keep_refusal { KEEP_DISK_FULL, KEEP_SYNC_FAILED, KEEP_MALFORMED, KEEP_UNVOUCHED };

enum hold_reason {
    HOLD_NONE,
    HOLD_QUARANTINE,
    HOLD_UNDELIVERABLE,
    HOLD_POISON,
    HOLD_ADMIN,
    HOLD_REPORT, /* to an address of the node's own: for the report process, see ask_report.h */
    HOLD_COUNT
};
const char *hold_reason_name(enum hold_reason reason); /* "quarantine", "" for none */

enum { KEEP_EDITS_LIMIT = 8 };

/* What goes with each recipient of the envelope, in the same order. */
struct keep_recipient {
    enum hold_reason hold;
    uint8_t edits; /* index into keep_request.edits */
};

/* Message facts that deliver needs and nobody should compute twice. */
enum content_flag {
    CONTENT_HEADER_8BIT = 1,     /* a header field has bytes over 127 (needs SMTPUTF8) */
    CONTENT_BODY_8BIT = 2,       /* the body has (needs 8BITMIME or conversion) */
    CONTENT_LEADING_DOT = 4,     /* some line starts with "." (needs stuffing with DATA) */
    CONTENT_LONG_LINE = 8,       /* a line of more than 998 octets */
    CONTENT_NO_END_OF_LINE = 16, /* the last line has no CRLF (BDAT) */
    CONTENT_IS_LINES = 32,       /* it was looked through: no NUL, no CR or LF but in CRLF */
};

/* What scan signed of it, see ipc/voucher.h. */
struct voucher {
    uint64_t at_ms; /* CLOCK_MONOTONIC; 0: there is none */
    uint8_t signature[DIGEST_BYTES];
};

/* Appended; read: zero where the bytes end before. */
void voucher_put(const struct voucher *voucher, struct buffer *out);
void voucher_get(struct reader *reader, struct voucher *out);

struct keep_request {
    uint64_t id;
    uint64_t arrived_ms; /* wall clock */
    uint16_t listener;   /* index in config.listeners */
    uint8_t direction;   /* enum direction of config/settings.h */
    uint8_t
        authenticated; /* a DSN may go to the outside sender: aligned SPF or DKIM pass, untagged verdict */
    uint16_t content;  /* enum content_flag bits, of prefix and body together */
    struct address client; /* zero: a message of this node's own */
    struct voucher voucher;
    struct envelope envelope;
    struct keep_recipient *recipients; /* envelope.recipient_count */
    struct text prefix;  /* header lines put before the body, CRLF-ended; the same for every delivery */
    uint8_t edits_count; /* at least 1 */
    struct text
        edits[KEEP_EDITS_LIMIT]; /* each the byte form of mail/edits.h; offsets count from the body's start */
    struct body body;
};

/* Appends the payload of QUEUE_KEEP (descriptors to fds). */
void keep_request_put(struct keep_request *request, struct buffer *frame, int *fds, int *fd_count);
/* Borrows from the frame; lists live in the arena. False: malformed. */
bool keep_request_get(struct arena *arena, struct frame *frame, struct keep_request *out);

/* Appends kind, client, sender, recipient and reason; nothing else of it goes over a channel. */
void queue_alert_put(const struct alert *alert, struct buffer *out);
bool queue_alert_get(struct text payload, struct alert *out); /* borrows; false: malformed */

#endif
