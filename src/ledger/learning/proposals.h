/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What users reported as spam or ham, until the administrator says yes or no (ledgerdb/proposal.h). What is
   taught of it is taught as by `sekimori learn`, with a record of who told and who said yes. Reads no mail.
 */
#ifndef SEKIMORI_LEDGER_LEARNING_PROPOSALS_H
#define SEKIMORI_LEDGER_LEARNING_PROPOSALS_H

#include "ipc/ask_ledger.h"
#include "ledger/learning/learning.h"
#include "ledger/quarantine/quarantine_command.h"
#include "ledgerdb/proposal.h"

struct proposals;

/* Never NULL. All but the loop are borrowed; `records` writes down who did what. */
struct proposals *proposals_new(struct loop *loop, struct ingest *ingest, struct learning *learning,
                                struct quarantine_command_server *records);
void proposals_free(struct proposals *proposals);
void proposals_set_config(struct proposals *proposals, const struct config *config); /* borrowed */

/* LEDGER_PROPOSE of report, answered over its channel. False: malformed. */
bool proposals_frame(void *proposals, struct channel *report, struct frame *frame);

/* Those that wait, the oldest first, in the arena. False: the database cannot be read now. */
bool proposals_list(struct proposals *proposals, struct arena *arena, struct proposal **out,
                    size_t *out_count);

struct proposals_decided {
    unsigned spam, ham; /* that were taught, or declined */
    unsigned known;     /* of the accepted ones: learned before, as that class */
    unsigned missing;   /* no proposal that waits has that number */
};
/* `who` says yes or no to these. Holds over a crash when true; false: it cannot be written, and those that
   are not counted wait on. */
bool proposals_decide(struct proposals *proposals, const struct commander *who, const uint64_t *numbers,
                      size_t count, bool is_yes, struct proposals_decided *out);

#endif
