/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What somebody does to the node (reload, drain, undrain, stop): an event for `sekimori audit`, and a line in
   the log. The act is never refused for want of a record: a node must be steered while its ledger is down. */
#ifndef SEKIMORI_MASTER_ACTS_H
#define SEKIMORI_MASTER_ACTS_H

#include "ipc/ask_master.h"
#include "master/state.h"

struct acts;

/* Events wait in master's own ring until ledger reads them, over restarts too. */
struct acts *acts_open(const struct state *state, uint8_t node_number);

/* `who`->uid UINT32_MAX: nobody known, such as a signal. `about`: what was asked for and what came of it. */
void acts_record(struct acts *acts, uint64_t wall_ms, const struct commander *who, struct text act,
                 struct text about);

#endif
