/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which runs of bytes were decoded by which method already. Called by reading.c. */
#ifndef SEKIMORI_MAIL_SEEN_H
#define SEKIMORI_MAIL_SEEN_H

#include "base/arena.h"

/* Address, length and method, mixed into one number. Open addressing, 0 is free. By hand, since it grows in
   an arena and nothing is ever taken out. Zero-initialised is empty. */
struct seen {
    uint64_t *keys;
    size_t count, room;
};

/* True when it was not there yet; false also for nothing but blanks. Blanks around the bytes make no
   difference. The bytes must stay where they are as long as the set is in use. */
bool seen_add(struct arena *arena, struct seen *seen, struct text encoded, unsigned method);

#endif
