/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The server's side of one SMTP connection as a state machine: what a client sends in, replies and what is to
   be done out. RFC 5321 with PIPELINING (2920), CHUNKING (3030), STARTTLS (3207), XCLIENT. Pure: it knows no
   socket and no clock; inbound.c carries the bytes. The client's side is deliver/dialogue.h.

   Every command has one reply. Where something is to be found out first, the action says what, and the reply
   is given by the conversation_…_answer of the same name: until then no further input is to be shown. */
#ifndef SEKIMORI_RECEIVE_CONVERSATION_H
#define SEKIMORI_RECEIVE_CONVERSATION_H

#include "config/settings.h"
#include "ipc/event.h"
#include "smtp/command.h"

/* What is to be said of a message, or to a command. Code 0: nothing yet, or nothing stands against it. Texts
   are literals, or live in the arena that the maker says. */
struct reply {
    uint16_t code;
    const char *enhanced, *text; /* enhanced NULL: the reply has none */
};

/* How far the client is with a message. */
enum conversation_mail {
    MAIL_NONE,
    MAIL_OPEN,   /* MAIL was taken */
    MAIL_DATA,   /* 354 was said */
    MAIL_CHUNKS, /* BDAT has begun */
};

/* What the caller does after sending `out`. */
enum conversation_action {
    CONVERSATION_MORE,    /* nothing: no line has come whole, and nothing was said */
    CONVERSATION_SAID,    /* nothing: the reply was all */
    CONVERSATION_REFUSED, /* tell ledger and log of `refusal` */
    CONVERSATION_MAIL,    /* find out whether there is room for a message */
    CONVERSATION_RCPT,    /* find out whether the recipient is taken */
    CONVERSATION_XCLIENT, /* find out whether the attributes make sense */
    CONVERSATION_DATA,    /* read content up to its dot; conversation_mail_over when it is settled */
    CONVERSATION_CHUNK,   /* read chunk_left octets with conversation_chunk, then conversation_chunk_end */
    CONVERSATION_RESET,   /* forget the message under way */
    CONVERSATION_HELLO,   /* the same, and the client has greeted */
    CONVERSATION_SECURE,  /* start TLS, then conversation_secured */
    CONVERSATION_SETTLE,  /* the last chunk is whole: settle the message */
    CONVERSATION_CLOSE,   /* close: the client said QUIT, or has lasted its time */
    CONVERSATION_GIVE_UP, /* close: `refusal.text` says of what there was too much */
    CONVERSATION_OUT_OF_STEP, /* close: what follows on the wire could be taken for what it is not */
    CONVERSATION_ACTIONS
};

/* What holds while this input is read. */
struct conversation_terms {
    const struct config *config; /* names and limits in force */
    bool is_overdue;             /* the session has lasted its time: it ends between two messages */
};

/* One input's outcome. Texts are borrowed from the input or live in the arena that was given along. */
struct conversation_step {
    enum conversation_action action;
    size_t used;                 /* octets of the input that are done with */
    struct smtp_command command; /* when one was read */
    struct reply refusal;        /* REFUSED, GIVE_UP, OUT_OF_STEP: what was said */
    enum event_stage stage;      /* REFUSED: where; of whom, may be empty: */
    struct text address;
};

struct conversation {
    /* given */
    const struct listener *listener;
    bool has_tls;   /* there is a certificate to offer */
    bool is_listed; /* the peer may say XCLIENT */
    bool is_secure, is_node;
    const char *doubt; /* why the certificate that was shown counts as none; "" */

    struct text helo; /* in helo_room; empty: it has not greeted since TLS began */
    char helo_room[256];
    bool is_esmtp;
    bool skips_line; /* the line under way is too long: its rest is thrown away, and answered once */
    enum conversation_mail mail;
    uint32_t recipients; /* taken, of the message under way */
    uint64_t chunk_left;
    bool chunk_is_last;
    uint32_t errors;
    uint32_t overshoots, junk;   /* since the last message: what was answered 452, what brought nothing */
    bool speaks_for;             /* XCLIENT named a client */
    bool needs_xclient;          /* one was refused, so that MAIL must be too */
    struct reply client_refusal; /* why the client named by XCLIENT may not send; code 0: it may */
};

enum { CONVERSATION_REPLY_MOST = 899 }; /* octets of a reply's text; what is longer is cut */

/* `listener` is borrowed for as long as the conversation lasts. */
void conversation_start(struct conversation *conversation, const struct listener *listener, bool has_tls,
                        bool is_listed);

/* 220. Who spoke before it has two errors. */
void conversation_greet(struct conversation *conversation, const struct config *config, bool is_early,
                        struct buffer *out);

/* Bytes that came where commands are due; the rest is shown again with what follows. At most one command is
   read: its replies go to *out, its texts to `arena`. The same input again has the same outcome after MORE
   and MAIL. */
void conversation_input(struct conversation *conversation, const struct conversation_terms *terms,
                        struct text input, struct arena *arena, struct buffer *out,
                        struct conversation_step *step);

/* To MAIL: code 0 opens the message. */
void conversation_mail_answer(struct conversation *conversation, const struct config *config,
                              const struct reply *refusal, struct buffer *out);

/* To RCPT: 250, or a refusal that is said of `address`. */
void conversation_rcpt_answer(struct conversation *conversation, const struct config *config,
                              struct text address, const struct reply *reply, struct buffer *out);

/* To XCLIENT: NULL: taken. */
void conversation_xclient_answer(struct conversation *conversation, const struct config *config,
                                 const char *why, struct buffer *out);

/* XCLIENT named another client, or the peer itself again, which may not send if `refusal` has a code: what
   led to 421 counts from 0 again. */
void conversation_stand_for(struct conversation *conversation, bool speaks_for, const struct reply *refusal);

/* The client has greeted with this name, copied here; "" where it is too long to be one. */
void conversation_greeted(struct conversation *conversation, struct text helo, bool is_esmtp);

/* What of the input belongs to the chunk under way. */
struct text conversation_chunk(struct conversation *conversation, struct text input);

/* chunk_left is 0: SAID or SETTLE. */
enum conversation_action conversation_chunk_end(struct conversation *conversation,
                                                const struct config *config, struct buffer *out);

/* The message was settled or dropped. */
void conversation_mail_over(struct conversation *conversation);

/* A message was taken: what leads to 421 without one counts from 0 again. */
void conversation_message_taken(struct conversation *conversation);

/* The handshake is done; RFC 3207 section 4.2: all knowledge from before is thrown away. `doubt` is borrowed.
 */
void conversation_secured(struct conversation *conversation, bool is_node, const char *doubt);

/* A command that brings no message forward: one more than limits.junk ends the session. A peer that may say
   XCLIENT is free of this while it speaks for itself. */
void conversation_count_junk(struct conversation *conversation);

/* The peer is listed for XCLIENT, or a node. */
bool conversation_may_xclient(const struct conversation *conversation);

/* One reply line. Errors count toward limits.errors; 452, which is no fault of the client as long as it minds
   it, counts from limits.recipients of them on. */
void conversation_reply(struct conversation *conversation, const struct config *config,
                        const struct reply *reply, struct buffer *out);

#endif
