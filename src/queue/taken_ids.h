/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The ids of the messages that were taken with a voucher, for as long as a voucher is good: none is taken twice. */
#ifndef SEKIMORI_QUEUE_TAKEN_IDS_H
#define SEKIMORI_QUEUE_TAKEN_IDS_H

#include <stdbool.h>
#include <stdint.h>

/* Never NULL. An id is remembered for at least `life_ms` of the clock that `now_ms` is of, and for less than
   three times that. 16 to 32 bytes of memory for each. */
struct taken_ids *taken_ids_new(void);
void taken_ids_free(struct taken_ids *taken); /* NULL is allowed */

/* False: it was taken before. Id 0 is none. */
bool taken_ids_add(struct taken_ids *taken, uint64_t id, uint64_t now_ms, uint64_t life_ms);

#endif
