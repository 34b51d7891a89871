/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The PROXY protocol header, versions 1 and 2, that a load balancer puts before the client's first byte. */
#ifndef SEKIMORI_SMTP_PROXY_H
#define SEKIMORI_SMTP_PROXY_H

#include "base/address.h"

enum proxy_outcome {
    PROXY_MORE,   /* the header is not complete */
    PROXY_CLIENT, /* *out is the client */
    PROXY_LOCAL,  /* v1 UNKNOWN or v2 LOCAL: the connection is the balancer's own */
    PROXY_BAD,    /* not a PROXY header, or a malformed one */
};

enum { PROXY_V1_MOST = 107, PROXY_V2_MOST = 16 + 2048 };

/* Reads the header at the start of `bytes`, which are borrowed. *out is the client for PROXY_CLIENT only, an
   IPv4-mapped address as IPv4; *used, the header's length, for PROXY_CLIENT and PROXY_LOCAL. TLVs are
   skipped. */
enum proxy_outcome proxy_parse(struct text bytes, struct endpoint *out, size_t *used);

#endif
