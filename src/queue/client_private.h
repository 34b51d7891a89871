/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One `sekimori queue` at work: client.c takes the command and goes through the messages, a few a turn;
   client_print.c writes what is shown. */
#ifndef SEKIMORI_QUEUE_CLIENT_PRIVATE_H
#define SEKIMORI_QUEUE_CLIENT_PRIVATE_H

#include "queue/queue_private.h"
#include "queue/queue_selection.h"

enum { AGE_BUCKETS = 10 }; /* minutes: 5, 10, 20, 40, 80, 160, 320, 640, 1280, more */

struct tally {
    uint32_t domain;
    uint64_t total, held, ages[AGE_BUCKETS];
};

struct client {
    enum { CLIENT_MAGIC = 0x1c03fb92 } magic;
    struct queue *queue;
    struct channel *channel;
    struct timer *timer;
    struct arena *arena;        /* of the command */
    struct commander commander; /* who commands */
    const struct client_verb *verb;
    struct queue_selection selection;
    uint64_t *ids; /* the messages there were when the command came */
    size_t id_count, place;
    uint64_t seen, touched, busy; /* recipients named; acted on; not, since they are being delivered */
    uint64_t messages, doubtful;  /* messages acted on; recipients of these that were held as harmful */
    struct text asked;            /* the words of the command, in one line */
    struct tally *tallies;        /* summary: by domain number */
    uint32_t tally_count;
    bool is_finished;
};

/* One JSON object, no line end. `is_long`: with what `show` adds. */
void client_print_message(const struct client *client, const struct message *message, const struct lead *lead,
                          const struct envelope *envelope, bool is_long, struct buffer *out);
/* Appends one JSON object. */
void client_print_tally(const struct client *client, const struct tally *tally, struct buffer *out);
/* Counts one recipient to its domain; tallies are the client's. */
void client_tally(struct client *client, const struct message *message, uint32_t number);

#endif
