/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The byte forms of what stands in a segment: record headers, a message's lead, changes to its recipients.
   A record is its header and its payload; it begins at a multiple of RECORD_ALIGN. */
#ifndef SEKIMORI_QUEUE_JOURNAL_RECORD_H
#define SEKIMORI_QUEUE_JOURNAL_RECORD_H

#include "base/arena.h"
#include "base/codec.h"

enum {
    RECORD_MAGIC = 0x314A4B53, /* "SKJ1" */
    RECORD_HEADER_BYTES = 40,
    RECORD_ALIGN = 8,
    BATCH_ALIGN = 4096, /* a batch never shares a block with one that was synced before it */
    RECORD_RECIPIENTS_MOST = 100000,
    /* A change of one recipient with the longest texts that are written: header 40, numbers 25, recipient 7,
       lengths of texts 12. */
    CHANGE_DSN_MOST = 16,
    CHANGE_RELAY_MOST = 320,
    CHANGE_REPLY_MOST = 592,
    OUTCOME_MOST = 1024,
};
_Static_assert(RECORD_HEADER_BYTES + 25 + 7 + 12 + CHANGE_DSN_MOST + CHANGE_RELAY_MOST + CHANGE_REPLY_MOST +
                       RECORD_ALIGN <=
                   OUTCOME_MOST,
               "an outcome has no room");

enum record_type {
    RECORD_MESSAGE = 1, /* lead, prefix, body */
    RECORD_OUTCOME,     /* the rest but CUT and CLEAN: struct change */
    RECORD_DEFERRAL,
    RECORD_HOLD,
    RECORD_RELEASE,
    RECORD_MOVED, /* the ledger has the copy of what was held */
    RECORD_STATE, /* how a live message stands, told again because an older record goes away */
    RECORD_GONE,  /* the message in its home segment has ended, likewise */
    RECORD_CUT,   /* u32 segment, u32 offset: messages at or behind it were refused */
    RECORD_CLEAN, /* an orderly stop: every event before was told */
    RECORD_TYPE_COUNT
};

/* 40 bytes: magic, type, version, 1 when last, 0, generation, batch, length, lead length, id, CRC of the
   payload, CRC of these 36 bytes begun with the segment's seed (so that a body cannot hold a record that
   looks like ours). */
struct record_header {
    enum record_type type;
    uint32_t generation;  /* the segment's number: a recycled segment has old ones behind its end */
    uint32_t batch;       /* where the batch begins in the segment */
    uint32_t length;      /* of the payload */
    uint32_t lead_length; /* RECORD_MESSAGE: of the lead; else 0 */
    uint64_t id;          /* of the message, 0 when there is none */
    uint32_t payload_crc;
    bool is_last; /* of its batch */
};

/* Adds its own checksum, seeded by the segment. */
void record_header_put(const struct record_header *header, uint32_t seed, char out[RECORD_HEADER_BYTES]);
/* False: not a header of this segment (whatever else it is). */
bool record_header_get(const char bytes[RECORD_HEADER_BYTES], uint32_t seed, uint32_t generation,
                       struct record_header *out);

static inline uint64_t record_end(uint64_t offset, uint32_t length)
{
    return (offset + RECORD_HEADER_BYTES + length + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
}

struct lead_recipient {
    struct text domain; /* lower case */
    uint8_t ending, hold, edits;
};

enum { LEAD_EDITS_MOST = 8 };

/* What stands before a message's prefix. */
struct lead {
    uint64_t arrived_ms;
    uint8_t direction, flags; /* enum message_flag, those that last */
    uint16_t content;
    uint32_t prefix_length;
    uint32_t recipient_count; /* at least 1 */
    struct lead_recipient *recipients;
    uint8_t edits_count;
    struct text edits[LEAD_EDITS_MOST];
    struct text envelope; /* byte form of mail/envelope.h */
    struct text hold_reason;
};

/* Appends; RECORD_RECIPIENTS_MOST is the caller's to keep. */
void lead_put(const struct lead *lead, struct buffer *out);
/* Borrows from the bytes, the list lives in the arena. False: malformed. */
bool lead_get(struct arena *arena, struct text bytes, struct lead *out);

struct changed_recipient {
    uint32_t number;
    uint8_t ending, hold, attempts;
};

/* What happened to some recipients of one message. */
struct change {
    uint64_t when_ms, due_ms;
    uint32_t home; /* the segment of the message's record when this was written */
    uint8_t flags; /* enum message_flag to add */
    uint32_t count;
    struct changed_recipient *recipients;
    struct text dsn, relay, reply;
};

/* Appends; RECORD_RECIPIENTS_MOST is the caller's to keep. */
void change_put(const struct change *change, struct buffer *out);
bool change_get(struct arena *arena, struct text bytes, struct change *out); /* as lead_get */

#endif
