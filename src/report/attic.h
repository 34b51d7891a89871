/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* learn/missed/kept is not let grow for ever. */
#ifndef SEKIMORI_REPORT_ATTIC_H
#define SEKIMORI_REPORT_ATTIC_H

#include <stdint.h>

/* Removes the oldest files of `folder` when all together take more than `most` bytes of the disk, until a
   sixteenth is free. What they take then. */
uint64_t attic_clear(int folder, uint64_t most);

#endif
