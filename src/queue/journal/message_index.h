/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Every message that still has a recipient without an ending, in memory: where its bytes are and how each
   recipient stands. Found by id. Changed by the journal alone, as records are appended or read back. */
#ifndef SEKIMORI_QUEUE_JOURNAL_MESSAGE_INDEX_H
#define SEKIMORI_QUEUE_JOURNAL_MESSAGE_INDEX_H

#include "base/text.h"
#include "queue/heap.h"
#include "queue/journal/string_pool.h"

/* 12 bytes each: they count as "its recipients" beside the 256 bytes a message may cost. */
struct queued_recipient {
    uint32_t domain; /* message_index.domains */
    uint32_t reason; /* message_index.reasons: what the last try or the hold said */
    uint8_t ending;  /* enum ending */
    uint8_t hold;    /* enum hold_reason */
    uint8_t edits;
    uint8_t attempts; /* stays at 255 */
};

enum message_flag {
    MESSAGE_AUTHENTICATED = 1,
    MESSAGE_OWN = 2,     /* a notice of ours */
    MESSAGE_WARNED = 4,  /* the sender was told of the delay */
    MESSAGE_PENDING = 8, /* not on disk yet */
    MESSAGE_MOVED = 16,  /* its record is a copy, counted where it stood first */
    MESSAGE_AGAIN = 32,  /* out of the quarantine */
};

struct delivery;

struct message {
    uint64_t id, arrived_ms;
    uint64_t due_ms; /* when the last deferral wanted it tried again */
    struct delivery *deliveries;
    uint32_t segment, offset; /* of its record */
    uint32_t lead_length, prefix_length, body_length;
    struct heap_item age; /* when the schedule looks at how old it is */
    uint32_t recipient_count, live_count;
    uint32_t jobs; /* with deliver now */
    uint16_t content;
    uint8_t direction, flags;
    struct queued_recipient recipients[];
};

struct message_index {
    struct string_pool *domains, *reasons;
    struct message **slots; /* open addressing by id */
    size_t slot_count, count;
    uint64_t *recent; /* ids of the last messages kept, also ended ones: a ring of `recent_count` */
    uint32_t *recent_chains, *recent_next;
    uint32_t recent_count;
    uint64_t recent_total;
};

enum { RECENT_IDS = 1 << 17 }; /* what queue remembers: 2 MB */

/* Never NULL. `recent_count` is a power of two. */
struct message_index *message_index_new(uint32_t recent_count);
void message_index_free(struct message_index *message_index); /* and every message */

/* Borrowed until it is removed; NULL: not there. */
struct message *message_index_find(const struct message_index *message_index, uint64_t id);
/* Takes the message over. No other of its id may be there. */
void message_index_add(struct message_index *message_index, struct message *message);
/* Drops it from the table, gives up its names and frees it. */
void message_index_remove(struct message_index *message_index, struct message *message);

/* Among the `recent_count` last ones: the oldest is forgotten. */
void message_index_remember(struct message_index *message_index, uint64_t id);
/* Kept at some time: live, or among the recent ones. */
bool message_index_was_kept(const struct message_index *message_index, uint64_t id);

/* Each in turn, in no order: *place starts at 0; NULL at the end. Nothing may be added or removed between. */
struct message *message_index_next(const struct message_index *message_index, size_t *place);

uint32_t message_held(const struct message *message); /* recipients held */
static inline uint64_t message_bytes(const struct message *message)
{
    return (uint64_t)message->lead_length + message->prefix_length + message->body_length;
}

#endif
