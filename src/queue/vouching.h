/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Does scan stand by what receive wants kept? Called by intake.c. */
#ifndef SEKIMORI_QUEUE_VOUCHING_H
#define SEKIMORI_QUEUE_VOUCHING_H

#include "ipc/ask_queue.h"

struct queue;

/* Before the jail. */
void vouching_begin(struct queue *queue);

/* A message of receive may be kept: scan vouches for it, by a voucher that was not used before; or it is held for
   every recipient; or our configuration has none of it judged. Digests the body, whose bytes must be
   nobody else's by then; only a message that is taken uses up its id. */
bool vouching_admits(struct queue *queue, const struct keep_request *request, struct text body);

#endif
