/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What lookup is told of campaigns (ipc/campaign_table.h): by receive that a message came, by report that
   somebody told of one. Frames of enum lookup_frame. */
#ifndef SEKIMORI_IPC_ASK_CAMPAIGN_H
#define SEKIMORI_IPC_ASK_CAMPAIGN_H

#include "ipc/ask_lookup.h"
#include "judge/campaign.h"
#include "mail/envelope.h"

#define CAMPAIGN_FILE_BYTES ((size_t)13 << 20) /* of run/campaigns */

enum { CAMPAIGN_COUNTED_MOST = 64 }; /* recipients of a message that are counted */

/* A message that came, once its verdict stands. */
struct campaign_seen {
    struct text sketch; /* the byte form */
    struct address client;
    struct text sender;
    bool is_taken;            /* somebody gets it */
    uint32_t recipient_count; /* at most CAMPAIGN_COUNTED_MOST */
    struct text *recipients;
};
/* LOOKUP_CAMPAIGN_COUNT; `id`: of the message. Tells nothing where the sketch is malformed. */
void campaign_tell(struct channel *lookup, uint64_t id, const struct campaign_seen *seen);

/* What a report says. */
enum campaign_said {
    CAMPAIGN_SAID_SPAM,
    CAMPAIGN_SAID_STOP, /* the same, by who is trusted: his word alone stops it */
    CAMPAIGN_SAID_HAM,  /* it is none after all: what he said before ends */
    CAMPAIGN_SAID_GOOD, /* the same, by an administrator: what anybody said ends. Of ledger alone */
    CAMPAIGN_SAID_COUNT
};

/* Somebody told of a message. */
struct campaign_report {
    struct text sketch;
    struct text reporter; /* an address */
    enum campaign_said said;
    uint64_t message; /* that passed here and is the same mail; 0: none is known. The frame's id */
};
/* LOOKUP_CAMPAIGN_REPORT, of report, or of ledger: CAMPAIGN_SAID_GOOD. */
void campaign_report_tell(struct channel *lookup, const struct campaign_report *report);

/* A campaign is stopped, or no longer, for all nodes. Of those here lookup tells ledger, of others ledger
   tells lookup. */
struct campaign_ruling {
    struct campaign_sketch sketch; /* of one campaign: a text, a line or a file */
    bool is_stopped;
    bool is_by_user; /* who is trusted; else an administrator */
    uint64_t time_ms;
    struct text by; /* a word: who he is */
};
/* LOOKUP_CAMPAIGN_RULED, appended; reads exactly what is written so. False: malformed. */
void campaign_ruling_put(const struct campaign_ruling *ruling, struct buffer *out);
bool campaign_ruling_get(struct text payload, struct campaign_ruling *out);

/* What lookup reads: the payload; texts are borrowed, lists live in the arena. False: malformed. */
bool campaign_seen_get(struct arena *arena, struct text payload, struct campaign_seen *out,
                       struct campaign_sketch *out_sketch);
/* The same, without a list. */
bool campaign_report_get(struct text payload, struct campaign_report *out,
                         struct campaign_sketch *out_sketch);

#endif
