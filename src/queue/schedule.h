/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Who is delivered when: recipients of a message that share domain and edits are one delivery; deliveries
   wait by destination, destinations take turns. No I/O, no clock: the time is an argument (wall clock, ms).
 */
#ifndef SEKIMORI_QUEUE_SCHEDULE_H
#define SEKIMORI_QUEUE_SCHEDULE_H

#include <sys/queue.h>

#include "queue/heap.h"
#include "queue/journal/message_index.h"

struct schedule_destination;

enum delivery_state { DELIVERY_READY, DELIVERY_WAITING, DELIVERY_OUT };

struct delivery {
    struct message *message;
    struct schedule_destination *destination;
    struct delivery *next_of_message;
    TAILQ_ENTRY(delivery) line; /* READY: of the destination */
    struct heap_item due;       /* WAITING: until when */
    uint64_t job_id;            /* OUT: the caller's */
    uint8_t state, edits, attempts;
    uint32_t
        last_try; /* the last attempt was given when its destination had been down so often, and 1; 0: not */
};

/* What the configuration says of a domain. */
struct schedule_route {
    uint32_t limit; /* deliveries out at a time */
    bool is_static; /* its route needs no DNS: it may use what is kept free of others */
};

struct schedule_policy {
    uint64_t retry_first_ms, retry_most_ms;
    uint32_t limit_all;     /* deliveries out at a time */
    uint32_t limit_dynamic; /* of these to destinations that are not static */
    void *context;
    struct schedule_route (*route)(void *context, struct text domain);
};

struct schedule;

/* Never NULL. The message index is borrowed, the policy copied. Freed before the message index, with all
   deliveries; NULL is allowed. */
struct schedule *schedule_new(struct message_index *message_index, const struct schedule_policy *policy,
                              uint64_t seed);
void schedule_free(struct schedule *schedule);

/* A new configuration: limits and routes are asked again. */
void schedule_set_policy(struct schedule *schedule, const struct schedule_policy *policy);

/* Makes deliveries for those recipients that have no ending, no hold and no delivery yet. One that was tried
   before waits until message->due_ms (at most retry_most_ms from now), others are ready. */
void schedule_add(struct schedule *schedule, struct message *message, uint64_t now_ms);

/* The next delivery whose turn it is; it is OUT from then on. NULL: none may go now. */
struct delivery *schedule_next(struct schedule *schedule, uint64_t now_ms);

/* This one is out already: by someone else's word. It is READY or WAITING. */
void schedule_take(struct schedule *schedule, struct delivery *delivery);

/* Ways back from OUT. */
void schedule_done(struct schedule *schedule, struct delivery *delivery); /* nothing is left of it: freed */
/* Tried and to be tried again; returns when. */
uint64_t schedule_defer(struct schedule *schedule, struct delivery *delivery, uint64_t now_ms);
void schedule_give_back(struct schedule *schedule, struct delivery *delivery); /* not tried: first in line */

/* No server of the destination could be talked to: all its deliveries wait, one goes out as a probe when the
   time has come; the time doubles with each failure. The delivery is to be given back by schedule_give_back;
   returns until when. */
uint64_t schedule_destination_down(struct schedule *schedule, struct delivery *delivery, struct text reason,
                                   uint64_t now_ms);
/* Forgets its failures. */
void schedule_destination_up(struct schedule *schedule, struct delivery *delivery, uint64_t now_ms);
/* Why the destination is down; empty when it is not. */
struct text schedule_down_reason(const struct schedule *schedule, const struct delivery *delivery);
/* Until when the delivery waits, by its own time or its destination's; 0: for nothing. */
uint64_t schedule_waits_until(const struct delivery *delivery);

/* At once, whatever they wait for. */
void schedule_retry_message(struct schedule *schedule, struct message *message, uint64_t now_ms);
void schedule_retry_domain(struct schedule *schedule, struct text domain, uint64_t now_ms);
void schedule_retry_all(struct schedule *schedule, uint64_t now_ms);

/* Before its message expires a delivery is tried once more: the first call lets it go at once. True: since
   then its destination was found down; so it will be if it is tried, and the caller need not wait. */
bool schedule_last_try(struct schedule *schedule, struct delivery *delivery);

/* Frees the deliveries of the message that are not OUT and have no recipient left to serve (all ended or
   held). True when none is left at all. */
bool schedule_trim(struct schedule *schedule, struct message *message);
/* Frees every delivery; none is OUT. Before a message goes away. */
void schedule_forget(struct schedule *schedule, struct message *message);

/* When schedule_next may have something that it has not now; UINT64_MAX: never. */
uint64_t schedule_wake_ms(const struct schedule *schedule);

/* Messages are also watched for their age: the first whose time has come, taken off the watch; or NULL. */
void schedule_watch(struct schedule *schedule, struct message *message, uint64_t at_ms);
struct message *schedule_aged(struct schedule *schedule, uint64_t now_ms);

struct schedule_facts {
    uint64_t deliveries, ready, waiting, out, destinations, destinations_down;
    uint64_t out_recipients; /* of the messages whose deliveries are out: no fewer than theirs */
};
struct schedule_facts schedule_facts(const struct schedule *schedule); /* a copy */

/* The next delivery of that message's list that serves recipient `number`; NULL: none. */
struct delivery *schedule_delivery_of(const struct message *message,
                                      const struct queued_recipient *recipient);
/* True when the delivery serves it: same domain and edits, no ending, no hold. */
bool delivery_serves(const struct delivery *delivery, const struct queued_recipient *recipient);
bool delivery_has_recipient(const struct delivery *delivery); /* it serves one at least */

#endif
