/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Where a domain's mail goes: RFC 5321 section 5.1, RFC 7505 null MX, the hosts' addresses in parallel. */
#ifndef SEKIMORI_LOOKUP_EXCHANGER_H
#define SEKIMORI_LOOKUP_EXCHANGER_H

#include "ipc/ask_lookup.h"
#include "lookup/host.h"

struct exchanger_host {
    uint16_t preference;
    uint32_t chance; /* order among equal preferences */
    struct text name;
    struct host_question host;
};

struct exchanger {
    enum { EXCHANGER_MAGIC = 0x3f6bcf04 } magic;
    struct resolver *resolver;
    struct arena *arena;
    struct text domain;
    struct dns_answer mx;
    bool is_mx_known, is_null, is_implicit;
    uint32_t host_count;
    struct exchanger_host *hosts;
    uint32_t pending;
    void (*done)(void *context);
    void *context;
};

/* `done` comes later, never inside this call, with the MX records and the addresses of all hosts. `domain` is
   borrowed until then. */
void exchanger_begin(struct exchanger *exchanger, struct resolver *resolver, struct arena *arena,
                     struct text domain, void (*done)(void *context), void *context);

/* What is known now: hosts whose addresses did not come yet are listed as temperror. The whole is found when
   one host has an address. */
void exchanger_answer_make(const struct exchanger *exchanger, struct arena *arena, struct mx_answer *out);

#endif
