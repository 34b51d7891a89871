/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The server's side of one SMTP connection as a state machine: what a client sends in, replies and what is to
   be done out. RFC 5321 with PIPELINING (2920), CHUNKING (3030), STARTTLS (3207), XCLIENT. Pure: it knows no
   socket and no clock; connection.c carries the bytes. The client's side is deliver/dialogue.h.

   Every command has one reply. Where something is to be found out first, the action says what, and the reply
   is given by the server_dialogue_…_answer of the same name: until then no further input is to be shown. */
#ifndef SEKIMORI_RECEIVE_SERVER_DIALOGUE_H
#define SEKIMORI_RECEIVE_SERVER_DIALOGUE_H

#include "config/settings.h"
#include "ipc/event.h"
#include "smtp/command.h"

/* What is to be said of a message, or to a command. Code 0: nothing yet, or nothing stands against it. Texts
   are literals, or live in the arena that the maker says. */
struct reply {
    uint16_t code;
    const char *enhanced, *text; /* enhanced NULL: the reply has none */
    enum refusal_kind kind;      /* what a person is told behind it: server_dialogue_explain */
    const char *more;            /* further lines, a line end between two; NULL: none */
    const char *cause; /* the signal that refuses (judge/signal_family.h), for the ledger; NULL: none */
};

/* How far the client is with a message. */
enum server_dialogue_mail {
    MAIL_NONE,
    MAIL_OPEN,   /* MAIL was taken */
    MAIL_DATA,   /* 354 was said */
    MAIL_CHUNKS, /* BDAT has begun */
};

/* What the caller does after sending `out`. */
enum server_dialogue_action {
    SERVER_DIALOGUE_MORE,    /* nothing: no line has come whole, and nothing was said */
    SERVER_DIALOGUE_SAID,    /* nothing: the reply was all */
    SERVER_DIALOGUE_REFUSED, /* tell ledger and log of `refusal` */
    SERVER_DIALOGUE_MAIL,    /* find out whether there is room for a message */
    SERVER_DIALOGUE_RCPT,    /* find out whether the recipient is taken */
    SERVER_DIALOGUE_XCLIENT, /* find out whether the attributes make sense */
    SERVER_DIALOGUE_DATA,    /* read content up to its dot; server_dialogue_mail_over when it is settled */
    SERVER_DIALOGUE_CHUNK,   /* read chunk_left octets with server_dialogue_chunk, then
                                server_dialogue_chunk_end */
    SERVER_DIALOGUE_RESET,   /* forget the message under way */
    SERVER_DIALOGUE_HELLO,   /* the same, and the client has greeted */
    SERVER_DIALOGUE_SECURE,  /* start TLS, then server_dialogue_secured */
    SERVER_DIALOGUE_SETTLE,  /* the last chunk is whole: settle the message */
    SERVER_DIALOGUE_CLOSE,   /* close: the client said QUIT, or has lasted its time */
    SERVER_DIALOGUE_GIVE_UP, /* close: `refusal.text` says of what there was too much */
    SERVER_DIALOGUE_OUT_OF_STEP, /* close: what follows on the wire could be taken for what it is not */
    SERVER_DIALOGUE_ACTIONS
};

/* What holds while this input is read. */
struct server_dialogue_terms {
    const struct config *config; /* names and limits in force */
    bool is_overdue;             /* the session has lasted its time: it ends between two messages */
    bool is_handed_on;           /* XCLIENT named a transaction: the node in front has looked at the sender */
};

/* One input's outcome. Texts are borrowed from the input or live in the arena that was given along. */
struct server_dialogue_step {
    enum server_dialogue_action action;
    size_t used;                 /* octets of the input that are done with */
    struct smtp_command command; /* when one was read */
    struct reply refusal;        /* REFUSED, GIVE_UP, OUT_OF_STEP: what was said */
    enum event_stage stage;      /* REFUSED: where; of whom, may be empty: */
    struct text address;
};

