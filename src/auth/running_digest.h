/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* SHA-256 of bytes that come in pieces: short ones are collected, since OpenSSL takes its time for each. */
#ifndef SEKIMORI_AUTH_RUNNING_DIGEST_H
#define SEKIMORI_AUTH_RUNNING_DIGEST_H

#include "base/text.h"

enum { RUNNING_DIGEST_BYTES = 32, RUNNING_DIGEST_STAGE = 4096, RUNNING_DIGEST_DIRECT = 1024 };

/* `staged` bytes are collected and not yet hashed. */
struct running_digest {
    struct evp_md_ctx_st *context, *fork;
    size_t staged;
    char stage[RUNNING_DIGEST_STAGE];
};

/* Dies where OpenSSL lacks SHA-256. Followed by running_digest_close. */
void running_digest_open(struct running_digest *digest);
void running_digest_close(struct running_digest *digest);

/* Begins again with nothing. */
void running_digest_restart(struct running_digest *digest);

/* For pieces of any length, and for what does not fit the stage. */
void running_digest_flush(struct running_digest *digest);
void running_digest_add_long(struct running_digest *digest, const char *at, size_t length);

static inline void running_digest_add(struct running_digest *digest, const char *at, size_t length)
{
    if (length > sizeof digest->stage - digest->staged) {
        running_digest_add_long(digest, at, length);
        return;
    }
    if (length) memcpy(digest->stage + digest->staged, at, length);
    digest->staged += length;
}

static inline void running_digest_add_text(struct running_digest *digest, struct text text)
{
    running_digest_add(digest, text.at, text.length);
}

static inline void running_digest_add_char(struct running_digest *digest, char c)
{
    if (digest->staged == sizeof digest->stage) running_digest_flush(digest);
    digest->stage[digest->staged++] = c;
}

/* Of all bytes so far; more may follow. */
void running_digest_sum(struct running_digest *digest, uint8_t out[RUNNING_DIGEST_BYTES]);

/* Goes on where `from` stands; both go their own ways from here. */
void running_digest_copy(struct running_digest *to, struct running_digest *from);

/* The same for the last time: only running_digest_restart or _close may follow. */
void running_digest_end(struct running_digest *digest, uint8_t out[RUNNING_DIGEST_BYTES]);

#endif
