/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* lookup keeps the table of campaigns, run/campaigns: its frames and its commands. Called by main.c. */
#ifndef SEKIMORI_LOOKUP_CAMPAIGNS_H
#define SEKIMORI_LOOKUP_CAMPAIGNS_H

#include "base/loop.h"
#include "config/process_kind.h"
#include "ipc/ask_campaign.h"
#include "ipc/campaign_table.h"

struct campaigns;

/* `fd`: run/campaigns, CAMPAIGN_FILE_BYTES, borrowed; -1, or what cannot be mapped: campaigns are known until
   this process ends, and the log says so. Never NULL. */
struct campaigns *campaigns_new(struct loop *loop, int fd);

/* A frame LOOKUP_CAMPAIGN_… of a process of that kind: receive counts, report and ledger tell, ledger rules.
   False: malformed, or not its to say. */
bool campaigns_frame(struct campaigns *campaigns, enum process_kind from, const struct frame *frame);

/* ledger is there, or (NULL) gone: it is told of what is stopped and forgotten here, so that other nodes do
   the same. Borrowed. */
void campaigns_set_ledger(struct campaigns *campaigns, struct channel *ledger);

/* "campaign list [all]", "campaign show|stop|forget ID", where ID is one of a campaign, or of a message that
   it names. `by`: who asks. Answers with one MASTER_DONE, a JSON object a line; takes over `fd`. */
void campaigns_command(struct campaigns *campaigns, struct text by, struct text command, int fd);

uint32_t campaigns_count(const struct campaigns *campaigns); /* that are known, for status */

#endif
