/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What each list of the configuration has said, for monitors: a row of the page for each, found by its name.
   What strangers send makes no row. */
#ifndef SEKIMORI_LEDGER_LIST_COUNTS_H
#define SEKIMORI_LEDGER_LIST_COUNTS_H

#include "config/settings.h"
#include "ipc/event.h"
#include "ipc/measures.h"

/* Rows for the lists of `config`, as far as there are any; what others counted stays until their row is
   wanted. */
void list_counts_configure(struct ledger_measures *page, const struct config *config);

/* A message was judged: it counts once for each list whose signal it has. */
void list_counts_judged(struct ledger_measures *page, const struct event_judgement *judgement);
/* So many recipients were refused or put off before the content for the signal `cause`. */
void list_counts_refused(struct ledger_measures *page, struct text cause, uint32_t recipients);

#endif
