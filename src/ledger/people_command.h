/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Answers `sekimori people …`: names of our own senders that were learned (ledgerdb/colleagues.h). What
   changes something is recorded first: sekimori audit. */
#ifndef SEKIMORI_LEDGER_PEOPLE_COMMAND_H
#define SEKIMORI_LEDGER_PEOPLE_COMMAND_H

#include "ipc/ask_master.h"
#include "ledger/ingest.h"
#include "ledger/list_page.h"
#include "ledger/quarantine/quarantine_command.h"

/* What the command is answered from, for as long as anybody asks. */
struct people_source {
    struct ingest *ingest;
    struct list_page *page; /* is filled anew after a change */
};

/* Who asks, and where the answer goes. All borrowed. */
struct people_command {
    struct people_source from;
    struct quarantine_command_server *records; /* writes down who did what */
    const struct commander *commander;
    struct arena *arena;                          /* of the command */
    void (*say)(void *context, struct text part); /* a part of the answer, whole lines */
    void *context;
};

/* `rest`: "list", or "forget WHAT", a name or an address. Returns the exit code; *out_last is the last word,
   borrowed: empty, or what went wrong. */
int people_command_run(const struct people_command *command, struct text rest, struct text *out_last);

#endif
