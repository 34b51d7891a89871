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

bool address_is_v4(const struct address *address);       /* ::ffff:0:0/96 */
bool address_is_zero(const struct address *address);     /* 0.0.0.0 or :: */
bool address_is_loopback(const struct address *address); /* 127.0.0.0/8 or ::1 */
/* Nobody can be there: 0.0.0.0/8, multicast and what is reserved behind it, the broadcast address; ::,
   ff00::/8 (RFC 6890). */
bool address_is_no_host(const struct address *address);
bool address_equal(const struct address *a, const struct address *b); /* 192.0.2.1 is ::ffff:192.0.2.1 */

/* What stands for a client: an IPv4 address itself; of an IPv6 one its first `ipv6_prefix` bits, the others
   zero. */
struct address address_client_network(const struct address *address, uint32_t ipv6_prefix);

/* The network that a host is likely to be moved in: the first 24 bits of an IPv4 address, 48 of an IPv6 one,
   the others zero. */
struct address address_wide_network(const struct address *address);

/* From network order: 4 bytes of an IPv4 address, or 16 of an IPv6 one (::ffff:192.0.2.1 is 192.0.2.1). */
void address_from_bytes(const void *bytes, size_t length, struct address *out);

/* Reads each spelling of one address and nothing behind it: "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"
   (which is 192.0.2.1), in brackets, and before IPv6 with the tag of RFC 5321 section 4.1.3, in any case and
   in brackets or not ("[IPv6:2001:db8::1]", "IPV6:2001:db8::1" as XCLIENT has it). False, *out undefined:
   anything else, as a host name, a zone, a port or a prefix. */
bool address_parse(struct text text, struct address *out);

/* As address_parse; a link-local address may have a zone (RFC 4007 section 11), as those who tell of a client
   write it: "fe80::1%eth0". The zone is dropped. False for a zone behind any other address. */
bool address_parse_zoned(struct text text, struct address *out);

/* Tells by a colon how an address is spelled, not of which family it is; the text need not be an address. */
bool address_is_spelled_v6(struct text text);

/* NUL-ended; returns room. */
char *address_print(const struct address *address, char room[ADDRESS_TEXT_SIZE]);

/* "192.0.2.0/24", "2001:db8::/32", or an address alone (all bits), spelled as address_parse reads it. The
   prefix of an IPv4 address spelled as IPv6 may count in either family: "::ffff:192.0.2.0/120" is
   192.0.2.0/24. False, *out undefined: no address, a prefix too long, host bits that are set. */
bool network_parse(struct text text, struct network *out);

/* The same with host bits that may be set: "192.0.2.1/24", an address as an interface has it. */
bool network_parse_interface(struct text text, struct network *out);

/* True when the first `bits` of both are the same; a /0 has every address of both families. */
bool network_has(const struct network *network, const struct address *address);

/* "192.0.2.1:25", "[2001:db8::1]:25", the address spelled as address_parse reads it. Without a port it is
   `port_fallback`, 0-65535; -1 says that the port must stand there. A port 0 is read. False, *out undefined:
   anything else. */
bool endpoint_parse(struct text text, int port_fallback, struct endpoint *out);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

/* Fills *out for bind() and connect(), zeros behind; returns the length to pass with it. */
socklen_t endpoint_to_sockaddr(const struct endpoint *endpoint, struct sockaddr_storage *out);

/* `from` is as long as its family says. False, *out untouched: NULL, or of another family than IPv4 and
   IPv6. */
bool endpoint_from_sockaddr(const struct sockaddr *from, struct endpoint *out);

#endif
