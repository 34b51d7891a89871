/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A client's lines against a dialogue, and what came of them in words: how the tests of receive read. */
#ifndef SEKIMORI_TESTS_RECEIVE_TALK_H
#define SEKIMORI_TESTS_RECEIVE_TALK_H

#include "receive/server_dialogue.h"

struct talk {
    struct config config;
    struct listener listener;
    struct server_dialogue dialogue;
    struct arena *arena;
    struct buffer out;   /* replies of the last step */
    struct buffer words; /* "250 hello 250 mail": of each step the codes of its replies, then the action */
    struct server_dialogue_step step;
    bool is_node, is_overdue, is_over;
    uint16_t answer; /* to the next question; 0: yes */
};

/* Limits: 1000 octets, 3 recipients, 2 errors, 4 commands without a message. The connection is not greeted.
 */
void talk_begin(struct talk *talk);
void talk_end(struct talk *talk);

/* Raw bytes, until the dialogue ends or wants more. */
void talk_bytes(struct talk *talk, struct text bytes);

/* Lines that end with \n, sent with CRLF. A line that begins so is no command:
     <450  the next question (MAIL, RCPT, XCLIENT) has this answer
     *     the TLS handshake is done
     #5    five octets of a chunk come
     .     the content has come and is settled; +: and the message was taken
     @     the session has lasted its time */
void talk_lines(struct talk *talk, const char *lines);

/* The words since the last call, valid until the next line. */
const char *talk_words(struct talk *talk);

#endif
