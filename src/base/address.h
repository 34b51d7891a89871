/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Network addresses: one form for IPv4 and IPv6, networks (CIDR), and their text. */
#ifndef SEKIMORI_BASE_ADDRESS_H
#define SEKIMORI_BASE_ADDRESS_H

#include <sys/socket.h>

#include "base/text.h"

/* IPv4 is kept as IPv4-mapped IPv6, so that one comparison serves both. */
struct address {
    uint8_t bytes[16];
};

struct endpoint {
    struct address address;
    uint16_t port; /* host order */
};

struct network {
    struct address address;
    uint8_t bits; /* 0-128; an IPv4 /n is n + 96 */
};

enum { ADDRESS_TEXT_SIZE = 48 }; /* room for any address text and its NUL */

bool address_is_v4(const struct address *address);
bool address_is_zero(const struct address *address); /* 0.0.0.0 or :: */
bool address_equal(const struct address *a, const struct address *b);
bool address_is_loopback(const struct address *address);

/* "192.0.2.1" or "2001:db8::1"; also in the brackets and with the tag of RFC 5321 section 4.1.3:
   "[192.0.2.1]", "[IPv6:2001:db8::1]". Nothing else: no host names. */
bool address_parse(struct text text, struct address *out);

/* NUL-ended; returns room. */
char *address_print(const struct address *address, char room[ADDRESS_TEXT_SIZE]);

/* "192.0.2.0/24", "2001:db8::/32", or an address alone (all bits). Host bits must be zero. */
bool network_parse(struct text text, struct network *out);
bool network_has(const struct network *network, const struct address *address);

/* Conversions to and from the socket calls. endpoint_to_sockaddr returns the length to pass. */
socklen_t endpoint_to_sockaddr(const struct endpoint *endpoint, struct sockaddr_storage *out);
bool endpoint_from_sockaddr(const struct sockaddr_storage *from, struct endpoint *out);

#endif
