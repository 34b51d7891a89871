/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* From a mail domain to the servers to try, in order: static targets as written, or the MX RRset by RFC 5321
   section 5.1 with null MX (RFC 7505). Pure: says which names it needs, is given the answers. */
#ifndef SEKIMORI_DELIVER_MX_ROUTE_H
#define SEKIMORI_DELIVER_MX_ROUTE_H

#include "config/settings.h"
#include "ipc/ask_deliver.h"
#include "ipc/ask_lookup.h"

/* Addresses that are ours: a server there is this gateway. */
struct own_addresses {
    struct text hostname;
    struct endpoint *listeners; /* address zero: every one of `addresses` */
    size_t listener_count;
    struct address *addresses;
    size_t address_count;
};
/* A connection to there would reach a listener of ours. An address in 127/8, or ::1, is ours. */
bool own_addresses_have(const struct own_addresses *own, const struct endpoint *endpoint);

struct hop {
    struct endpoint endpoint;
    struct text host;      /* its name; the address's text when it has none */
    bool is_outside;       /* found by MX, or an address literal: a server of the world */
    struct address source; /* of ours, to connect from; zero: as the configuration has it */
};

enum route_status {
    ROUTE_ASK_HOST, /* route->question is the name to look up */
    ROUTE_ASK_MX,
    ROUTE_ASK_SOURCES, /* route->sources is the question: from which address of ours is it, by IPv6? */
    ROUTE_READY,       /* there is at least one hop */
    ROUTE_NONE         /* there is none: ending, enhanced and reason */
};

enum { ROUTE_HOPS_MOST = 100 };

struct route {
    struct arena *arena; /* owns everything below */
    struct text domain;  /* of the mail, lower case */
    struct target *targets;
    size_t target_count, target_next;
    uint16_t mx_port;
    enum ipv6_use ipv6;     /* IPV6_ON where the domain is ours: its servers are inside, whoever names them */
    struct address source6; /* as configured; zero: the kernel's choice */

    enum tls_level tls;
    struct text tls_name; /* to verify; empty: the hop's host */
    bool smtputf8, is_static, balance;
    uint32_t connections; /* limit, 0: the default */

    enum route_status status;
    struct text question;
    struct sources_question sources;
    struct hop *hops;
    uint32_t hop_count;

    uint32_t left_out; /* hops by IPv6 that are not taken since our address has no confirmed name */
    struct outbound_source left_why; /* of the last of those */

    enum recipient_ending ending; /* FAILED or DEFERRED */
    const char *enhanced;
    struct text reason;
};

/* One destination serves all domains with the same key: static targets are shared, an MX is the domain's own.
 */
void route_key(const struct domain *statement, struct text domain, struct buffer *out);

/* Copies what it needs of the configuration and goes on to the first question or to the end. */
struct route *route_new(const struct config *config, const struct domain *statement, struct text domain,
                        const struct own_addresses *own);
void route_free(struct route *route); /* NULL is allowed */

/* To the question that `route` stands at. The answer is copied; afterwards there is the next question, or the
   end. */
void route_host_answer(struct route *route, const struct own_addresses *own,
                       const struct host_answer *answer);
void route_mx_answer(struct route *route, const struct own_addresses *own, const struct mx_answer *answer);
/* What is missing of it counts as CLIENT_NAME_TEMPERROR. */
void route_sources_answer(struct route *route, const struct sources_answer *answer);

#endif
