/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The pool: requests of receive on one side, workers on the other. It never looks into a message. */
#ifndef SEKIMORI_SCAN_POOL_H
#define SEKIMORI_SCAN_POOL_H

#include "ipc/child.h"

struct pool;

/* `warden`: the channel of nursery_warden_start. `core_count`: workers where the configuration says one a
 * core. */
struct pool *pool_new(struct child *child, int warden, uint32_t core_count);

/* A receive process, by its channel. */
void pool_add_receiver(struct pool *pool, int fd);

/* A new configuration or new signatures: a nursery beside the old one; its workers take over one by one. */
void pool_reload(struct pool *pool);

/* No new requests are begun; child_exit is called when what is under way has ended, or `within_ms` passed. */
void pool_stop(struct pool *pool, uint32_t within_ms);

void pool_status(const struct pool *pool, struct buffer *out);

#endif
