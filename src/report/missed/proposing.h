/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a report would teach: each attached mail is read by a worker of scan, in its jail, and what comes back
   as numbers is proposed to ledger. One report at a time. Called by inbox.c alone. */
#ifndef SEKIMORI_REPORT_MISSED_PROPOSING_H
#define SEKIMORI_REPORT_MISSED_PROPOSING_H

#include "config/settings.h"
#include "ipc/ask_ledger.h"

struct proposing;

/* All borrowed until it is done or cancelled. */
struct proposing_order {
    bool is_spam;
    struct text reporter; /* MAIL FROM of a mail from inside */
    const struct text *mails;
    size_t count;
};

struct proposing_events {
    /* Each mail is proposed or passed over; `said`: what became of them, in words. */
    void (*done)(void *context, struct text said);
    /* Before that, of each mail that could be read: `message`: of ours, which it is a copy of; 0: none was
       found. False: it is to be done later, as below. */
    bool (*found)(void *context, struct text mail, uint64_t message);
    /* Scan or ledger cannot now: the report is to be done again from its beginning, which changes nothing of
       what was done. */
    void (*later)(void *context, const char *why);
};

/* Never NULL, as long as the process. */
struct proposing *proposing_new(struct loop *loop, const struct proposing_events *events, void *context);
void proposing_set_scan(struct proposing *proposing, int fd); /* scan is there, or there again */

/* Whether a report of that kind teaches, and what: spam or ham. */
bool proposing_teaches(enum missed_kind kind, bool *out_is_spam);

/* Under `ledger`, which is asked on; at least one mail. May say at once that it is done later. */
void proposing_begin(struct proposing *proposing, struct channel *ledger,
                     const struct proposing_order *order);
void proposing_cancel(struct proposing *proposing); /* nothing is said of it any more */
/* LEDGER_PROPOSED. False: malformed. */
bool proposing_answer(struct proposing *proposing, const struct frame *frame);

#endif
