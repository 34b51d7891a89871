/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What has waited longest. */
#ifndef SEKIMORI_LEDGERDB_OLDEST_H
#define SEKIMORI_LEDGERDB_OLDEST_H

#include "ledgerdb/reader.h"

struct oldest {
    uint64_t waiting_ms; /* when the oldest message arrived that waits for delivery; 0: none does */
    uint64_t held_ms;    /* likewise of those held */
};

/* Two questions, each within READER_STEP_MS. Unless DONE, `out` means nothing. */
enum ledgerdb_outcome ledgerdb_oldest(struct ledgerdb_reader *ledgerdb, struct oldest *out);

#endif
