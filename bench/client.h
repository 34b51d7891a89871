/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One SMTP connection of the load generator: connects when it has a message, sends it, says how it ended.
   It never waits: its owner runs epoll and hands it what happened. */
#ifndef SEKIMORI_BENCH_CLIENT_H
#define SEKIMORI_BENCH_CLIENT_H

#include "base/address.h"

struct secure;
struct secure_context;

enum client_state {
    CLIENT_CLOSED,
    CLIENT_CONNECTING,
    CLIENT_GREETING,
    CLIENT_EHLO,
    CLIENT_STARTTLS,
    CLIENT_HANDSHAKE,
    CLIENT_READY,
    CLIENT_ENVELOPE,
    CLIENT_CONTENT,
    CLIENT_RESET,
    CLIENT_QUIT,
};

enum { CLIENT_INPUT_BYTES = 2048, CLIENT_ID_LINE_BYTES = 24, CLIENT_ADDRESSES_MOST = 1 << 22 };

/* The same for all connections of a run; borrowed by each. */
struct client_plan {
    struct endpoint to;
    int epoll;
    struct text *commands; /* MAIL, each RCPT, DATA: with CRLF */
    size_t command_count;
    struct text envelope; /* all commands in one piece */
    struct secure_context *tls;
    bool pipelining; /* when the server offers it */
    bool unique;     /* put "X-Bench-Id: N" before the body */
    uint64_t reuse;  /* messages a connection; 0: no limit */
    uint32_t addresses; /* connections come from so many of 127.0.0.0/8 in turn; 0: from the system's choice */
    double timeout; /* seconds for a message from its start, and for reaching a server that does not answer */

    /* How the message ended: `state` is where, `code` the reply (0: none came), `why` its text. 250 in
       CLIENT_CONTENT is an acknowledged message. */
    void (*on_finished)(void *context, uint32_t index, enum client_state state, int code, struct text why);
    /* Free for client_start; may be closed or connected. */
    void (*on_free)(void *context, uint32_t index);
    void *context;
};

struct client_message {
    uint64_t id;
    struct text body;
    double since; /* when it was due */
};

struct client {
    const struct client_plan *plan;
    uint32_t index; /* its place among its owner's connections */
    int fd;
    enum client_state state;
    bool offers_pipelining, offers_tls, has_message, wants_write;
    bool mail_taken, rcpt_taken;
    size_t step;      /* which command's reply is awaited */
    int refused_code; /* the first refusal in this envelope */
    uint64_t sent;    /* messages on this connection */
    double deadline;  /* of what goes on; 0: none */
    double retry_at;  /* when to connect again; 0: not waiting */
    uint64_t connections, failed_connects;
    struct secure *secure;
    struct client_message message;
    struct text out[2]; /* what has not left yet */
    char id_line[CLIENT_ID_LINE_BYTES + 1];
    size_t in_start, in_end;
    char in[CLIENT_INPUT_BYTES];
    char refused_why[128];
};

void client_init(struct client *client, const struct client_plan *plan, uint32_t index);

/* Sends `message`, connecting first when needed. Only for a client that is free. */
void client_start(struct client *client, const struct client_message *message);

/* What epoll said of its descriptor. */
void client_event(struct client *client, uint32_t events);

/* To be called now and then: connects again when it is time, ends what took too long. */
void client_tick(struct client *client, double now);

/* Says QUIT where that is polite, and closes at once. */
void client_close(struct client *client);

/* "connect", "greeting", …, "content": for reports. */
const char *client_state_name(enum client_state state);

#endif
