/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The addresses of one host: A and AAAA asked in parallel. */
#ifndef SEKIMORI_LOOKUP_HOST_H
#define SEKIMORI_LOOKUP_HOST_H

#include "ipc/ask_lookup.h"
#include "lookup/resolver.h"

struct host_question {
    enum { HOST_MAGIC = 0x7b7c1a5c } magic;
    struct dns_answer v4, v6;
    unsigned pending; /* questions not answered yet */
    void (*done)(void *context);
    void *context;
};

/* Asks; `done` once both are answered. `host` and `arena` must live until then. */
void host_begin(struct host_question *host, struct resolver *resolver, struct arena *arena, struct text name,
                void (*done)(void *context), void *context);

/* What is known now; a question still pending counts as temperror. IPv6 and IPv4 take turns, at most
   LOOKUP_ADDRESSES in all. */
void host_answer_make(const struct host_question *host, struct arena *arena, struct host_answer *out);

/* Of several answers that gave nothing usable, what to say in all: bogus, else temperror, else none. */
enum dns_status host_status_worse(enum dns_status a, enum dns_status b);

#endif
