/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The declarations that this node knows, its own and others': `declarations` in the folder of the ledger, one
   line a number. What comes of one is the business of the taker of its kind.

   Two nodes that have told each other all they know have the same lines, whatever came first and how often:
   of each number that line stands which declaration_beats says. */
#ifndef SEKIMORI_LEDGER_DECLARATIONS_H
#define SEKIMORI_LEDGER_DECLARATIONS_H

#include "ledger/declaration.h"

enum {
    DECLARATIONS_OF_NODE_MOST = 12000,
    DECLARATIONS_OF_NODE_BYTES = 4 * 1024 * 1024,
    DECLARATIONS_BYTES = 16 * 1024 * 1024 /* of all together */
};

struct declarations;

/* Whose kind it is. Texts are borrowed for the call. */
struct declaration_taker {
    const char *kind;
    /* It holds. Called again at each start. False: not understood, or no room: it is kept and told on. */
    bool (*take)(void *context, const struct declaration *said);
    /* It holds no longer. Called for what never was known here too, and again at each start. */
    void (*end)(void *context, const struct declaration *was);
    /* Some of the above were called, and are on disk: brings them into force. */
    void (*settle)(void *context);
    void *context;
};

struct declarations *declarations_new(void);               /* never NULL */
void declarations_free(struct declarations *declarations); /* NULL is allowed */
void declarations_add_taker(struct declarations *declarations,
                            const struct declaration_taker *taker); /* copied */
/* Called after each change that is on disk. */
void declarations_set_listener(struct declarations *declarations, void (*changed)(void *context),
                               void *context);

/* Reads the file, and tells takers. Lines that are none are left out, with an alarm. `folder` is borrowed
   (-1: nothing is kept); `node`: this one's number, 0: it has none, and nothing that is said here is told to
   others. */
void declarations_start(struct declarations *declarations, int folder, uint16_t node, uint64_t now_ms);
void declarations_set_node(struct declarations *declarations, uint16_t node);

/* The number is in use: where it is one of this node's, what is said here has higher ones. */
void declarations_note_number(struct declarations *declarations, uint32_t number);

/* --- what is said here --- */

/* The number that the next one gets; 0: this node has no number. */
uint32_t declarations_next(const struct declarations *declarations);
/* One with the number that declarations_next gave; its node is not looked at. True: on disk; the taker is not
   called. False, with errno (ENOSPC also: this node has said as many as may be): nothing has changed. */
bool declarations_say(struct declarations *declarations, const struct declaration *said);
/* Ends one, whoever said it; takers are not called. Likewise; true also where there is none. */
bool declarations_end(struct declarations *declarations, uint32_t number, struct text by, uint64_t now_ms);

/* --- what others say --- */

enum declaration_outcome {
    DECLARATION_NEW,   /* something has changed */
    DECLARATION_KNOWN, /* nothing has; also of what is over */
    DECLARATION_BAD,   /* it is no declaration */
    DECLARATION_FULL   /* its node has said as many as may be */
};

/* In memory until declarations_keep. A declaration that has a number of ours, and is another one than ours,
   is from before our file was lost: the one that does not stand is said anew, under another number. */
enum declaration_outcome declarations_hear(struct declarations *declarations, struct text line,
                                           uint64_t now_ms);
/* True: all that was heard is on disk, and in force. False, with errno: not yet. */
bool declarations_keep(struct declarations *declarations);
/* Now and then: what is over goes, what could not be written is tried again. */
void declarations_look(struct declarations *declarations, uint64_t now_ms);

/* --- looking --- */

size_t declarations_count(const struct declarations *declarations); /* ends too */
/* From 0, by number; borrowed until the next change. */
void declarations_nth(const struct declarations *declarations, size_t n, struct declaration *out);
/* False: nothing is known of the number. */
bool declarations_find(const struct declarations *declarations, uint32_t number, struct declaration *out);

/* --- telling --- */

uint64_t declarations_stamp(const struct declarations *declarations); /* grows with each change */
/* Appends lines, each with its end, of what changed behind stamp `from` up to `until`, by number behind
   `number`, `most` bytes at most. Returns the last number that was looked at; 0: there are no more. */
uint32_t declarations_list(const struct declarations *declarations, uint64_t from, uint64_t until,
                           uint32_t number, size_t most, struct buffer *out);

#endif
