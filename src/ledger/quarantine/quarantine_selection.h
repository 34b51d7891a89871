/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which recipients of the quarantine a command names: ids, or a ticket, or all that options let through. */
#ifndef SEKIMORI_LEDGER_QUARANTINE_QUARANTINE_SELECTION_H
#define SEKIMORI_LEDGER_QUARANTINE_QUARANTINE_SELECTION_H

#include "base/arena.h"
#include "ipc/pattern.h"
#include "ledgerdb/held.h"
#include "ledgerdb/ticket.h"

struct selection {
    uint64_t *ids;
    size_t id_count;
    struct patterns from, to, either; /* either: sender or recipient */
    int class;                        /* -1: any */
    uint64_t since_ms;                /* messages that arrived then or later */
    struct text subject;              /* words, each of which stands in it */
    bool is_all, narrows;
    bool is_dry;     /* count, and do nothing */
    bool has_ticket; /* which is the right to act on this one recipient */
    uint32_t number;
};

/* NULL: good; else what is wrong. `key` NULL: no ticket is good. Borrows from the words; lists live in the
 * arena. */
const char *selection_read(struct selection *out, struct arena *arena, const struct ticket_key *key,
                           uint64_t now_s, const struct text *words, size_t count);

/* Ids apart: they are what is asked for. */
bool selection_has(const struct selection *selection, const struct held_row *row);

#endif
