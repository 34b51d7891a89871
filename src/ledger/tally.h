/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The ledger's part of `sekimori balance`: counts rows, a few thousand a turn, and answers the client. */
#ifndef SEKIMORI_LEDGER_TALLY_H
#define SEKIMORI_LEDGER_TALLY_H

#include "ledger/harvest.h"

struct tally_desk;

/* Never NULL. Both are borrowed. */
struct tally_desk *tally_desk_new(struct loop *loop, struct harvest *harvest);
void tally_desk_free(struct tally_desk *desk); /* clients under way get no answer */

/* Counts what happened since `since_ms` and answers MASTER_DONE on `fd`, which is taken over: JSON, or
   EX_UNAVAILABLE and why. */
void tally_begin(struct tally_desk *desk, uint64_t since_ms, int fd);

#endif
