/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The messages a load run sends: prepared once, CRLF-ended, dot-stuffed, the final dot included. */
#ifndef SEKIMORI_BENCH_BODIES_H
#define SEKIMORI_BENCH_BODIES_H

#include "base/text.h"

struct bodies {
    struct text *items;
    size_t count;
};

/* `count` made-up mails from `from` to `to`, each `size_bytes` long before the dot. Words depend on `seed`
 * alone. */
struct bodies bodies_make(size_t count, size_t size_bytes, const char *from, const char *to, uint64_t seed);

/* Every regular file under `folder`, in an order that `seed` shuffles. CRLF, LF and CR each end a line;
   an mbox "From " line in front is left out. Ends the program when there is none. */
struct bodies bodies_read(const char *folder, uint64_t seed);

void bodies_free(struct bodies *bodies);

/* A small generator of numbers for tests that must repeat: the next one of `state` (any start value). */
uint64_t bodies_random(uint64_t *state);

#endif
