/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Answers `sekimori learn …`, `sekimori model …`, `sekimori newsletter …`, `sekimori allow …` and `sekimori
   block …`. What changes something, or was to, is recorded: sekimori audit. */
#ifndef SEKIMORI_LEDGER_LEARNING_LEARNING_COMMAND_H
#define SEKIMORI_LEDGER_LEARNING_LEARNING_COMMAND_H

#include "ipc/ask_master.h"
#include "ledger/approvals.h"
#include "ledger/campaign_stops.h"
#include "ledger/entry_command.h"
#include "ledger/learning/proposals.h"
#include "ledger/people_command.h"
#include "ledger/quarantine/quarantine_command.h"

struct learning_command_server;

/* Never NULL. All are borrowed; `records` writes down who did what. */
struct learning_command_server *learning_command_server_new(
    struct loop *loop, struct learning *learning, struct proposals *proposals, struct approvals *approvals,
    struct sender_entries *entries, struct people_source people, struct quarantine_command_server *records);
void learning_command_server_free(struct learning_command_server *server); /* who waits gets no answer */
void learning_command_server_set_config(struct learning_command_server *server,
                                        const struct config *config); /* borrowed */

/* Borrowed; until then lessons of ham say nothing of campaigns. */
void learning_command_server_set_stops(struct learning_command_server *server, struct campaign_stops *stops);

/* "learn": answers with a MASTER_MORE that names the file of the base model, then takes MASTER_LESSON and
   MASTER_LESSON_LIKE until MASTER_LESSONS_END. "learn undo DIGITS"; "learn forget automatic"; "learn proposals": a JSON object a line;
   "learn accept|decline all|NUMBER…"; "model stat", "model export [there]"; "newsletter approve NAME/DOMAIN
   ADDRESS"
   ("*": everybody), "newsletter forget" with the same, "newsletter list", a JSON object a line; "allow …" and
   "block …" as entry_command_run has them. Takes over `fd`. */
void learning_command_begin(struct learning_command_server *server, const struct commander *commander,
                            struct text text, int fd);

#endif
