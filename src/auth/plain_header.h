/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The author and the signers of a header that is written plainly: what most mail is. The process that faces
   clients reads it so to ask early what scan will want to know. Nothing is decoded, and what is in any way
   unusual is no plain header: scan reads that, and what it finds counts in any case. Pure, and linear. */
#ifndef SEKIMORI_AUTH_PLAIN_HEADER_H
#define SEKIMORI_AUTH_PLAIN_HEADER_H

#include "base/arena.h"

enum {
    PLAIN_BYTES_MOST = 1 << 16, /* of the header */
    PLAIN_SIGNERS_MOST = 4,     /* DKIM-Signature fields */
    PLAIN_KEYS_MOST = 8         /* different keys, of ARC too */
};

struct plain_header {
    struct text author;                      /* the one address in From, as written; borrowed */
    struct text domain;                      /* its domain, in lower case */
    struct text signers[PLAIN_SIGNERS_MOST]; /* d= of each DKIM-Signature, in lower case, in their order */
    uint32_t signer_count;
    struct text keys[PLAIN_KEYS_MOST]; /* dkim_key_name of each signature and seal, each once */
    uint32_t key_count;
};

/* Of the header that `message` begins with; texts that are not borrowed live in the arena. False: it is not
   plain, or more than the limits above. */
bool plain_header_read(struct arena *arena, struct text message, struct plain_header *out);

#endif
