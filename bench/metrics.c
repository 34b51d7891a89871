/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What figures for monitors cost: recording a message as receive and queue do, in rounds that take turns with
   rounds of counting alone, as before there were figures; and composing one scrape. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "config/process_kind.h"
#include "exposition/exposition.h"
#include "tool.h"

enum { ROUNDS = 21, MESSAGES = 200000, SCRAPES = 200, RECEIVERS = 4 };

/* Of this process alone, whatever else the machine does. */
static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int number_order(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median_of(double values[ROUNDS])
{
    qsort(values, ROUNDS, sizeof *values, number_order);
    return values[ROUNDS / 2];
}

/* What receive counted before. */
static void counts_add(volatile struct receive_counters *counters)
{
    counters->connections++;
    counters->scanned++;
    counters->accepted++;
    counters->messages++;
}

/* One message of one recipient: content, verdict, commit, reply; its delivery. */
static void measures_add(struct receive_measures *receive, struct queue_measures *queue, uint64_t number)
{
    uint64_t whole_us = measures_now_us();
    histogram_add(&receive->size, MEASURES_SIZE, number % 100000);
    histogram_add(&receive->judging, MEASURES_WORK, measures_now_us() - whole_us + number % 3000);
    uint64_t asked_us = measures_now_us();
    histogram_add(&receive->commit, MEASURES_WORK, measures_now_us() - asked_us + number % 500);
    receive->messages[MEASURES_ACCEPTED]++;
    receive->recipients[MEASURES_ACCEPTED]++;
    histogram_add(&receive->reply, MEASURES_WORK, measures_now_us() - whole_us + number % 4000);
    queue->deliveries[MEASURES_DELIVERED]++;
    histogram_add(&queue->waited, MEASURES_WAIT, number % 2000);
    histogram_add(&queue->delivery, MEASURES_WORK, number % 20000);
}

static double round_ns(struct counters_slot *slots, bool measures)
{
    struct counters_slot *receive = &slots[COUNTERS_SLOT_RECEIVE], *queue = &slots[COUNTERS_SLOT_QUEUE];
    double begun = cpu_ns();
    for (uint64_t i = 0; i < MESSAGES; i++) {
        counts_add(&receive->receive);
        if (measures) measures_add(&receive->measures.receive, &queue->measures.queue, i);
    }
    return (cpu_ns() - begun) / MESSAGES;
}

static void record_bench(struct counters_slot *slots)
{
    double before[ROUNDS], after[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        before[i] = round_ns(slots, false);
        after[i] = round_ns(slots, true);
    }
    double counts = median_of(before), all = median_of(after);
    printf("recording: %.0f ns a message (%.0f with the counts of before, %.0f those alone; medians of %d "
           "rounds)\n",
           all - counts, all, counts, ROUNDS);
}

/* A node of so many receive processes, of which every health fact is known. */
static void scrape_bench(struct counters_slot *slots)
{
    struct exposition_source source = { .slots = slots, .is_up = true };
    struct master_measures *master = &slots[COUNTERS_SLOT_MASTER].measures.master;
    struct buffer out = { 0 };
    master->process_count = RECEIVERS + 10;
    for (uint32_t i = 0; i < master->process_count; i++)
        master->processes[i] =
            (struct measured_process){ .kind = (uint8_t)(i % PROCESS_COUNT), .started_ms = 1 };
    for (int i = 0; i < HEALTH_FACT_COUNT; i++) health_know(&source.health.told, (enum health_fact)i, 1);
    double begun = cpu_ns();
    for (int i = 0; i < SCRAPES; i++) {
        buffer_clear(&out);
        exposition_print(&source, &out);
    }
    printf("scrape: %zu bytes, %.0f us\n", buffer_length(&out), (cpu_ns() - begun) / 1000 / SCRAPES);
    buffer_free(&out);
}

int main(int argc, char **argv)
{
    tool_usage(argc, argv, 0, 0, "bench-metrics");
    struct counters_slot *slots = memory_alloc(COUNTERS_SLOTS * sizeof *slots);
    for (int i = 0; i < COUNTERS_SLOTS; i++) measures_begin(&slots[i].measures);
    record_bench(slots);
    scrape_bench(slots);
    free(slots);
    return 0;
}
