/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* learn/missed/kept is not let grow for ever. */
#ifndef SEKIMORI_REPORT_MISSED_MISSED_STORE_H
#define SEKIMORI_REPORT_MISSED_MISSED_STORE_H

#include <stdint.h>

enum { MISSED_STORE_A_LOOK = 4000 }; /* removed at once: it must not take long */

/* Removes the oldest files of `folder` when all together take more than `most` bytes of the disk, until a
   sixteenth is free or so many have gone. What they take then: over `most` it wants another look. */
uint64_t missed_store_clear(int folder, uint64_t most);

#endif
