/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The address of a page as a list is fetched from it: "https://NAME[:PORT]/…" (RFC 9110 section 4.2.2). */
#ifndef SEKIMORI_CONFIG_WEB_ADDRESS_H
#define SEKIMORI_CONFIG_WEB_ADDRESS_H

#include "base/address.h"

enum { WEB_ADDRESS_MOST = 1000 }; /* bytes */

struct web_address {
    struct text host; /* a name, or an address without brackets */
    uint16_t port;    /* 443 where none is said */
    bool is_address;  /* the host is one: it is `address` */
    struct address address;
};

/* Texts are borrowed. False: another scheme, a user or password, a fragment, a byte that is not printable
   ASCII or a blank, no host name, no port, or too long. */
bool web_address_read(struct text word, struct web_address *out);

/* Nobody of the world is there (RFC 6890): loopback, private, link-local, shared and documentation networks,
   multicast, and IPv6 that carries such an IPv4 address. */
bool web_address_is_inside(const struct address *address);

#endif
