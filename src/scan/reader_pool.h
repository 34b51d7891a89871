/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Readers of containers as the dispatcher has them: some forked ahead, each given to one worker for one
   message and ended with that. */
#ifndef SEKIMORI_SCAN_READER_POOL_H
#define SEKIMORI_SCAN_READER_POOL_H

#include "ipc/child.h"

struct dispatcher;
struct pool_worker;
struct reader_pool;

/* Empty, and without open. */
struct reader_pool *reader_pool_new(struct dispatcher *dispatcher);

/* open, by its channel: takes the place of one before it. */
void reader_pool_connect(struct reader_pool *pool, int fd);
bool reader_pool_is_there(const struct reader_pool *pool); /* open is connected */

/* WORKER_READER_IS to the worker, at once or when there is one. */
void reader_pool_ask(struct reader_pool *pool, struct pool_worker *member);

/* Its message is done: its reader, if it has one, is killed. */
void reader_pool_end(struct reader_pool *pool, struct pool_worker *member);

/* A reader ended or was late, and the message goes on without its text: counts. */
void reader_pool_text_lost(struct reader_pool *pool);

void reader_pool_status(const struct reader_pool *pool, struct buffer *out); /* appends */

#endif
