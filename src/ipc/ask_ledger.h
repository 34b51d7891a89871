/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What queue and report ask of ledger about held mail. queue offers what it holds; ledger keeps a copy
   and says so once it is on disk; only then does queue let go of it. What is released comes back as a message
   of its own, in the frames of ask_queue.h: QUEUE_KEEP and QUEUE_RESOLVE on the same channel. */
#ifndef SEKIMORI_IPC_ASK_LEDGER_H
#define SEKIMORI_IPC_ASK_LEDGER_H

#include "config/settings.h"
#include "ipc/ask_queue.h"
#include "judge/part_digest.h"

enum ledger_frame {
    LEDGER_HELD = 32, /* queue: struct held_offer; frame id = message id; fd 0: the segment, for reading */
    LEDGER_TAKEN, /* ledger: same id; u32 count, count * u32 recipient number: these are in the quarantine, on
                     disk. Said again whenever they are offered again. */
    LEDGER_NOT_TAKEN, /* ledger: same id; u8 enum held_refusal, text why: they stay where they are */
    LEDGER_REDEEM,    /* report: id of the mail that brings it; text ticket, text sender of that mail,
                         u8 enum ticket_wish */
    LEDGER_REDEEMED,  /* ledger: same id; u8 enum redeemed, u64 message id of the release (0: none). The same
                         mail gets the same answer when it asks again. */
    LEDGER_PROPOSE,   /* report: struct lesson_proposal; frame id: a number of report's own */
    LEDGER_PROPOSED,  /* ledger: same id; u8 enum proposed, u64 id of the message that passed here and is that
                         mail (0: none was found). Said again for the same report. */
    LEDGER_WHOSE,    /* ledger, of a message it has a file of and cannot place: which recipients are yours? */
    LEDGER_APPROVE,  /* report: id of the mail that asks for it; text recipient, u32 count, then of each
                        newsletter  text name, text domain, u8 1 it is wanted, 0 its approval ends */
    LEDGER_APPROVED, /* ledger: same id; u8 1 it is so now, 0 it cannot be done now; u32 how many have
                        changed. The same mail may ask again. */
    LEDGER_LIVE,     /* queue: same id; u32 count, count * u32 recipient number: these have not ended */
};

/* Of one LEDGER_APPROVE. */
enum { LEDGER_APPROVE_MOST = 64 };

/* What a mail with a ticket asks for. */
enum ticket_wish {
    TICKET_RELEASE,
    TICKET_ALLOW,   /* and allow the sender, for this recipient */
    TICKET_BLOCK,   /* block the sender, for this recipient; the message stays where it is */
    TICKET_APPROVE, /* release it, and approve the newsletter that it is, for this recipient */
    TICKET_WISHES
};

enum redeemed {
    REDEEMED_DONE,
    REDEEMED_FALSE,   /* no ticket of this node */
    REDEEMED_OLD,     /* its time is over */
    REDEEMED_USED,    /* released before */
    REDEEMED_GONE,    /* deleted, or too old */
    REDEEMED_DENIED,  /* tickets do not release its class */
    REDEEMED_ENTERED, /* nothing is released: an entry or approval was made, or was there */
    REDEEMED_FULL,    /* no more of them fit */
    REDEEMED_NO_WISH, /* users may not, or the message gives no occasion: no sender, no newsletter */
    REDEEMED_LATER,   /* cannot be said or done now */
    REDEEMED_COUNT
};

enum proposed {
    PROPOSED_WAITS,    /* for the administrator: sekimori learn proposals */
    PROPOSED_TAUGHT,   /* at once: of a trusted reporter */
    PROPOSED_KNOWN,    /* learned before */
    PROPOSED_DECIDED,  /* the administrator, or a trusted reporter, has decided about it before */
    PROPOSED_TOO_MANY, /* of that reporter, or in all: nothing is kept of it */
    PROPOSED_UNREAD,   /* what came of it are no numbers of a mail */
    PROPOSED_OFF,      /* report learn off */
    PROPOSED_LATER,    /* cannot be written now */
    PROPOSED_COUNT
};

enum held_refusal {
    HELD_NOT_YET, /* what it was found to be has not been told to the ledger: offer it again in a moment */
    HELD_NO_ROOM, /* full, or cannot be written: offer nothing for a while */
    HELD_LEFT, /* somebody has to look at it: offer it again to another life of the taker, or after a reload
                */
};

/* Offers of one taker that wait for its answers at a time. */
enum { HELD_OFFERS_MOST = 16 };

/* A mail that a user inside reported, as numbers, and what his copy of it says. */
struct lesson_proposal {
    bool is_spam;                            /* else it is ham */
    struct text reporter;                    /* MAIL FROM of the report */
    struct text message_id, author, subject; /* of the copy, as in event_judgement */
    uint32_t part_count;
    const struct part_digest *parts; /* its files */
    struct text lesson;              /* spam/lesson.h */
};
void lesson_proposal_put(const struct lesson_proposal *proposal, struct buffer *out); /* appends */
/* Borrows from the payload; the list of parts lives in the arena. False: malformed. */
bool lesson_proposal_get(struct arena *arena, struct text payload, struct lesson_proposal *out);

/* "virus", "spam", …; "unknown". */
const char *held_class_name(enum held_class class);
bool held_class_is_harmful(enum held_class class); /* nobody releases it who is not named for that */
bool held_class_from_name(struct text name, enum held_class *out); /* false: none has it */

struct held_recipient {
    uint32_t number; /* in the message */
    uint8_t hold;    /* enum hold_reason */
    uint8_t edits;   /* index into held_offer.edits */
    struct text reason;
};

/* Recipients of one message that are held, as many as fit a frame. */
struct held_offer {
    uint64_t id, arrived_ms;
    uint8_t direction, authenticated;
    uint16_t content;        /* enum content_flag */
    uint64_t offset, length; /* of prefix and body in the segment */
    uint32_t prefix_length;
    uint8_t edits_count;
    struct text edits[KEEP_EDITS_LIMIT];
    struct envelope envelope; /* only these recipients, in the same order */
    struct held_recipient *recipients;
};

enum { HELD_REASON_MOST = 200 };

/* Appends. Reasons are cut after HELD_REASON_MOST bytes. */
void held_offer_put(const struct held_offer *offer, struct buffer *frame);
/* Borrows from the payload; lists live in the arena. False: malformed. */
bool held_offer_get(struct arena *arena, struct text payload, struct held_offer *out);

#endif
