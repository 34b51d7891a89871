/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The head of an HTTP request (RFC 9112), as much of it as a monitor needs to be answered. Pure, bounded. */
#ifndef SEKIMORI_METRICS_HTTP_REQUEST_H
#define SEKIMORI_METRICS_HTTP_REQUEST_H

#include "base/text.h"

enum { HTTP_HEAD_MOST = 8192 };

struct http_request {
    struct text method; /* borrowed, as `path` */
    struct text path;   /* without a query: "/metrics" */
    bool is_head;       /* HEAD: the reply has no content */
};

/* 0: the head has no end yet, show more of it; else the status code of the reply: 200 when it is a GET or
   HEAD of /metrics and `out` is filled, 400 malformed, 404, 405, 431 longer than HTTP_HEAD_MOST, 505. Lines
   end in CRLF and nothing else does (RFC 9112 section 2.2 lets a server be so strict). */
unsigned http_request_parse(struct text bytes, struct http_request *out);

#endif
