/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A verdict in words: the reason in the reply, the header lines, the summary for log and ledger. */
#ifndef SEKIMORI_SCAN_WORDING_H
#define SEKIMORI_SCAN_WORDING_H

#include "judge/evidence.h"

/* Fills reason, header, header_tag and summary of a verdict whose other members stand. `is_virus`: the
   virus check is the reason, not the spam score. ASCII only; header
   lines are CRLF-ended and folded. X-Spam-Status says Yes only where the message is tagged: programs sort by
   it. */
void wording_write(struct arena *arena, const struct config *config, const struct occasion *occasion,
                   const struct facts *facts, bool is_virus, struct verdict *out);

const char *wording_state(enum scan_state state); /* "clean" */

#endif
