/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The file `entries` in the folder of the ledger, a line each. ledger writes it, report reads it.

   "VERB NUMBER MADE EXPIRES USED LAST WHAT TO BY WORDS… - NOTE" is an entry; words are those of
   sender_entry_read_flag. "uses NUMBER DAY COUNT BEFORE" is how often it decided on a day and on the day
   before. "next N" is the number of the next one. A line with a word that is not known is none: what a newer
   version meant by it may be a condition, without which the entry would be for too many. */
#ifndef SEKIMORI_CONFIG_KEPT_ENTRY_H
#define SEKIMORI_CONFIG_KEPT_ENTRY_H

#include "config/sender_entry.h"

enum { ENTRY_NOTE_MOST = 200 /* bytes of a note */ };
enum { KEPT_ENTRIES_FILE_MOST = 32 * 1024 * 1024 };

/* How often an entry decided. */
struct kept_uses {
    uint32_t day;    /* yyyymmdd, the last one it was used on; 0: none */
    uint64_t count;  /* on that day */
    uint64_t before; /* on the day before that */
};

/* An entry, and what is known of it. */
struct kept_entry {
    struct sender_entry entry;
    struct text by, note; /* by: a word; note: UTF-8 without control characters, may be empty */
    uint64_t made_ms;
    uint64_t used;    /* for how many messages it decided */
    uint64_t last_ms; /* when the last of them came; 0: none did */
    struct kept_uses uses;
    bool is_fresh; /* another node said it, and it is not in force yet */
};

/* Appends the entry's line with its LF, without uses. */
void kept_entry_write(const struct kept_entry *kept, struct buffer *out);
/* What is behind the verb in a line. Texts are borrowed or in the arena; uses stay zero. */
bool kept_entry_read(struct arena *arena, enum entry_verb verb, struct text line, struct kept_entry *out);

/* Appends the line of its uses; nothing where there is none. */
void kept_entry_write_uses(const struct kept_entry *kept, struct buffer *out);
/* What is behind "uses" in a line. */
bool kept_entry_read_uses(struct text line, uint32_t *out_number, struct kept_uses *out);

/* How often it decided on that day, and `day_after` is the next; 0 also where that is not known any more. */
uint64_t kept_entry_uses_on(const struct kept_entry *kept, uint32_t day, uint32_t day_after);
/* It is older than that, and did not decide since. */
bool kept_entry_is_unused_since(const struct kept_entry *kept, uint64_t since_ms);

#endif
