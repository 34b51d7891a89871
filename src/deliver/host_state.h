/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is known of each server by address and port, whatever destinations it serves: until when it is put
   aside after a failure, how many connections to it are at work, and how far its replies are believed. */
#ifndef SEKIMORI_DELIVER_HOST_STATE_H
#define SEKIMORI_DELIVER_HOST_STATE_H

#include <stdbool.h>

#include "base/address.h"
#include "deliver/dialogue.h"
#include "deliver/hash_table.h"

enum { ASIDE_FIRST_MS = 15000, ASIDE_MOST_MS = 300000 };

/* A server that is forgotten has to show anew that it is in step, so forgetting one is always safe. */
enum {
    HOST_CLEAR_MS = 3600000,
    HOST_DOUBT_MS = 3600000,
    HOST_MEMORY_MS = 3600000,
    HOSTS_REMEMBERED_MOST = 4096
};

struct host {
    struct hash_node node;
    struct endpoint endpoint;
    uint64_t aside_until_ms; /* 0: not aside */
    bool is_unreachable;     /* when last tried it accepted no connection */
    unsigned failures;
    uint32_t lanes, busy; /* connections, and those of them with an errand */
    uint64_t turn;        /* of the last errand it was given: of two that are equal the other one is next */
    bool is_in_step, tells_apart; /* as enum dialogue_finding says */
    bool hangs_up;                /* it was found to, and has not shown itself in step since */
    uint64_t doubted_until_ms;    /* it was out of step: until then nothing it shows changes that */
    uint64_t clear_until_ms;      /* its TLS did not come about, and a session without it did */
    uint64_t learned_ms;          /* when something was found out about its replies; 0: never */
};

/* Zero-initialised is empty. */
struct hosts {
    struct hash_table by_endpoint;
};

/* Frees every host; lanes that know one are to be gone. */
void hosts_free(struct hosts *hosts);

/* Made when it is not known; stays while it has lanes or is aside, and for HOST_MEMORY_MS what was learned of
   it. */
struct host *hosts_get(struct hosts *hosts, const struct endpoint *endpoint);
const struct host *hosts_find(const struct hosts *hosts,
                              const struct endpoint *endpoint); /* NULL: not known */

/* Puts it aside, longer each time, but no longer than most_ms. Failures at the same time count once. */
void host_set_aside(struct host *host, uint64_t now_ms, uint64_t most_ms, bool is_unreachable);
void host_forgive(struct host *host); /* it is not aside, and fails for the first time then */

/* How much may be sent ahead of its replies, by what was learned; none for HOST_DOUBT_MS after replies that
   did not fit. */
enum dialogue_trust host_trust(const struct host *host, uint64_t now_ms);
void host_learn(struct host *host, enum dialogue_finding finding, uint64_t now_ms);

/* For HOST_CLEAR_MS after its TLS failed where it was only offered, and a session in the clear did not: TLS
   is not tried there again where it is only offered. */
bool host_goes_clear(const struct host *host, uint64_t now_ms);
void host_learn_clear(struct host *host, uint64_t now_ms);

uint32_t hosts_aside(const struct hosts *hosts, uint64_t now_ms); /* how many are */
void hosts_sweep(struct hosts *hosts, uint64_t now_ms);           /* forgets those of no more interest */

#endif
