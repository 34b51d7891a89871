/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is said to clamd over one connection (clamd(8), IDSESSION): several questions, each with a number by
   which its reply is known, in whatever order replies come. Bytes in, bytes out, replies; no socket, no
   clock. */
#ifndef SEKIMORI_CONSULT_CLAMD_DIALOGUE_H
#define SEKIMORI_CONSULT_CLAMD_DIALOGUE_H

#include "base/buffer.h"
#include "judge/evidence.h"

enum {
    CLAMD_OPEN_MOST = 8,     /* questions without a reply, on one connection */
    CLAMD_REPLY_MOST = 2048, /* bytes of one reply */
};

enum clamd_command {
    CLAMD_VERSION,
    CLAMD_INSTREAM, /* chunks follow: clamd_chunk_put */
    CLAMD_FILDES,   /* one byte with a descriptor follows */
};

/* Zero-initialised is a connection on which nothing was said. */
struct clamd_dialogue {
    uint32_t last; /* the number of the question asked last */
    uint32_t count;
    struct clamd_open {
        uint32_t number;
        enum clamd_command command;
        void *asker;
    } open[CLAMD_OPEN_MOST];
};

/* What came of reading: nothing yet, a reply, or an end of the connection: what it says is nonsense. */
enum clamd_event { CLAMD_MORE, CLAMD_REPLY, CLAMD_NONSENSE };

struct clamd_reply {
    enum clamd_command command;
    void *asker;           /* of the question; it is not open any more */
    enum scan_state state; /* SCAN_LIMITS: larger than it takes; SCAN_UNSCANNED: an error. Of CLAMD_VERSION
                              SCAN_CLEAN or SCAN_UNSCANNED. */
    struct text words;     /* the virus, the error, or the version; borrowed from what was read */
};

/* Appends the first words, with which a session of numbered questions begins. */
void clamd_begin(struct buffer *out);

/* Appends a command. False: CLAMD_OPEN_MOST have no reply yet, and nothing was appended. */
bool clamd_ask(struct clamd_dialogue *dialogue, enum clamd_command command, void *asker, struct buffer *out);

/* Appends the four bytes before a chunk of the message; a length of 0 is its end. */
void clamd_chunk_put(uint32_t length, struct buffer *out);

/* Reads at most one reply. Returns how many bytes were read; they are 0 with CLAMD_MORE. */
size_t clamd_read(struct clamd_dialogue *dialogue, struct text bytes, enum clamd_event *out_event,
                  struct clamd_reply *out);

#endif
