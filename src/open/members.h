/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Where what is unpacked goes, and what bounds it: depth, number, size, ratio and time. Each reader hands its
   members to it, and it has those that are containers opened in turn. */
#ifndef SEKIMORI_OPEN_MEMBERS_H
#define SEKIMORI_OPEN_MEMBERS_H

#include "base/buffer.h"
#include "mail/true_type.h"

enum unpack_notice {
    UNPACK_LIMITS,     /* a limit was reached: which */
    UNPACK_NOT_OPENED, /* a container that is not read, or not to its end: its true type and why */
    UNPACK_ENCRYPTED,  /* only who has a key can look: its true type */
};

struct unpack_limits {
    uint64_t file_bytes;  /* of one member, unpacked */
    uint64_t total_bytes; /* of all that is unpacked, at every depth */
    uint32_t files;       /* members, at every depth */
    uint32_t nesting;     /* containers in containers */
    uint32_t time_ms;
};

struct unpack_events {
    /* A member: `path` names it and the containers around it, as they say, at most UNPACK_PATH_MOST bytes of
       any kind. Texts are borrowed for the call. False: no more is wanted. */
    bool (*on_member)(void *context, struct text path, struct text bytes);
    /* `what` is ours, printable ASCII, at most UNPACK_WHAT_MOST bytes. */
    void (*on_notice)(void *context, enum unpack_notice notice, struct text path, struct text what);
};

enum { UNPACK_PATH_MOST = 200, UNPACK_WHAT_MOST = 119, UNPACK_NESTING_MOST = 100 };

/* One run over one container: unpack.h begins it. */
struct unpack {
    const struct unpack_limits *limits;
    const struct unpack_events *events;
    void *context;
    uint64_t until_ms; /* CLOCK_MONOTONIC */
    uint64_t in_bytes, total;
    uint32_t files, depth;
    uint32_t hidden; /* how many of the containers around are unknown to the engine */
    bool is_over;    /* a limit that ends all, or nobody listens any more */
    struct buffer path;
    void (*read)(struct unpack *unpack, enum true_type type, struct text bytes); /* one container, by type */
};

/* One container, if its type is one that is read; else it says what it is. */
void members_look_into(struct unpack *unpack, enum true_type type, struct text bytes);

/* Adds to the member that is being made; counts. False: it is too large, and nothing
   of it is left, or all is over: said so. */
bool members_add(struct unpack *unpack, struct buffer *member, const void *bytes, size_t size);
/* May go on: neither is all over nor the time up, which it says. */
bool members_may_go_on(struct unpack *unpack);
/* A member whose bytes are there, whole or in part. `name`: any bytes. */
void members_take(struct unpack *unpack, struct text name, struct text bytes);
void members_notice(struct unpack *unpack, enum unpack_notice notice, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
