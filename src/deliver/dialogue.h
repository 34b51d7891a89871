/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The client's side of one SMTP connection as a state machine: replies in, commands out, RFC 5321 with
   PIPELINING (2920), CHUNKING (3030), STARTTLS (3207). Pure: it knows no socket and no clock; outbound.c
   carries the bytes.

   Replies are matched to commands by counting, so a server that sends one too many is believed to have taken
   what it refuses. So a content counts as taken when RSET behind it was answered by 250 too: the content's
   own reply would stand there. Two replies cannot be mistaken for others: 354 comes only to DATA, 221 only to
   QUIT. A server that has not shown itself in step gets its content by DATA, and says 221 besides. */
#ifndef SEKIMORI_DELIVER_DIALOGUE_H
#define SEKIMORI_DELIVER_DIALOGUE_H

#include "config/settings.h"
#include "deliver/handover.h"

enum dialogue_state {
    DIALOGUE_CONNECTING,
    DIALOGUE_GREETING,
    DIALOGUE_EHLO,
    DIALOGUE_HELO,
    DIALOGUE_STARTTLS,
    DIALOGUE_HANDSHAKE,
    DIALOGUE_IDLE,
    DIALOGUE_TRANSACTION,
    DIALOGUE_FINAL, /* the content was sent whole, its reply is awaited */
    DIALOGUE_RESET,
    DIALOGUE_PROVING, /* QUIT was said after a transaction; its results are told when 221 comes */
    DIALOGUE_OVER
};

/* How far the server's replies are believed. */
enum dialogue_trust {
    TRUST_NONE,  /* it has not shown itself in step: DATA, and QUIT behind RSET proves the count */
    TRUST_COUNT, /* it has; content goes by DATA, since its replies to RCPT and to content look alike */
    TRUST_AHEAD  /* and they can be told apart by their status codes: content by BDAT, also sent ahead */
};

/* What a dialogue has shown of its server. */
enum dialogue_finding {
    FOUND_NOTHING,
    FOUND_IN_STEP,     /* as many replies as commands */
    FOUND_TELLS_APART, /* that, and its status codes say which reply is to an address (RFC 3463: x.1.x) */
    FOUND_HANGS_UP,    /* it ended instead of answering RSET behind a content that it seemed to take */
    FOUND_OUT_OF_STEP  /* a reply too many, or one that cannot be to what was said */
};

/* What the caller does after sending `out`. A handover that has no open recipient is done, whatever the
   action: the caller takes it back with dialogue_take_done. */
enum dialogue_action {
    DIALOGUE_WAIT,    /* for the next reply */
    DIALOGUE_SECURE,  /* start TLS, then dialogue_secured */
    DIALOGUE_CONTENT, /* send the content, as dialogue->content_is_bdat says, then dialogue_content_sent */
    DIALOGUE_READY,   /* idle: a handover may begin */
    DIALOGUE_CLOSE    /* nothing more is to be said; failure says why when no session came about */
};

/* Why a session did not come about, or ended: for results and the log. */
struct dialogue_failure {
    uint16_t code; /* 0: our own reason */
    struct text enhanced, reason;
    bool is_unconnected; /* no connection was accepted */
};

struct dialogue {
    /* given */
    struct text helo;
    enum tls_level tls;    /* of the route; TLS_OFF once a handshake failed and tls is only offered */
    bool smtputf8_allowed; /* by the route */
    enum dialogue_trust trust;
    bool is_mute; /* the server is to take its next reply for lost: it hears no QUIT to prove it by */

    enum dialogue_state state;
    struct smtp_capabilities offered;
    bool is_secure;
    struct dialogue_failure failure;
    enum dialogue_finding finding; /* the caller clears it */
    char failure_room[600], failure_status[16];

