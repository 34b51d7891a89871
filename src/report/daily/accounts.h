/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The journal's count of recipients against the ledger's, night by night. Both only grow, and what lies
   between them, since one of them may be older, stays what it is: when it does not, events were lost, or
   rows. Asking costs the sums of all days, not the rows of all recipients as `sekimori balance` does.

   The ledger is a moment behind, so what lies between is known as from-to: the journal is looked at some
   seconds before the ledger and right after it. Nights make it narrower. */
#ifndef SEKIMORI_REPORT_DAILY_ACCOUNTS_H
#define SEKIMORI_REPORT_DAILY_ACCOUNTS_H

#include "ipc/counters.h"
#include "ledgerdb/reader.h"

enum account {
    ACCOUNT_ACCEPTED, /* from others: neither own ones nor those out of the quarantine */
    ACCOUNT_OWN,
    ACCOUNT_AGAIN,
    ACCOUNT_DELIVERED,
    ACCOUNT_RETURNED,
    ACCOUNT_REMOVED,
    ACCOUNT_QUARANTINED,
    ACCOUNT_COUNT
};

struct accounts {
    uint64_t time_ms;                                      /* of the last night; 0: there was none */
    int64_t node;                                          /* whose sums these are */
    int64_t journal[ACCOUNT_COUNT], ledger[ACCOUNT_COUNT]; /* then, since ever */
    int64_t least[ACCOUNT_COUNT], most[ACCOUNT_COUNT];     /* journal less ledger */
};

struct account_line {
    int64_t journal, ledger; /* since the last night */
    int64_t apart;           /* more in the journal than the ledger can explain; below 0: fewer */
};

/* queue's totals as accounts. */
void accounts_of(const struct queue_counters *queue, int64_t out[ACCOUNT_COUNT]);
/* What the ledger's sums say of this node. */
enum ledgerdb_outcome accounts_of_ledger(struct ledgerdb_reader *ledgerdb, int node,
                                         int64_t out[ACCOUNT_COUNT]);

/* One night of node `node`; that of another node is the first. `before` and `after` are the journal's.
   `accounts` becomes this night's; what was apart is told once, in the lines: from then on it lies between.
 */
void accounts_close(struct accounts *accounts, int64_t node, uint64_t now_ms,
                    const int64_t before[ACCOUNT_COUNT], const int64_t ledger[ACCOUNT_COUNT],
                    const int64_t after[ACCOUNT_COUNT], struct account_line out[ACCOUNT_COUNT]);

const char *account_name(enum account account); /* English, marked for translation */

/* The file "accounts" of the folder. What makes no sense reads as no night. */
void accounts_read(int folder, struct accounts *out);
bool accounts_write(int folder, const struct accounts *accounts);

#endif
