/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Answers `sekimori allow …` and `sekimori block …`. What changes something, or was to, is recorded: sekimori
   audit. */
#ifndef SEKIMORI_LEDGER_ENTRY_COMMAND_H
#define SEKIMORI_LEDGER_ENTRY_COMMAND_H

#include "ipc/ask_master.h"
#include "ledger/quarantine/quarantine_command.h"
#include "ledger/sender_entries.h"

/* Who asks, and where the answer goes. All borrowed. */
struct entry_command {
    struct sender_entries *entries;
    const struct config *config;
    struct quarantine_command_server *records; /* writes down who did what */
    const struct commander *commander;
    struct arena *arena; /* of the command */
    uint64_t now_ms;
    void (*say)(void *context, struct text part); /* a part of the answer, whole lines */
    void *context;
};

/* `verb`: "allow" or "block". `rest`: "add LASTS_MS TO WHAT FLAG… - NOTE" (LASTS_MS 0: for ever, TO "*":
   everybody; FLAG: sender_entry_read_flag), "list", or "remove NUMBER". Returns the exit code; *out_last is
   the last word, in the arena: after "add" the number, of which {"warning":TEXT} may be a part; after "list"
   nothing, else what went wrong. */
int entry_command_run(const struct entry_command *command, struct text verb, struct text rest,
                      struct text *out_last);

#endif
