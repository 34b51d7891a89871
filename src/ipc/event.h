/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Events: what each process tells ledger. An event is idempotent: ledger keeps one of each (message,
   recipient, kind), so a restarted process may tell again what it cannot know was heard. */
#ifndef SEKIMORI_IPC_EVENT_H
#define SEKIMORI_IPC_EVENT_H

#include "base/address.h"
#include "base/buffer.h"
#include "base/codec.h"

enum event_kind {
    EVENT_ACCEPTED = 1, /* receive: 250 was earned: the message is kept, with all its recipients */
    EVENT_REFUSED,      /* receive: a recipient or message was refused (4xx or 5xx); no message id needed */
    EVENT_ENDED,        /* deliver (delivered, failed) or queue: one recipient's ending */
    EVENT_KIND_COUNT
};

/* The endings of a recipient that was accepted. Exactly one each. */
enum ending {
    ENDING_NONE,      /* still with us: queued or held */
    ENDING_DELIVERED, /* the next server said 250 */
    ENDING_RETURNED,  /* failed or expired, and a DSN was queued (or was not wanted: NOTIFY=NEVER, <>) */
    ENDING_DISCARDED, /* by verdict or by policy */
    ENDING_REMOVED,   /* by the administrator */
    ENDING_COUNT
};
const char *ending_name(enum ending ending);

struct event_accepted {
    uint64_t id, time_ms, size;
    uint8_t direction, is_own; /* own: made by queue (a DSN) */
    struct address client;
    struct text helo, sender, verdict; /* verdict: its summary line */
    uint32_t recipient_count;
    const struct text *recipients; /* addresses */
};

struct event_ended {
    uint64_t id, time_ms;
    uint32_t recipient; /* its number in the message, from 0 */
    enum ending ending;
    struct text dsn, relay, reply;
};

struct event_refused {
    uint64_t time_ms;
    struct address client;
    struct text helo, sender, recipient, reply;
};

/* Append to a buffer what ring_append takes. Texts are cut so that a record fits RING_RECORD_LIMIT;
   recipients that do not fit follow in further records made by the caller of event_accepted_put: it returns
   how many went in, starting at `first`. */
uint32_t event_accepted_put(const struct event_accepted *event, uint32_t first, struct buffer *out);
void event_ended_put(const struct event_ended *event, struct buffer *out);
void event_refused_put(const struct event_refused *event, struct buffer *out);

/* The kind of a record, 0 when malformed; then the matching get. `first` is the number of the first
 * recipient. */
enum event_kind event_kind_of(struct text record);
struct arena;
bool event_accepted_get(struct arena *arena, struct text record, struct event_accepted *out,
                        uint32_t *out_first);
bool event_ended_get(struct text record, struct event_ended *out);
bool event_refused_get(struct text record, struct event_refused *out);

#endif
