/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Adds up the pages of receive, and copies the others. */
#include "exposition/figures.h"

static const struct measures empty = { .version = MEASURES_VERSION };

static const struct measures *measures_of(const struct counters_slot *slot)
{
    return slot->measures.version == MEASURES_VERSION ? &slot->measures : &empty;
}

static void numbers_add(uint64_t *sum, const uint64_t *more, size_t count)
{
    for (size_t i = 0; i < count; i++) sum[i] += more[i];
}

/* It is nothing but numbers. */
static void receive_add(const struct counters_slot *slot, struct node_figures *out)
{
    _Static_assert(sizeof(struct receive_measures) % sizeof(uint64_t) == 0, "it has more than numbers");
    const struct receive_counters *counts = &slot->receive;
    out->receive.connections += counts->connections;
    out->receive.scanned += counts->scanned;
    out->receive.infected += counts->infected;
    out->receive.unscanned += counts->unscanned;
    out->receive.observed += counts->observed;
    numbers_add((uint64_t *)&out->receive.measures, (const uint64_t *)&measures_of(slot)->receive,
                sizeof(struct receive_measures) / sizeof(uint64_t));
}

void figures_gather(const struct counters_slot *slots, struct node_figures *out)
{
    *out = (struct node_figures){ .queue.counts = slots[COUNTERS_SLOT_QUEUE].queue,
                                  .queue.measures = measures_of(&slots[COUNTERS_SLOT_QUEUE])->queue,
                                  .ledger = measures_of(&slots[COUNTERS_SLOT_LEDGER])->ledger,
                                  .consult = measures_of(&slots[COUNTERS_SLOT_CONSULT])->consult,
                                  .master = measures_of(&slots[COUNTERS_SLOT_MASTER])->master,
                                  .epoch_ms = slots[COUNTERS_SLOT_BASELINE].baseline.epoch_ms,
                                  .has_baseline = slots[COUNTERS_SLOT_BASELINE].baseline.is_set,
                                  .difference = counters_difference(slots) };
    for (uint32_t slot = COUNTERS_SLOT_RECEIVE; slot < COUNTERS_SLOT_CONSULT; slot++)
        receive_add(&slots[slot], out);
}
