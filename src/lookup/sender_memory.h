/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is kept of senders, by kind and key, and what follows of it for one who comes. Pure but for the store:
   the time is the caller's. Called by senders.c. */
#ifndef SEKIMORI_LOOKUP_SENDER_MEMORY_H
#define SEKIMORI_LOOKUP_SENDER_MEMORY_H

#include "config/settings.h"
#include "ipc/ask_sender.h"
#include "senderdb/senderdb.h"

/* Kinds are stored: never reuse a number. */
enum sender_kind {
    SENDER_KIND_BEGUN = 1, /* when the store was begun: u64 milliseconds */
    SENDER_KIND_NETWORK,   /* network: counts of messages, and of spam, by day */
    SENDER_KIND_DOMAIN,    /* a domain in From that was proven: the same */
    SENDER_KIND_WAITING,   /* network, sender, recipient: u64 since when it waits */
    SENDER_KIND_KNOWN,     /* network, domain of the sender: mail that was no spam was taken */
    SENDER_KIND_ADDRESS,   /* an outside address: u64 since when it is known */
    SENDER_KIND_WRITTEN,   /* the same: one of ours wrote to it */
    SENDER_KIND_PAIR       /* an outside address since then, one of ours: they had mail of each other */
};

enum { SENDER_NETWORK_SIZE = 64 }; /* room for "192.0.2.0/24" or "2001:db8::/64" */

/* The network that a client is taken for: /24 of IPv4, /64 of IPv6. */
struct text sender_memory_network(const struct address *client, char room[SENDER_NETWORK_SIZE]);

struct sender_memory {
    struct senderdb *db;
    const struct config *config;
    uint64_t now_ms; /* since 1970 */
    struct arena *arena;
};

/* What lookup answers. Never anything where the store has no room to remember who waits. */
void sender_memory_rcpt(const struct sender_memory *memory, const struct sender_subject *subject,
                        struct sender_rcpt_answer *out);
/* Texts live in the arena. */
void sender_memory_history(const struct sender_memory *memory, const struct sender_subject *subject,
                           struct sender_history *out);

/* The two had mail of each other, and the outside address is known since before then. */
bool sender_memory_has_contact(const struct sender_memory *memory, struct text outside, struct text ours,
                               uint64_t before_ms);

/* What it learns. */
void sender_memory_learn(const struct sender_memory *memory, const struct sender_seen *seen);

/* Notes when the store was begun, where that is not known. */
void sender_memory_begin(const struct sender_memory *memory);

/* --- for people --- */

/* Appends one JSON object: what is known of an address, a domain or a network; `with`, which may be empty:
   also of what is between that address and one of ours, or that network and a sender's domain. False: it is
   none of these. */
bool sender_memory_show(const struct sender_memory *memory, struct text which, struct text with,
                        struct buffer *out);
/* Forgets it, or with `with` what is between the two alone; *out_count is how many entries that were. False:
   the same. */
bool sender_memory_forget(const struct sender_memory *memory, struct text which, struct text with,
                          unsigned *out_count);

#endif
