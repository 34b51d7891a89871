/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A client's name: what its address's PTR says, believed when that name leads back to the address. */
#ifndef SEKIMORI_LOOKUP_REVERSE_H
#define SEKIMORI_LOOKUP_REVERSE_H

#include "ipc/ask_lookup.h"
#include "lookup/resolver.h"

enum { REVERSE_NAMES = 10 };

struct reverse {
    enum { REVERSE_MAGIC = 0x1ddd1ec2 } magic;
    struct resolver *resolver;
    struct arena *arena;
    struct address client;
    struct dns_answer ptr;
    uint32_t name_count; /* of the PTR's names, those that are tried */
    struct text names[REVERSE_NAMES];
    struct dns_answer forward[REVERSE_NAMES];
    struct text confirmed;
    bool is_ptr_known;
    uint32_t pending;
    void (*progressed)(void *context);
    void *context;
};

/* `progressed` after each answer; the last call is the one with `pending` 0, and `reverse` and `arena` must
   live until then. The result stands as soon as a name is confirmed. */
void reverse_begin(struct reverse *reverse, struct resolver *resolver, struct arena *arena,
                   const struct address *client, void (*progressed)(void *context), void *context);

/* "1.2.0.192" of 192.0.2.1, the nibbles of an IPv6 address likewise (RFC 3596 section 2.5): what stands
   before the zone, also of a list (RFC 5782 section 2.1). In the arena. */
struct text reverse_labels(struct arena *arena, const struct address *address);

/* What is known now. */
void reverse_answer_make(const struct reverse *reverse, struct client_name *out);

#endif
