/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori audit`: who looked at the content of which message, and who did what to queue, quarantine and
   node. */
#ifndef SEKIMORI_LEDGERDB_ACCESS_LOG_H
#define SEKIMORI_LEDGERDB_ACCESS_LOG_H

#include "ledgerdb/reader.h"

struct look {
    uint64_t time_ms, message; /* message: its id; 0: of no one message */
    uint16_t node;
    uint32_t uid;
    struct text user, process, act, about;
};

struct look_question {
    uint64_t from_ms, until_ms; /* [from, until); until 0: open */
    uint64_t message;           /* 0: any */
    struct text user;           /* empty: any; a name, or a number as it was written down */
    struct text act;            /* empty: any; one of look_act's */
    size_t most;
};

/* The acts that are recorded, by position: "remove"; NULL behind the last. */
const char *look_act(size_t position);

/* The newest first. */
enum ledgerdb_outcome looks_read(struct ledgerdb_reader *ledgerdb, const struct look_question *question,
                                 struct arena *arena, struct look **out, size_t *out_count, bool *out_is_cut);

#endif
