/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One function a check. Each says something, good or bad; what is not known is not held against the node. */
#include "master/fitness.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum outcome { WELL, SICK, OUT_OF_SERVICE };

static void find(struct health_report *out, enum health_check check, enum outcome outcome, const char *format,
                 ...) __attribute__((format(printf, 4, 5)));

static void find(struct health_report *out, enum health_check check, enum outcome outcome, const char *format,
                 ...)
{
    if (outcome != WELL) out->is_healthy = false;
    if (outcome == OUT_OF_SERVICE) out->is_serving = false;
    if (out->count == HEALTH_FINDINGS_MOST) return; /* what came first is said; the sum is right anyway */
    struct health_finding *finding = &out->findings[out->count++];
    finding->check = check;
    finding->is_good = outcome == WELL;
    finding->ends_service = outcome == OUT_OF_SERVICE;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding->says, sizeof finding->says, format, arguments);
    va_end(arguments);
}

static uint64_t seconds(uint64_t ms)
{
    return ms / 1000;
}

/* False when nothing was found. */
static bool process_judge(const struct fitness_process *process, bool was_ready, struct health_report *out)
{
    enum outcome outcome = process->is_aside ? SICK : OUT_OF_SERVICE;
    if (!process->is_ready && !was_ready)
        find(out, HEALTH_CHECK_NODE, OUT_OF_SERVICE, "%s %u is not ready yet", process->name, process->index);
    else if (!process->is_ready && process->unready_ms > FITNESS_UNREADY_MS)
        find(out, HEALTH_CHECK_NODE, outcome, "%s %u is down for %" PRIu64 " s", process->name,
             process->index, seconds(process->unready_ms));
    else if (process->restarts >= FITNESS_RESTARTS)
        find(out, HEALTH_CHECK_NODE, SICK, "%s %u was restarted %u times in a minute", process->name,
             process->index, process->restarts);
    else if (process->is_ready && process->silent_ms > FITNESS_SILENT_MS)
        find(out, HEALTH_CHECK_NODE, outcome, "%s %u does not answer for %" PRIu64 " s", process->name,
             process->index, seconds(process->silent_ms));
    else
        return false;
    return true;
}

static void node_judge(const struct fitness_facts *facts, struct health_report *out)
{
    bool has_found = false;
    if (facts->is_stopping) {
        find(out, HEALTH_CHECK_NODE, OUT_OF_SERVICE, "the node is being stopped");
        return;
    }
    for (size_t i = 0; i < facts->process_count; i++)
        if (process_judge(&facts->processes[i], facts->was_ready, out)) has_found = true;
    if (!has_found) find(out, HEALTH_CHECK_NODE, WELL, "%zu processes run and answer", facts->process_count);
}

static void drain_judge(const struct fitness_facts *facts, struct health_report *out)
{
    if (!facts->is_draining)
        find(out, HEALTH_CHECK_DRAIN, WELL, "in service");
    else
        find(out, HEALTH_CHECK_DRAIN, OUT_OF_SERVICE, facts->is_drained ? "drained" : "draining");
}

static void queue_judge(const struct health_facts *told, const struct config *limits,
                        struct health_report *out)
{
    if (!health_knows(told, HEALTH_QUEUE_STILL_MS)) return;
    uint64_t still_ms = told->values[HEALTH_QUEUE_STILL_MS];
    if (still_ms > limits->health.queue_ms)
        find(out, HEALTH_CHECK_QUEUE, SICK, "nothing has left for %" PRIu64 " s though mail is due",
             seconds(still_ms));
    else
        find(out, HEALTH_CHECK_QUEUE, WELL, "mail leaves; %" PRIu64 " messages are there",
             told->values[HEALTH_MESSAGES]);
}

static void disk_judge(const struct health_facts *told, const struct config *limits,
                       struct health_report *out)
{
    if (!health_knows(told, HEALTH_DISK_FREE)) return;
    uint64_t free_mib = told->values[HEALTH_DISK_FREE] >> 20;
    bool is_full = told->values[HEALTH_QUEUE_FULL] > 0;
    if (is_full)
        find(out, HEALTH_CHECK_DISK, SICK,
             "no message is taken: %" PRIu64 " MiB are free on the disk of the queue", free_mib);
    else if (told->values[HEALTH_DISK_FREE] < limits->health.disk_free_bytes)
        find(out, HEALTH_CHECK_DISK, SICK,
             "%" PRIu64 " MiB are free on the disk of the queue, under %" PRIu64 " MiB", free_mib,
             limits->health.disk_free_bytes >> 20);
    else
        find(out, HEALTH_CHECK_DISK, WELL, "%" PRIu64 " MiB are free", free_mib);
}

static void upstream_judge(const struct health_facts *told, struct health_report *out)
{
    uint64_t count = told->values[HEALTH_UPSTREAMS], misses = told->values[HEALTH_UPSTREAM_MISSES];
    if (count == 0 || !health_knows(told, HEALTH_UPSTREAM_MISSES)) return;
    if (misses >= FITNESS_MISSES)
        find(out, HEALTH_CHECK_UPSTREAM, SICK,
             "none of %" PRIu64 " upstream addresses answered the last %" PRIu64 " probes", count, misses);
    else
        find(out, HEALTH_CHECK_UPSTREAM, WELL, "reachable");
}

static void dns_judge(const struct health_facts *told, struct health_report *out)
{
    if (!health_knows(told, HEALTH_DNS_MISSES)) return;
    uint64_t misses = told->values[HEALTH_DNS_MISSES];
    if (misses >= FITNESS_MISSES)
        find(out, HEALTH_CHECK_DNS, SICK, "no answer to the last %" PRIu64 " questions", misses);
    else
        find(out, HEALTH_CHECK_DNS, WELL, "it answers");
}

static void clock_judge(int64_t error_ms, const struct config *limits, struct health_report *out)
{
    if (limits->health.clock_ms == 0 || error_ms == FITNESS_CLOCK_UNKNOWN) return;
    if (error_ms == FITNESS_CLOCK_UNATTENDED)
        find(out, HEALTH_CHECK_CLOCK, SICK, "no time service keeps the clock");
    else if (error_ms > limits->health.clock_ms)
        find(out, HEALTH_CHECK_CLOCK, SICK, "the clock may be wrong by %" PRId64 " ms", error_ms);
    else
        find(out, HEALTH_CHECK_CLOCK, WELL, "right within %" PRId64 " ms", error_ms);
}

void fitness_judge(const struct fitness_facts *facts, const struct config *limits, struct health_report *out)
{
    const struct health_facts *told = &facts->told;
    *out = (struct health_report){ .is_healthy = true,
                                   .is_serving = true,
                                   .is_draining = facts->is_draining,
                                   .is_drained = facts->is_drained,
                                   .sessions = told->values[HEALTH_SESSIONS],
                                   .messages = told->values[HEALTH_MESSAGES],
                                   .deliveries = told->values[HEALTH_DELIVERIES],
                                   .down = told->values[HEALTH_DESTINATIONS_DOWN],
                                   .held = told->values[HEALTH_HELD] };
    node_judge(facts, out);
    drain_judge(facts, out);
    queue_judge(told, limits, out);
    disk_judge(told, limits, out);
    upstream_judge(told, out);
    dns_judge(told, out);
    clock_judge(facts->clock_error_ms, limits, out);
}
