/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A copy of all that metrics are made of, taken at once from the pages of the counters file. */
#ifndef SEKIMORI_EXPOSITION_FIGURES_H
#define SEKIMORI_EXPOSITION_FIGURES_H

#include "exposition/exposition.h"

struct node_figures {
    /* Of all receive processes together. */
    struct {
        uint64_t connections, scanned, infected, unscanned, observed;
        struct receive_measures measures;
    } receive;
    struct {
        struct queue_counters counts;
        struct queue_measures measures;
    } queue;
    struct ledger_measures ledger;
    struct consult_measures consult;
    struct master_measures master;
    uint64_t epoch_ms;  /* when the counts began */
    bool has_baseline;  /* queue has said where they begin: before that `difference` means nothing */
    int64_t difference; /* see counters_difference */
};

/* A page of another version counts as empty. */
void figures_gather(const struct counters_slot *slots, struct node_figures *out);

#endif
