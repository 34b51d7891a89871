/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is learned though nobody said it (learn automatic): receive offers messages that rules and signals put
   far beyond the lines, and here it is seen that no sender, network or text teaches more than a few, that
   both classes grow alike, and that nobody said otherwise. Each lesson is on record. */
#ifndef SEKIMORI_LEDGER_LEARNING_AUTOMATIC_H
#define SEKIMORI_LEDGER_LEARNING_AUTOMATIC_H

#include "ipc/offered_lesson.h"
#include "ledger/learning/learning.h"
#include "ledger/quarantine/quarantine_command.h"

enum {
    AUTOMATIC_A_DOMAIN = 3,  /* lessons of one organization in 24 hours */
    AUTOMATIC_A_NETWORK = 5, /* of one network (IPv4 /16, IPv6 /32) */
    AUTOMATIC_AHEAD = 20,    /* lessons of one class more than of the other */
    AUTOMATIC_KNOWN_DAYS = 3 /* earlier days on which the author of ham was proven */
};

/* What became of an offer. */
enum automatic_outcome {
    AUTOMATIC_TAUGHT,
    AUTOMATIC_OFF,
    AUTOMATIC_UNREAD,   /* it makes no sense, or nothing tells it from other messages */
    AUTOMATIC_KNOWN,    /* it was taught, taken back, or somebody told of it */
    AUTOMATIC_STRANGER, /* ham of an author who was not proven on enough days before */
    AUTOMATIC_ENOUGH,   /* of its class, sender, network, or the same text was taught */
    AUTOMATIC_LATER,    /* the database or the log cannot be had: it is passed over */
    AUTOMATIC_OUTCOMES
};

struct automatic;

/* Never NULL. All are borrowed; `records` writes down what was taught. */
struct automatic *automatic_new(struct loop *loop, struct ingest *ingest, struct learning *learning,
                                struct quarantine_command_server *records);
void automatic_free(struct automatic *automatic);
void automatic_set_config(struct automatic *automatic, const struct config *config); /* borrowed */

/* An EVENT_OFFERED; the same again changes nothing. What was taught holds over a crash. */
enum automatic_outcome automatic_take(struct automatic *automatic, struct text event);

#endif
