/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* An allow or block entry for the sender of a message that a command shows: `trace --block`, `quarantine
   release --allow`. The node checks the right to each, and records who asked, with the message's id. */
#ifndef SEKIMORI_CLI_ENTRY_MAKING_H
#define SEKIMORI_CLI_ENTRY_MAKING_H

#include "base/arena.h"
#include "cli/control.h"
#include "config/sender_entry.h"
#include "ledgerdb/search.h"

/* What of the sender the entry names. */
enum entry_extent { EXTENT_ADDRESS, EXTENT_DOMAIN, EXTENT_NETWORK, EXTENTS };

/* "address", "domain", "network"; NULL behind the last. */
const char *entry_making_choice(size_t position);
/* NULL is the address. False: it is none. */
bool entry_making_extent(const char *word, enum entry_extent *out);

/* The message that gives occasion. */
struct entry_occasion {
    uint64_t id;
    struct text sender, author, client; /* author: the From field; its address goes before the envelope's */
    const struct proof *proof;          /* NULL: not known */
};

/* Makes the entry for the recipient `to` (empty: everybody), and prints it with its number. Said on standard
   error: what went wrong, and where nothing proved the sender. Returns the exit code. */
int entry_make(const struct control_target *target, const char *command, enum entry_verb verb,
               enum entry_extent extent, const struct entry_occasion *occasion, struct text to);

/* Asks the node for client and proof of a message; false: it does not say. Texts live in the arena. */
bool entry_making_ask(const struct control_target *target, struct arena *arena, uint64_t id,
                      struct search_hit *out);

#endif
