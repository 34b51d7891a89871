/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One message on its way to one server: what of it the server can take, the commands that say so, and how
   each recipient ended. Pure: no socket, no clock. Used by dialogue.c, which speaks the commands. */
#ifndef SEKIMORI_DELIVER_HANDOVER_H
#define SEKIMORI_DELIVER_HANDOVER_H

#include "ipc/ask_deliver.h"
#include "smtp/reply.h"

enum recipient_state {
    RECIPIENT_OPEN,  /* nothing said about it yet */
    RECIPIENT_TAKEN, /* the server said 2xx to RCPT; the content decides */
    RECIPIENT_ENDED  /* its result stands */
};

struct handover {
    /* given */
    struct arena *arena; /* results' texts live here */
    const struct envelope *envelope;
    bool is_probe;      /* a call-out: MAIL, RCPT, RSET, no content */
    bool asks_smtputf8; /* with is_probe: whether the server offers SMTPUTF8, and nothing is said to it */
    bool one_fate;      /* one recipient refused: the content is not sent for the others either */
    uint64_t length;    /* bytes of the content, not stuffed */
    uint16_t content;   /* enum content_flag of ipc/ask_queue.h */
    bool is_binary;     /* it has a NUL, a bare CR or a bare LF */

    /* answers; both arrays have envelope->recipient_count entries */
    struct recipient_result *results;
    uint8_t *states; /* enum recipient_state */
    uint32_t open;   /* not ended */

    /* what handover_prepare decided */
    bool says_8bit, says_smtputf8, says_binary; /* binary: the content may go by BDAT only */
};

enum handover_need {
    HANDOVER_READY,   /* at least one recipient is open, or is_probe */
    HANDOVER_CONVERT, /* the content has to become 7-bit first; then set length and content, prepare again */
    HANDOVER_OVER     /* every recipient has ended: nothing to say to this server */
};

/* Arrays from the arena, every recipient open. */
void handover_start(struct handover *handover);

/* A recipient as another process left it. One that had ended there has no result here: it was not tried. */
void handover_resume(struct handover *handover, uint32_t recipient, enum recipient_state state);

/* Goes to another server from the start: recipients that were taken are open again. */
void handover_restart(struct handover *handover);

/* Compares the message with what the server offers. `smtputf8_allowed` false: as if SMTPUTF8 were not
   offered: a domain goes as A-labels then. Ends recipients that this server can never take: 5.6.7 (RFC 6531
   section 3.2), 5.3.4 (RFC 1870 section 6.2), 5.6.3 (RFC 3030 section 3). With asks_smtputf8 the recipient is
   delivered or fails by that alone. */
enum handover_need handover_prepare(struct handover *handover, const struct smtp_capabilities *offered,
                                    bool smtputf8_allowed);

/* The command lines, with CRLF. */
void handover_put_mail(const struct handover *handover, const struct smtp_capabilities *offered,
                       struct buffer *out);
void handover_put_rcpt(const struct handover *handover, const struct smtp_capabilities *offered,
                       uint32_t recipient, struct buffer *out);

/* One recipient's ending by a reply of the server, or by a reason of our own (code 0). */
void handover_end_by_reply(struct handover *handover, uint32_t recipient, const struct smtp_reply *reply,
                           bool dsn_relayed);
void handover_end_by_us(struct handover *handover, uint32_t recipient, enum recipient_ending ending,
                        const char *enhanced, struct text reason);

/* Takes back what a server out of step was understood to say: delivered and failed become deferred, as what
   has not ended does. */
void handover_doubt(struct handover *handover, uint32_t recipient, struct text reason);

/* The same for all that have not ended; with `only_taken`, of those the server took. */
void handover_end_rest_by_reply(struct handover *handover, const struct smtp_reply *reply, bool dsn_relayed,
                                bool only_taken);
void handover_end_rest_by_us(struct handover *handover, enum recipient_ending ending, const char *enhanced,
                             struct text reason);

#endif
