/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Tells scan which mailing lists the ledger knows, and under which names our own senders write: fills
   run/lists out of the database. */
#ifndef SEKIMORI_LEDGER_LIST_PAGE_H
#define SEKIMORI_LEDGER_LIST_PAGE_H

#include "ipc/fingerprint_page.h"
#include "ledger/ingest.h"

struct list_page {
    struct fingerprint_page *lists; /* NULL: nobody reads it */
    uint64_t next_ms;               /* loop clock: when it is filled again */
    size_t known, people;           /* how many lists are in it, and how many people */
};

/* Fills it when its time has come, once a minute. Where the database cannot be read it stays as it is, and is
   tried again at the next call. */
void list_page_look(struct list_page *page, struct ingest *ingest, const struct config *config,
                    uint64_t now_ms);

/* At the next call of list_page_look. */
static inline void list_page_hurry(struct list_page *page)
{
    page->next_ms = 0;
}

#endif
