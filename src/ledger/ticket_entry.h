/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Allow and block entries that a user makes for himself with a ticket of his digest: for the sender of the
   message that the ticket is for, and for the recipient that it was held for, whoever sends the ticket. */
#ifndef SEKIMORI_LEDGER_TICKET_ENTRY_H
#define SEKIMORI_LEDGER_TICKET_ENTRY_H

#include "base/arena.h"
#include "ledger/sender_entries.h"
#include "ledgerdb/held.h"

enum {
    TICKET_ENTRIES_OF_ONE_MOST = 200,      /* of one recipient */
    TICKET_ENTRIES_MOST = ENTRIES_MOST / 2 /* of all users: the rest is the administrators' */
};

enum ticket_entry_outcome {
    TICKET_ENTRY_DONE,  /* it is there, or was there */
    TICKET_ENTRY_NONE,  /* the message has no sender that an entry can name */
    TICKET_ENTRY_FULL,  /* this user, or all of them, have as many as may be */
    TICKET_ENTRY_LATER, /* errno: it cannot be written now */
};

/* What it would be: `out->entry`, `out->by` and `out->note` are filled, in the arena or borrowed. False: the
   message has no such sender. */
bool ticket_entry_of(struct arena *arena, const struct held_row *row, enum entry_verb verb,
                     struct kept_entry *out);

/* Adds it. What the same user said to the contrary before ends. */
enum ticket_entry_outcome ticket_entry_make(struct sender_entries *entries, const struct kept_entry *kept);

#endif
