/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The bounds of the histograms. To change one is to change the version. */
#include "ipc/measures.h"

#include <string.h>

#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

const uint64_t measures_bounds[MEASURES_SCALES][MEASURES_BOUNDS] = {
    [MEASURES_WORK] = { 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000,
                        5000000, 15000000, 60000000 },
    [MEASURES_WAIT] = { SECOND / 10, SECOND / 2, SECOND, 5 * SECOND, 15 * SECOND, MINUTE, 5 * MINUTE,
                        15 * MINUTE, 30 * MINUTE, HOUR, 4 * HOUR, 8 * HOUR, DAY, 2 * DAY, 3 * DAY, 5 * DAY },
    [MEASURES_SIZE] = { KIB, 2 * KIB, 4 * KIB, 8 * KIB, 16 * KIB, 32 * KIB, 64 * KIB, 128 * KIB, 256 * KIB,
                        512 * KIB, MIB, 2 * MIB, 5 * MIB, 10 * MIB, 25 * MIB, 50 * MIB },
};

void measures_begin(struct measures *page)
{
    if (page->version == MEASURES_VERSION) return;
    memset(page, 0, sizeof *page);
    page->version = MEASURES_VERSION;
}
