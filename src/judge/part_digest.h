/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a message's files are known by later: made by scan, carried by facts and events, kept by ledger, so
   that whoever received a file that is found infected afterwards can be named.

   The first half of the SHA-256 is enough. To find another file for a digest of 128 bits takes 2^128
   attempts. Two files with one digest take 2^64, all of one's own making: who paid that would have one
   harmless file named along with his infected one. Nothing is refused, delivered or deleted by these digests.
 */
#ifndef SEKIMORI_JUDGE_PART_DIGEST_H
#define SEKIMORI_JUDGE_PART_DIGEST_H

#include "base/arena.h"
#include "base/buffer.h"

enum {
    PART_DIGEST_BYTES = 16,
    PART_DIGESTS_MOST = 32,         /* of one message */
    PART_DIGESTS_INFECTED_MOST = 4, /* of these, that are told of a message that was refused */
    PART_DIGEST_LEAST = 64          /* bytes of a file: shorter ones are alike by chance */
};

struct part_digest {
    uint8_t bytes[PART_DIGEST_BYTES]; /* the first of the SHA-256 of the decoded part */
    bool is_infected;                 /* a virus or phishing was found in it */
};

/* The byte form, appended: at most PART_DIGESTS_MOST, the others are left out. */
void part_digests_put(const struct part_digest *parts, uint32_t count, struct buffer *out);

struct reader;
/* The list lives in the arena. What is malformed fails the reader. */
struct part_digest *part_digests_get(struct arena *arena, struct reader *reader, uint32_t *out_count);

enum { PART_DIGEST_HEX_SIZE = 2 * PART_DIGEST_BYTES + 1 };

/* Lower-case hexadecimal, NUL-ended; returns room. */
char *part_digest_print(const uint8_t bytes[PART_DIGEST_BYTES], char room[PART_DIGEST_HEX_SIZE]);
/* Of the 64 digits of a SHA-256, or of the first 32 of them, in either case. False: it is neither. */
bool part_digest_parse(struct text word, uint8_t out[PART_DIGEST_BYTES]);

#endif