struct server_dialogue {
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
    enum server_dialogue_mail mail;
    uint32_t recipients; /* taken, of the message under way */
    uint64_t chunk_left;
    bool chunk_is_last;
    uint32_t errors;
    uint32_t overshoots, junk;   /* since the last message: what was answered 452, what brought nothing */
    bool speaks_for;             /* XCLIENT named a client */
    bool needs_xclient;          /* one was refused, so that MAIL must be too */
    struct reply client_refusal; /* why the client named by XCLIENT may not send; code 0: it may */
};

enum { SERVER_DIALOGUE_REPLY_MOST = 899 }; /* octets of a reply's text; what is longer is cut */

/* `listener` is borrowed for as long as the dialogue lasts. */
void server_dialogue_start(struct server_dialogue *dialogue, const struct listener *listener, bool has_tls,
                           bool is_listed);

/* The reply with what `config` says to people of its kind; in Japanese too with `is_utf8`: only who said
   SMTPUTF8 reads more than ASCII in a reply (RFC 6531 section 3.7.4.2). Its lines are in the arena. */
struct reply server_dialogue_explain(const struct reply *reply, const struct config *config, bool is_utf8,
                                     struct arena *arena);

/* 220. Who spoke before it has two errors. */
void server_dialogue_greet(struct server_dialogue *dialogue, const struct config *config, bool is_early,
                           struct buffer *out);

/* Bytes that came where commands are due; the rest is shown again with what follows. At most one command is
   read: its replies go to *out, its texts to `arena`. The same input again has the same outcome after MORE
   and MAIL. */
void server_dialogue_input(struct server_dialogue *dialogue, const struct server_dialogue_terms *terms,
                           struct text input, struct arena *arena, struct buffer *out,
                           struct server_dialogue_step *step);

/* To MAIL: code 0 opens the message. */
void server_dialogue_mail_answer(struct server_dialogue *dialogue, const struct config *config,
                                 const struct reply *refusal, struct buffer *out);

/* To RCPT: 250, or a refusal that is said of `address`. */
void server_dialogue_rcpt_answer(struct server_dialogue *dialogue, const struct config *config,
                                 struct text address, const struct reply *reply, struct buffer *out);

/* To XCLIENT: NULL: taken. */
void server_dialogue_xclient_answer(struct server_dialogue *dialogue, const struct config *config,
                                    const char *why, struct buffer *out);

/* XCLIENT named another client, or the peer itself again, which may not send if `refusal` has a code: what
   led to 421 counts from 0 again. */
void server_dialogue_stand_for(struct server_dialogue *dialogue, bool speaks_for,
                               const struct reply *refusal);

/* The client has greeted with this name, copied here; "" where it is too long to be one. */
void server_dialogue_greeted(struct server_dialogue *dialogue, struct text helo, bool is_esmtp);

/* What of the input belongs to the chunk under way. */
struct text server_dialogue_chunk(struct server_dialogue *dialogue, struct text input);

/* chunk_left is 0: SAID or SETTLE. */
enum server_dialogue_action server_dialogue_chunk_end(struct server_dialogue *dialogue,
                                                      const struct config *config, struct buffer *out);

/* The message was settled or dropped. */
void server_dialogue_mail_over(struct server_dialogue *dialogue);

/* A message was taken: what leads to 421 without one counts from 0 again. */
void server_dialogue_message_taken(struct server_dialogue *dialogue);

/* The handshake is done; RFC 3207 section 4.2: all knowledge from before is thrown away. `doubt` is borrowed.
 */
void server_dialogue_secured(struct server_dialogue *dialogue, bool is_node, const char *doubt);

/* A command that brings no message forward: one more than limits.junk ends the session. A peer that may say
   XCLIENT is free of this while it speaks for itself. */
void server_dialogue_count_junk(struct server_dialogue *dialogue);

/* The peer is listed for XCLIENT, or a node. */
bool server_dialogue_may_xclient(const struct server_dialogue *dialogue);

/* One reply line. Errors count toward limits.errors; 452, which is no fault of the client as long as it minds
   it, counts from limits.recipients of them on. */
void server_dialogue_reply(struct server_dialogue *dialogue, const struct config *config,
                           const struct reply *reply, struct buffer *out);

#endif
