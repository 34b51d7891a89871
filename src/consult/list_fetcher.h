/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Lists by HTTPS: when each is fetched, one at a time; what came goes to lookup, and is kept once lookup has
   taken it. lookup, too, finds the addresses of their servers. */
#ifndef SEKIMORI_CONSULT_LIST_FETCHER_H
#define SEKIMORI_CONSULT_LIST_FETCHER_H

#include "base/buffer.h"
#include "config/settings.h"
#include "consult/list_transfer.h"

struct list_fetcher;

/* Never NULL; before the jail closes. `folder` is that of consult/list_store.h and borrowed. */
struct list_fetcher *list_fetcher_new(struct loop *loop, int folder);

/* Its lists are fetched now, but for those of which `is_start` and what is kept say that it is not time yet.
   `config` is borrowed until the next. */
void list_fetcher_configure(struct list_fetcher *fetcher, const struct config *config, bool is_start);

/* A channel to lookup; takes over the descriptor. */
void list_fetcher_connect(struct list_fetcher *fetcher, int fd);

/* "NAME" and how it is, by child_status_add. */
void list_fetcher_status(const struct list_fetcher *fetcher, struct buffer *out);

#endif
