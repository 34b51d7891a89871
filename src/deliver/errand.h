/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One thing to do on a connection: hand a message over (a job of queue), or ask about a recipient (a
   call-out). Made by jobs.c and callout.c, waits in a destination, is carried out by an outbound connection.
 */
#ifndef SEKIMORI_DELIVER_ERRAND_H
#define SEKIMORI_DELIVER_ERRAND_H

#include <sys/queue.h>

#include "deliver/handover.h"
#include "deliver/payload.h"

struct destination;

struct errand {
    TAILQ_ENTRY(errand) line; /* of its destination, until it is started */
    struct destination *destination;
    struct handover handover;
    bool has_content;      /* payload; else a call-out */
    bool wants_answer_now; /* somebody waits: servers known to be down are not waited for */
    struct text domain;    /* whose servers it goes to, lower case */
    int segment_fd;
    struct payload payload;
    uint64_t job_id, message_id; /* of a job from the journal; else 0 */

    bool is_started;  /* on a connection; until then it can be given back */
    bool may_move;    /* to another connection until the content has left whole; else only before it began */
    bool is_unwanted; /* who gave it has gone, or may have: the server is not to learn that its reply was
                         heard */
    bool is_detour;   /* it goes to the peer that takes over, not to its domain's servers */
    unsigned tries;   /* connections that broke under it */

    /* how it went; texts in handover.arena */
    bool destination_down, unreachable; /* unreachable: no server accepted a connection */
    struct text relay, tls;
    uint32_t connect_ms, transfer_ms;

    /* Every recipient has its result. The errand is no longer used by whoever calls. */
    void (*on_done)(struct errand *errand);
};

/* What the server can be given, now that it has said what it offers: the content is looked at, and made 7-bit
   (*out_converted) where the server takes nothing else. HANDOVER_OVER: every recipient ended, nothing is to
   be said. Called by outbound.c, for each connection anew. */
enum handover_need errand_prepare(struct errand *errand, const struct smtp_capabilities *offered,
                                  bool smtputf8_allowed, bool *out_converted);

#endif
