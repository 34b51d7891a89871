/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The mail to a user whose ticket released nothing. */
#ifndef SEKIMORI_REPORT_MISSED_ANSWER_H
#define SEKIMORI_REPORT_MISSED_ANSWER_H

#include "base/buffer.h"
#include "config/settings.h"
#include "ipc/ask_ledger.h"

/* Beside enum redeemed: there was no ticket to ask ledger about. */
enum { ANSWER_NO_TICKET = REDEEMED_COUNT };

struct answer {
    const struct config *config;
    enum language language;
    struct text to, id; /* id: of the letter */
    int why;            /* enum redeemed, or ANSWER_NO_TICKET */
    uint64_t now_ms;
};

/* Appends the whole mail, header and body. */
void answer_print(const struct answer *answer, struct buffer *out);

/* For the log: "the ticket is false", … */
const char *answer_reason(int why);

/* How often one sender is answered, and how many senders, in an hour. Zero-initialised is empty. */
enum { ANSWERS_AN_HOUR = 10, ANSWERED_SENDERS = 256 };
struct answered {
    struct {
        uint64_t sender, since_ms; /* since 0: free */
        unsigned count;
    } senders[ANSWERED_SENDERS];
};
/* Counts one more. False: it is to get none now. */
bool answered_count(struct answered *answered, struct text sender, uint64_t now_ms);

#endif
