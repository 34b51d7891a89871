/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* When lists were put aside and how long it lasted, out of what lookup told (judge/list_absence.h). */
#ifndef SEKIMORI_LEDGERDB_ABSENCES_H
#define SEKIMORI_LEDGERDB_ABSENCES_H

#include "ledgerdb/reader.h"

enum { ABSENCES_MOST = 200, ABSENCES_BACK_DAYS = 31 };

/* All of one list and node that reach into the time that was asked for. */
struct absence {
    struct text list, why; /* why: the last time */
    uint16_t node;
    uint32_t times;
    uint64_t since_ms, until_ms; /* the last time; until 0: it goes on */
    uint64_t lasted_ms;          /* together, what lies in the time that was asked for */
};

/* Of [from_ms, until_ms), in the order in which they began; one that began ABSENCES_BACK_DAYS before is not
   known. `now_ms`: where those that go on are counted to. The list is in the arena; at most ABSENCES_MOST
   rows. LATER: it took longer than a step may. */
enum ledgerdb_outcome absences_read(struct ledgerdb_reader *ledgerdb, uint64_t from_ms, uint64_t until_ms,
                                    uint64_t now_ms, struct arena *arena, struct absence **out,
                                    size_t *out_count);

#endif
