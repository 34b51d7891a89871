/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Allow and block entries: `entries` in the folder of the ledger, a line each, and run/entries, which scan's
   workers read. One ends by itself when its time is over, and its number is never given again. Where the node
   has a number, an entry is also a declaration, which holds on all nodes.
 */
#ifndef SEKIMORI_LEDGER_SENDER_ENTRIES_H
#define SEKIMORI_LEDGER_SENDER_ENTRIES_H

#include "config/kept_entry.h"
#include "ipc/entry_page.h"
#include "ipc/event.h"
#include "ledger/declarations.h"

enum entry_outcome {
    ENTRY_DONE,
    ENTRY_KNOWN,   /* there is one for the same, to the same: *out_number */
    ENTRY_MISSING, /* none has the number */
    ENTRY_FULL,    /* there are ENTRIES_MOST, or their texts are too long together */
    ENTRY_UNSAVED, /* errno: it cannot be written; nothing has changed */
    ENTRY_OUTCOMES
};

struct sender_entries;

/* Never NULL. `page`: NULL: nobody reads it; else taken over. */
struct sender_entries *sender_entries_new(struct entry_page *page);
void sender_entries_free(struct sender_entries *entries); /* NULL is allowed */

/* Reads the file and fills the page; a line that is none of ours is left out, with an alarm. `folder` is
   borrowed. */
void sender_entries_start(struct sender_entries *entries, int folder, uint64_t now_ms);

/* After DONE it is on disk and in force, as number *out_number; `kept->entry.number` is not looked at. Texts
   are copied. */
enum entry_outcome sender_entries_add(struct sender_entries *entries, const struct kept_entry *kept,
                                      uint32_t *out_number);
/* After DONE it is off the disk and out of force; `by` ended it, whichever node it is of. */
enum entry_outcome sender_entries_remove(struct sender_entries *entries, uint32_t number, struct text by,
                                         uint64_t now_ms);

/* Behind sender_entries_start, before declarations_start: other nodes are told of what is added from now on,
   and what they said is added and removed. Borrowed. */
void sender_entries_share(struct sender_entries *entries, struct declarations *declarations);

/* Now and then: ends those whose time is over, and writes down how often they were used, once a minute or
   when `is_ending`. */
void sender_entries_look(struct sender_entries *entries, uint64_t now_ms, bool is_ending);

/* Counts the entries that decided a message. */
void sender_entries_count_use(struct sender_entries *entries, const struct event_judgement *judgement,
                              uint64_t time_ms);

/* NULL: none has the number. Borrowed until the next change. */
const struct kept_entry *sender_entries_find(const struct sender_entries *entries, uint32_t number);
size_t sender_entries_count(const struct sender_entries *entries);
/* From 0, by number; borrowed until the next change. */
const struct kept_entry *sender_entries_nth(const struct sender_entries *entries, size_t n);

#endif
