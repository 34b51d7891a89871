/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A question of receive while it waits for a worker and while a worker has it. */
#ifndef SEKIMORI_SCAN_REQUEST_H
#define SEKIMORI_SCAN_REQUEST_H

#include "base/address.h"
#include "ipc/ask_scan.h"
#include "mail/digest.h"

struct receiver;

/* What a message may cost a worker: large ones have workers of their own, which the small ones' go before. */
enum request_weight { REQUEST_SMALL, REQUEST_LARGE, REQUEST_WEIGHTS };
enum { REQUEST_SMALL_MOST = 256 * 1024 }; /* bytes of frame and body */

struct request {
    struct request *next;
    struct receiver *receiver; /* NULL: nobody waits for the answer any more */
    uint16_t type;
    uint64_t id, arrived_ms;
    struct address client; /* its network; zero when the frame is malformed, which its worker will say */
    uint64_t bytes;        /* of the frame and the body beside it */
    enum request_weight weight;
    uint64_t start, finish; /* see fair_shares.c */
    uint64_t spent_ms;      /* a worker's own time, as far as it was told */
    bool is_let_go;         /* its worker has answered, and it waits for signer */
    bool has_told;          /* its worker has said that a part is infected */
    bool is_late;           /* its worker takes long over it */
    struct buffer payload;
    struct buffer seals; /* WORKER_SEALS; empty: nothing is to be signed */
    int fds[FRAME_DESCRIPTORS];
    int fd_count;
};

/* Copies the payload, takes the descriptors over. Clients are told apart by `ipv6_prefix` bits. */
struct request *request_new(struct receiver *receiver, struct frame *frame, uint32_t ipv6_prefix,
                            uint64_t now_ms);
void request_free(struct request *request); /* closes its descriptors */

/* SHA-256 of what a worker is to be told apart by: the message's bytes, else the whole question. */
void request_digest(const struct request *request, uint8_t out[DIGEST_BYTES]);

/* The digests of requests that ended a worker, the last 256. Zero-initialised is empty. */
enum { POISONS_MOST = 256 };
struct poisons {
    uint8_t digests[POISONS_MOST][DIGEST_BYTES];
    uint32_t count; /* ever */
};

/* True when this one was there before; remembers it. */
bool poisons_meet(struct poisons *poisons, const uint8_t digest[DIGEST_BYTES]);

#endif
