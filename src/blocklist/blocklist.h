/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A list file of networks, names or hashes, compiled into one run of bytes that is looked up where it lies:
   no pointer is in it, so it may be mapped anywhere, by many processes. */
#ifndef SEKIMORI_BLOCKLIST_BLOCKLIST_H
#define SEKIMORI_BLOCKLIST_BLOCKLIST_H

#include "base/address.h"
#include "base/buffer.h"

enum blocklist_kind {
    BLOCKLIST_NETWORKS, /* "192.0.2.0/24", "2001:db8::/32", addresses */
    BLOCKLIST_NAMES,    /* "example.com": itself and every name below it */
    BLOCKLIST_HASHES,   /* SHA-256 in hexadecimal */
    BLOCKLIST_KINDS
};

/* Of a SHA-256 the first half is kept and looked up, as of files of messages (judge/part_digest.h). */
enum { BLOCKLIST_HASH_SIZE = 16, BLOCKLIST_REASON_MOST = 120 };

/* --- to compile one --- */

/* What a file may not hold. A network of fewer than 8 bits (IPv6: 16) and a name without a dot never stand in
   one, whatever the limits. */
struct blocklist_limits {
    size_t bytes_most, lines_most;
    const struct address *ours; /* no entry may have one of them */
    size_t our_count;
};

struct blocklist_problem {
    uint32_t line; /* from 1; 0: the file as a whole */
    char says[200];
};

/* A file has one entry a line, then perhaps a blank and the reason, for people; a line that begins with "#"
   or
   ";" is a comment. What stands twice counts once, with the first line's reason; of networks in one another
   the smallest decides. Writes the image to the end of *image, which must be empty. False: *problem says
   which line is wrong, the image is to be thrown away. Takes about 100 bytes of memory an entry while it
   works. */
bool blocklist_compile(enum blocklist_kind kind, struct text file, const struct blocklist_limits *limits,
                       struct buffer *image, struct blocklist_problem *problem);

/* The same in steps of some ten milliseconds, for a process that has others to serve meanwhile. All is
   borrowed until blocklist_compiler_free. */
struct blocklist_compiler;
enum blocklist_progress { BLOCKLIST_GOES_ON, BLOCKLIST_IS_DONE, BLOCKLIST_IS_REFUSED };

/* Never NULL; *image must be empty. */
struct blocklist_compiler *blocklist_compiler_new(enum blocklist_kind kind, struct text file,
                                                  const struct blocklist_limits *limits, struct buffer *image,
                                                  struct blocklist_problem *problem);
/* Done: *image is whole; refused: *problem says why. No step follows either. */
enum blocklist_progress blocklist_compiler_step(struct blocklist_compiler *compiler);
void blocklist_compiler_free(struct blocklist_compiler *compiler); /* NULL is allowed */

/* --- to look up --- */

/* Borrows the image, at an address that 8 divides. */
struct blocklist {
    struct text image;
    const struct blocklist_head *head;
};

struct blocklist_entry {
    uint32_t line;      /* of the file */
    struct text reason; /* in the image; printable, perhaps empty */
};

/* False: those bytes are no image of this version, or were cut. A whole image is trusted: it comes from
   blocklist_compile by way of memory that nobody else can write. */
bool blocklist_open(struct text image, struct blocklist *out);

/* What it was compiled as, and how many lines have an entry; a name or hash that stands twice counts once. */
enum blocklist_kind blocklist_kind_of(const struct blocklist *list);
uint32_t blocklist_count(const struct blocklist *list);

/* False: not in the list, or a list of another kind. The name is in A-labels and lower case (mail/idna.h). */
bool blocklist_has_address(const struct blocklist *list, const struct address *address,
                           struct blocklist_entry *out);
bool blocklist_has_name(const struct blocklist *list, struct text name, struct blocklist_entry *out);

/* The same for the first half of a SHA-256. */
bool blocklist_has_hash(const struct blocklist *list, const uint8_t hash[BLOCKLIST_HASH_SIZE],
                        struct blocklist_entry *out);

#endif
