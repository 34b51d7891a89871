/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What receive tells lookup of senders, so that it knows them the next time. A frame of enum lookup_frame. */
#ifndef SEKIMORI_IPC_ASK_SENDER_H
#define SEKIMORI_IPC_ASK_SENDER_H

#include "ipc/ask_lookup.h"
#include "judge/sender_history.h"

enum sender_event {
    SENDER_MESSAGE, /* its verdict stands */
    SENDER_EVENTS
};

/* What happened. Bits of recipients are by place in subject.recipients. */
struct sender_seen {
    enum sender_event event;
    struct sender_subject subject;
    struct text proven; /* the domain in From where DMARC passed; empty: it is not proven */
    bool is_spam;       /* some recipient's points were reached (is_spam_alone of the verdict), or a virus was
                           found */
    bool is_greylisted; /* its verdict is to come back later, as a sender whom nobody knows */
    uint64_t taken;     /* recipients who get it */
};

/* LOOKUP_SENDER_SEEN; `id`: of the message, or 0. */
void sender_tell(struct channel *lookup, uint64_t id, const struct sender_seen *seen);
/* Texts are borrowed from the payload, lists live in the arena. False: malformed. */
bool sender_seen_get(struct arena *arena, struct text payload, struct sender_seen *out);

#endif
