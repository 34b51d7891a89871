/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What other nodes sent us of late and may send again, since our reply to it could have been lost. Bounded:
   the oldest is forgotten first, which costs a double at the worst, never a message. */
#ifndef SEKIMORI_QUEUE_JOURNAL_TRANSACTIONS_H
#define SEKIMORI_QUEUE_JOURNAL_TRANSACTIONS_H

#include "base/text.h"

/* A client tries again within TRANSACTION_LIFE_MS; what is the same after that is meant. A node says the next
   word within TRANSACTION_OPEN_MS, or never. */
enum {
    TRANSACTIONS_MOST = 1 << 15,
    TRANSACTION_LIFE_MS = 6 * 3600 * 1000,
    TRANSACTION_OPEN_MS = 5 * 60 * 1000
};

struct transactions;

/* Never NULL. NULL may be freed. */
struct transactions *transactions_new(void);
void transactions_free(struct transactions *transactions);

/* `transaction`: TRANSACTION_BYTES of mail/envelope.h; kept as message `id`. */
void transactions_add(struct transactions *transactions, struct text transaction, uint64_t id,
                      uint64_t now_ms);

/* The message it was kept as, 0: not known. */
uint64_t transactions_find(const struct transactions *transactions, struct text transaction, uint64_t now_ms);

/* The node has our reply: the same transaction is a new one from now on. Also for what was not kept after
 * all. */
void transactions_forget(struct transactions *transactions, uint64_t id);

/* After they were read back from the journal, which does not say whose reply was heard: keeps those that may
   have waited for it when the journal ended. */
void transactions_forget_heard(struct transactions *transactions);

#endif
