/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One request by HTTPS (RFC 9110) and what came of it: the only file that knows libcurl. It connects to the
   addresses it is given and to no other, asks no name service, follows nothing, opens no file, and has no
   proxy, cookies or passwords. */
#ifndef SEKIMORI_CONSULT_LIST_TRANSFER_H
#define SEKIMORI_CONSULT_LIST_TRANSFER_H

#include "base/loop.h"
#include "config/web_address.h"
#include "consult/list_reply.h"

enum { LIST_TRANSFER_ADDRESSES = 8, LIST_TRANSFER_WHY_SIZE = 200 };

struct list_transfers;

/* Never NULL. Call before the jail closes: the library looks at the machine once. */
struct list_transfers *list_transfers_new(struct loop *loop);

struct list_request {
    struct text url;                 /* that web_address_read takes */
    struct web_address where;        /* its parts */
    const struct address *addresses; /* of its host: 1 to LIST_TRANSFER_ADDRESSES */
    size_t address_count;
    struct text ca; /* PEM */
    struct text etag,
        modified;        /* of the file that is there, as the server spelled them; empty: all is sent */
    uint64_t most_bytes; /* of the file, once it is unpacked */
    uint32_t limit_ms;   /* for all of it */
};

enum list_outcome { LIST_CAME, LIST_UNCHANGED, LIST_MOVED, LIST_FAILED };

/* Borrowed for the call. */
struct list_result {
    enum list_outcome outcome;
    int fd;                     /* it came: a memfd that is sealed; the callee's */
    struct text etag, modified; /* it came; perhaps empty */
    struct text location;       /* moved: an absolute URL, not looked at yet */
    const char *why;            /* failed; printable */
};

struct list_transfer;

/* Everything is copied. `ended` is called once, not inside this call, and the transfer is gone then. */
struct list_transfer *list_transfer_begin(struct list_transfers *transfers,
                                          const struct list_request *request,
                                          void (*ended)(void *context, const struct list_result *result),
                                          void *context);
/* `ended` is not called. */
void list_transfer_cancel(struct list_transfer *transfer);

#endif
