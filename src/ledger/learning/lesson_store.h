/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The log of what this node was taught, `learned.log` in ledger's folder (spam/lesson_log.h), and an index of
   it in memory. A mail is in it once. Called by learning.c alone. */
#ifndef SEKIMORI_LEDGER_LEARNING_LESSON_STORE_H
#define SEKIMORI_LEDGER_LEARNING_LESSON_STORE_H

#include "spam/lesson_log.h"

enum { LESSONS_MOST = 20000, LESSON_STORE_BYTES_MOST = 96 << 20 };

struct lesson_place {
    uint8_t id[LESSON_ID_BYTES];
    uint64_t offset, time_ms;
    uint32_t bytes; /* of its record, or of both where nobody said what it is */
    bool is_spam, is_dead;
    struct lesson_origin *origin; /* the store's, of what was learned automatically; NULL: a person said it */
};

struct lesson_store;

/* `folder`: a descriptor that is borrowed and stays open. Reads the log through. What is damaged is set aside
   as `learned.log.damaged`, and what stands whole before the damage goes on in a new file; what was not
   written whole is cut off. Never NULL: where nothing can be written, lessons are refused. */
struct lesson_store *lesson_store_open(int folder);
void lesson_store_close(struct lesson_store *store);

/* Why a file was set aside or cannot be used; empty: all is well. */
const char *lesson_store_trouble(const struct lesson_store *store);

/* Places, dead ones included; one of them, borrowed until the next change; bytes of the file. */
size_t lesson_store_count(const struct lesson_store *store);
const struct lesson_place *lesson_store_place(const struct lesson_store *store, size_t number);
uint64_t lesson_store_bytes(const struct lesson_store *store);

/* The living one of that mail; lesson_store_count: there is none. */
size_t lesson_store_find(const struct lesson_store *store, const uint8_t id[LESSON_ID_BYTES]);

/* It was taught once and taken back, and has not left the file since. */
bool lesson_store_was_undone(const struct lesson_store *store, const uint8_t id[LESSON_ID_BYTES]);

/* The living one by the first digits of its id in hexadecimal, eight at least. `out_several`: more than one
 * has them. */
size_t lesson_store_find_digits(const struct lesson_store *store, struct text digits, bool *out_several);

/* False with errno: the log is as it was. On disk only after lesson_store_sync. */
bool lesson_store_add(struct lesson_store *store, const struct lesson *lesson);
bool lesson_store_add_automatic(struct lesson_store *store, const struct lesson *lesson,
                                const struct lesson_origin *origin);
bool lesson_store_undo(struct lesson_store *store, size_t number, uint64_t time_ms);
/* False with errno. */
bool lesson_store_sync(struct lesson_store *store);

/* Slots live in the arena. False: it cannot be read. */
bool lesson_store_read(const struct lesson_store *store, size_t number, struct arena *arena,
                       struct lesson *out);

/* Those older than that, and dead ones, leave the file; with too many, the oldest too. Does nothing where
   there are none. Numbers are others then: true. */
bool lesson_store_forget(struct lesson_store *store, uint64_t before_ms);

/* A descriptor of the file as it is now, to read; the caller's. -1 with errno. */
int lesson_store_reading(const struct lesson_store *store);

#endif