    /* the transaction under way */
    struct handover *handover;
    uint32_t *order;  /* indexes of the recipients that are asked */
    uint32_t asked;   /* how many */
    uint32_t sent;    /* commands sent: 1 MAIL, then RCPTs, then DATA, BDAT or the probe's RSET */
    uint32_t replied; /* of them answered */
    bool content_is_bdat, content_is_due, content_is_sent;
    bool xclient_is_due;          /* XCLIENT was said before MAIL, its reply is awaited */
    bool speaks_for;              /* the server takes us for the client of an earlier transaction */
    bool mail_failed, is_goodbye; /* 421 was seen */
    bool is_used;                 /* there was a transaction before */
    bool tells_apart;             /* every reply to RCPT and to the content has the status of its kind */
    uint32_t surplus;             /* replies that came since QUIT, before 221 */
    bool has_verdict;             /* the content was answered */
    bool is_unsure;               /* and by a reply that may be another's: 221 shows that it is not */
    bool has_waited;              /* the caller heard nothing for a while behind 354 */
    bool reset_is_said, reset_is_answered, reset_is_refused; /* the RSET behind the content */
    bool is_session_refused; /* 421 or 530 to MAIL: it would have been the same for any message */
};

enum { DIALOGUE_BDAT_AHEAD_MOST = 256 * 1024 }; /* larger content waits for a recipient that was taken */

/* Sets all of it. `helo` is borrowed as long as the dialogue stands. */
void dialogue_start(struct dialogue *dialogue, struct text helo, enum tls_level tls, bool smtputf8_allowed);

void dialogue_connected(struct dialogue *dialogue); /* the server's greeting is awaited from here */

/* For a reply that is not in step (deliver/step_proof.h). What was sent ahead of 354 is deferred; where only the
   content's reply was awaited the rest has to agree with it. */
enum dialogue_action dialogue_out_of_step(struct dialogue *dialogue, const struct smtp_reply *reply,
                                          struct buffer *out);

/* One reply that fits (proof_is_in_step). Appends to `out` what is to be sent; a 421 ends the session in
   any state (RFC 5321 section 3.8). */
enum dialogue_action dialogue_reply(struct dialogue *dialogue, const struct smtp_reply *reply,
                                    struct buffer *out);
/* The handshake after DIALOGUE_SECURE is done: says EHLO again (RFC 3207 section 4.2). */
enum dialogue_action dialogue_secured(struct dialogue *dialogue, struct buffer *out);

/* Only when idle and after handover_prepare said HANDOVER_READY. */
enum dialogue_action dialogue_begin(struct dialogue *dialogue, struct handover *handover, struct buffer *out);
/* Of a server that hangs up (FOUND_HANGS_UP) there is no proof behind the content, so one is wanted before
   it: nothing came for a while after DIALOGUE_CONTENT, and a reply too many would have. Before the content.
 */
void dialogue_waited(struct dialogue *dialogue);
/* Its last bytes are on their way: appends to `out` what goes in one group with them (RFC 2920 section 3.1).
 */
void dialogue_content_ends(struct dialogue *dialogue, struct buffer *out);
/* Its last byte has left. */
void dialogue_content_sent(struct dialogue *dialogue);

/* Goes on where another process was when its content had left whole: `replied` of the commands are answered.
   Trusts nothing. All recipients of the handover were asked, in their order. */
void dialogue_adopt(struct dialogue *dialogue, struct handover *handover, bool is_bdat, uint32_t replied,
                    bool awaits_xclient);

/* What has shown so far that the content's reply is its own. */
struct dialogue_proof {
    bool reset_is_answered, reset_is_refused, quit_is_said;
    uint32_t surplus; /* replies since QUIT */
};
/* After dialogue_adopt, where the content's reply had been read too. */
void dialogue_adopt_verdict(struct dialogue *dialogue, const struct smtp_reply *reply,
                            const struct dialogue_proof *proof);

/* The handover when it is done (all recipients ended), else NULL; it is then no longer the dialogue's. */
struct handover *dialogue_take_done(struct dialogue *dialogue);

/* The connection broke, timed out or made no sense: recipients without an ending are deferred with `enhanced`
   and `reason` and what was being waited for. Without a transaction it becomes the failure. */
void dialogue_broken(struct dialogue *dialogue, const char *enhanced, struct text reason);

/* Nothing of the transaction has been answered, so that another connection may begin it anew. */
bool dialogue_is_unanswered(const struct dialogue *dialogue);

#endif
