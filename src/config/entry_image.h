/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Allow and block entries as bytes in which one is found by what it names: sorted records and their texts.
   Written by ledger for run/entries and by the configuration for its own; read by scan's workers, who bound
   every place and length, since another process may write meanwhile. */
#ifndef SEKIMORI_CONFIG_ENTRY_IMAGE_H
#define SEKIMORI_CONFIG_ENTRY_IMAGE_H

#include "config/sender_entry.h"

/* Entries, and bytes of an image. */
enum { ENTRIES_MOST = 10000, ENTRY_IMAGE_MOST = 2 * 1024 * 1024 };

/* Appends the image, which is aligned for any object. False: they are too many or too long, and nothing was
   appended. Entries that name the same keep their order. */
bool entry_image_write(const struct sender_entry *entries, size_t count, struct buffer *out);

/* A place in an image. */
struct entry_cursor {
    struct text image;
    enum entry_kind kind;
    char key[ENTRY_TEXT_MOST];
    size_t key_length, at;
};

/* Those that name this text, in lower case, as an address or a domain. An empty image has none. */
void entry_image_seek(struct text image, enum entry_kind kind, struct text what, struct entry_cursor *out);
/* Those of the network of `bits` bits that the address is in. */
void entry_image_seek_network(struct text image, const struct address *address, unsigned bits,
                              struct entry_cursor *out);

/* The next one; texts are borrowed from the image. False: there is no more, or the image is none. */
bool entry_image_next(struct entry_cursor *cursor, struct sender_entry *out);

/* The entry of that number whose `what` is anybody: it has patterns alone. */
void entry_image_seek_number(struct text image, uint32_t number, struct entry_cursor *out);

/* Entries that have patterns, in the order of the image: *at begins with 0. False: there is no more. */
bool entry_image_next_patterned(struct text image, size_t *at, struct sender_entry *out);
/* Of all patterns and the numbers of their entries: a reader that keeps something made from them makes it
   anew where this differs. 0: no entry has a pattern. */
uint64_t entry_image_pattern_sum(struct text image);

/* Some network in it has so many bits, 0 to 128: the others need not be asked for. */
bool entry_image_has_bits(struct text image, unsigned bits);

#endif
