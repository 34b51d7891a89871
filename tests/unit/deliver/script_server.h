/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* An SMTP server on the loop of a test: it answers by rules, remembers every command and message. */
#ifndef SEKIMORI_TESTS_DELIVER_SCRIPT_SERVER_H
#define SEKIMORI_TESTS_DELIVER_SCRIPT_SERVER_H

#include "base/buffer.h"
#include "base/loop.h"

struct tls_context;

/* The first rule whose `command` begins what was said is used; "" is the greeting, "." the end of the content
   (of DATA or BDAT). `times`: how often it is used, 0: always. */
struct rule {
    const char *command;
    const char *reply;         /* lines with CRLF; NULL: silence */
    bool closes, closes_first; /* after, or instead of, the reply */
    unsigned times;
    unsigned used;
};

struct script_server {
    struct loop *loop;
    const char *features; /* EHLO lines behind the first: "PIPELINING\nSIZE 1000\n" */
    struct rule *rules;   /* ends with a NULL command */
    struct tls_context *tls;
    uint16_t port;
    unsigned connections, messages, open;
    struct buffer said;    /* every command line, LF-ended; "(secure)" after a handshake */
    struct buffer content; /* the last message as it came, unstuffed */
    int fd;
    struct watch *watch;
};

/* Listens on 127.0.0.1, any port. The other fields are set by the caller before or after. */
void script_server_start(struct script_server *server, struct loop *loop);
void script_server_stop(struct script_server *server);

#endif
