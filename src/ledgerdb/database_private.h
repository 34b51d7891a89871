/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#ifndef SEKIMORI_LEDGERDB_DATABASE_PRIVATE_H
#define SEKIMORI_LEDGERDB_DATABASE_PRIVATE_H

#include <sys/types.h>

#include "base/arena.h"
#include "ledgerdb/colleagues.h"
#include "ledgerdb/database.h"
#include "ledgerdb/list_history.h"
#include "ledgerdb/outbox.h"
#include "ledgerdb/part_history.h"
#include "ledgerdb/pending.h"

enum statement {
    STORE_MESSAGE,
    JUDGE_MESSAGE,
    STORE_RECIPIENT,
    ACCEPT_RECIPIENT,
    JUDGE_RECIPIENT,
    END_RECIPIENT,
    STORE_ENDING,
    STORE_STEP,
    HOLD_RECIPIENT,
    STORE_REFUSAL,
    STORE_AUDIT,
    STORE_MISSED,
    STORE_RELAYED,
    STORE_HOP,
    STORE_PROOF,
    FIND_LATE,
    FIND_ENDING,
    FIND_MESSAGE,
    STATEMENTS
};

struct database {
    struct sql *sql;
    struct sql_statement *statements[STATEMENTS];
    struct pending *pending;
    struct list_history *lists;
    struct part_history *parts;
    struct colleagues *colleagues;
    uint32_t today; /* see database_set_today */
    const struct config *config;
    uint16_t node;
    struct outbox *outbox; /* NULL: nobody is told */
    struct arena *arena;   /* of the event under way */
    struct buffer terms;   /* the same */
    char path[4096];
    dev_t device;
    ino_t file;          /* that is open, whatever has its name now */
    bool has_complained; /* of readers that keep the log from being emptied */
};

extern const char *const statements_texts[STATEMENTS];

#endif
