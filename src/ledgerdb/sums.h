/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The kinds of sums that are kept for ever. One row of the tables `sum_day` and `sum_hour` is one
   (kind, day, hour, node, direction, domain, name) with three numbers: messages, recipients, bytes.

   day        yyyymmdd, local time of the node; yyyymm00: a whole month whose days are no longer kept
   hour       0-23 in sum_hour, where a kind is told apart by hours; sum_day has every kind without
   direction  enum direction
   domain     for mail in, the recipient's domain as the configuration names it; for mail out, the sender's;
              empty when it is none of ours
   messages   each message once: under the domain of its first recipient
   recipients each recipient, under its own domain
   bytes      of these messages, as they arrived

   A retold event adds nothing: sums are written with the row they count, and only when that row is new. */
#ifndef SEKIMORI_LEDGERDB_SUMS_H
#define SEKIMORI_LEDGERDB_SUMS_H

#include "base/buffer.h"

enum { SUM_WHOLE_DAY = 24 };

/* Numbers are stored: never reuse or reorder them. */
enum sum_kind {
    SUM_ACCEPTED = 1,  /* 250 after DATA. direction in: received, out: sent. At the time of arrival */
    SUM_OWN,           /* made by us: notices, reports */
    SUM_DELIVERED,     /* the next server took it. From here to REMOVED at the time it happened */
    SUM_RETURNED,      /* failed or expired: the sender was told, or wanted not to be */
    SUM_DISCARDED,     /* 250, then dropped by verdict: never in the queue, not among ACCEPTED */
    SUM_REMOVED,       /* by the administrator */
    SUM_REFUSED,       /* 4xx or 5xx before content was seen. name: "CONNECT", "MAIL", "RCPT" */
    SUM_REFUSED_AFTER, /* 4xx or 5xx to the content. name: the class ("virus", "spam", …) or "none" */
    SUM_ABORTED,       /* the client went before the end of the content */
    SUM_HELD,          /* name: "quarantine", "undeliverable", "poison", "admin" */
    SUM_RELEASED,
    SUM_EXPIRED_HELD, /* of HELD: because its time in the queue was over and nobody may be told */
    SUM_DEFERRED,     /* attempts that were put off */
    SUM_VIRUS,        /* messages with a virus, whatever became of them. name: the virus */
    SUM_CLASS,        /* judged messages by class. name: class_name() */
    SUM_SPAM_TAGGED,  /* recipients who got it marked */
    SUM_SPAM_HELD,
    SUM_SPAM_REFUSED,
    SUM_SPAM_DISCARDED,
    SUM_OBSERVED,      /* checks that only observe would have done this. name: the action */
    SUM_RULE,          /* messages in which a rule spoke. name: the rule; domain empty, WHOLE_DAY */
    SUM_ENGINE,        /* messages an engine looked at. name: the engine; domain empty, WHOLE_DAY */
    SUM_MISSED,        /* told to us as having leaked through. name: what it was */
    SUM_QUARANTINED,   /* out of the journal, into the quarantine. name: as of HELD */
    SUM_AGAIN,         /* accepted again: released from the quarantine */
    SUM_DELETED,       /* from the quarantine, by hand. name: the class there */
    SUM_AGED,          /* from the quarantine, since its time was over or room was wanted. name: as well */
    SUM_RELAYED,       /* the next node took it while its client waited; not among ACCEPTED */
    SUM_LOST,          /* events that found no room on their way here: what they told of is in no sum */
    SUM_LOST_REFUSALS, /* the same of refusals: the others' sums are right */
    SUM_AUTH,       /* messages whose sender was looked into. name: "dmarc=pass", "spf=softfail", "dkim=none",
                       "arc=fail", "excuse=forwarder"; WHOLE_DAY */
    SUM_NOT_OPENED, /* messages with a file that nobody opened, whatever became of them. name: its kind
                       (config/closed_kinds.h), a message counts with each of its own; WHOLE_DAY */
    SUM_SIGNAL, /* messages with a signal of judge/signal_family.h, recipients that were refused before the
                   content for one. name: "LIST_PARTNER=tagged", the signal and signal_fate_word(); domain
                   empty, WHOLE_DAY */
    SUM_KIND_COUNT
};
_Static_assert(SUM_KIND_COUNT <= 64, "a question has a bit for each kind");

/* The bit of a kind in a question. */
static inline uint64_t sum_bit(enum sum_kind kind)
{
    return UINT64_C(1) << kind;
}

/* What found no room on its way here: events that the account is made of, and refusals, which it is whole
   without. */
struct losses {
    uint64_t events, refusals;
};

const char *sum_kind_name(enum sum_kind kind); /* "accepted", "refused after data", … */
/* False: no such kind. */
bool sum_kind_from_name(struct text name, enum sum_kind *out);
/* "(1,2,5)", as SQL wants a list. `kinds`: of sum_bit; 0: all. */
void sum_kinds_add(struct buffer *out, uint64_t kinds);

/* Where a moment stands: day (yyyymmdd) and hour, local time. Cheap: remembers the last quarter of an hour.
 */
struct sum_clock {
    uint64_t quarter;
    uint32_t day;
    uint8_t hour;
};
/* By the local time zone. Cheap within the same quarter of an hour. */
void sum_clock_set(struct sum_clock *clock, uint64_t time_ms);

#endif
