/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* How often each message id was seen: one byte an id. Ids are small numbers that count up. */
#ifndef SEKIMORI_BENCH_IDS_H
#define SEKIMORI_BENCH_IDS_H

#include <stdbool.h>
#include <stdint.h>

enum { IDS_MOST = 1 << 30 }; /* ids at or over it are refused */

struct ids {
    uint8_t *times; /* saturates at 255 */
    uint64_t size;
    uint64_t distinct; /* ids seen at least once */
    uint64_t doubled;  /* sightings beyond the first */
};

/* False when the id is out of range. A zero-initialised struct ids is empty. */
bool ids_add(struct ids *ids, uint64_t id);
unsigned ids_times(const struct ids *ids, uint64_t id);
void ids_free(struct ids *ids);

/* One line an id, in order: "ID", or "ID TIMES" where it was seen more than once. Both end the program
   with a message when the file cannot be used. */
void ids_write(const struct ids *ids, const char *path);
void ids_read(struct ids *ids, const char *path);

#endif
