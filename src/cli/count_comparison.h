/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The arithmetic of `sekimori balance`: three counts of every accepted recipient, side by side. Pure. */
#ifndef SEKIMORI_CLI_COUNT_COMPARISON_H
#define SEKIMORI_CLI_COUNT_COMPARISON_H

#include <stdbool.h>

#include "base/text.h"
#include "ledgerdb/sums.h"

enum { COMPARISON_LINES = 16, COMPARISON_NOT_COUNTED = -1 };

/* One line of the table: who counts what. A column is COMPARISON_NOT_COUNTED where its process does not count
 * it.
 */
struct comparison_line {
    const char *name;
    int64_t receive, journal, ledger;
    bool differs;
};

struct count_comparison {
    struct comparison_line lines[COMPARISON_LINES];
    unsigned line_count;
    unsigned differences;                  /* of lines, and one more when the journal disagrees with itself */
    bool is_journal_whole;                 /* all it ever accepted has ended or is live */
    int64_t live, held;                    /* the journal's */
    int64_t kept, released, deleted, aged; /* the ledger's: where those quarantined are now */
    int64_t refused_content, discarded, aborted; /* receive's: never in the queue */
    int64_t in_doubt;   /* offered to queue and not heard of: sessions under way, or a receive that is down */
    struct losses lost; /* on the way to the ledger */
    int64_t since_ms;   /* where all counts start */
};

/* `counters`: master's answer to "counters"; `ledger`: the ledger's to "balance", both JSON. False when one
   is not what it should be. */
bool comparison_make(struct text counters, struct text ledger, struct count_comparison *out);

#endif
