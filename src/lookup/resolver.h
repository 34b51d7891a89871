/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One question to the DNS, one RRset back: libunbound on the process's loop, one cache for all. A question
   never fails to end: libunbound's own patience ends it; nobody's deadline is kept here. */
#ifndef SEKIMORI_LOOKUP_RESOLVER_H
#define SEKIMORI_LOOKUP_RESOLVER_H

#include "base/loop.h"
#include "config/settings.h"
#include "dns/packet.h"

struct resolver;

enum { RESOLVER_QUESTIONS = 16384 }; /* in flight; over it the answer is DNS_TEMPERROR at once */

/* Reads /etc/resolv.conf and the root's trust anchor, which no jail lets it read later. */
struct resolver *resolver_new(struct loop *loop);
void resolver_free(struct resolver *resolver); /* what was asked is never answered */

/* Makes the resolver as `config` (its dns section) says; again on reload: what is in flight is asked anew.
   False, with a line in the log, when a server's address or libunbound will not do; the old one stays.
   The built-in answers for test., invalid., home.arpa. and the private reverse zones are taken out, and these
   names need no DNSSEC signature. localhost and the loopback reverse zones stay built in, unless all servers
   are on loopback themselves: they know best. */
bool resolver_configure(struct resolver *resolver, const struct config *config);

/* Another one, for one list of the DNS: with a small cache of its own, so that it can be emptied, and so that
   a list that does not answer is in nobody's way. It knows no server until resolver_configure_list, which
   empties its cache too: then it asks `servers` (IP or IP@PORT), or where there are none finds its way from
   the root, whatever the configuration and resolv.conf say. False as resolver_configure. */
struct resolver *resolver_new_for_list(const struct resolver *first);
bool resolver_configure_list(struct resolver *resolver, const struct config *config,
                             const struct text_list *servers);

/* Asks for the records of `type` at `name` (lower case, no final dot). `out` is DNS_TEMPERROR until answered;
   `done` is called later, never inside this call. `out` and `arena` (for the records) must live until then.
 */
void resolver_ask(struct resolver *resolver, struct arena *arena, struct text name, enum dns_record_type type,
                  struct dns_answer *out, void (*done)(void *context), void *context);

/* The same, but that an answer which is in the cache comes at once: true, *out is it, and `done` is not
 * called.
 */
bool resolver_ask_now(struct resolver *resolver, struct arena *arena, struct text name,
                      enum dns_record_type type, struct dns_answer *out, void (*done)(void *context),
                      void *context);

struct resolver_counts {
    uint64_t asked, from_cache; /* from_cache: answered without a packet to anybody */
    uint64_t answered;          /* by servers, in a way that counts: a name is there or is not */
    uint64_t temperrors, bogus;
    uint32_t in_flight;
};
/* Borrowed; they go on counting. */
const struct resolver_counts *resolver_counts(const struct resolver *resolver);

#endif
