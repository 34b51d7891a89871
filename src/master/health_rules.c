/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One function a check. Each says something, good or bad; what is not known is not held against the node. */
#include "master/health_rules.h"

#include <stdio.h>

enum outcome { WELL, NOTED, SICK, OUT_OF_SERVICE };

/* The room of one more finding; NULL: what came first is said, and the sum is right anyway. */
static struct health_finding *find(struct health_report *out, enum health_check check, enum outcome outcome,
                                   enum health_says says, uint64_t first, uint64_t second)
{
    if (outcome > NOTED) out->is_healthy = false;
    if (outcome == OUT_OF_SERVICE) out->is_serving = false;
    if (out->count == HEALTH_FINDINGS_MOST) return NULL;
    struct health_finding *finding = &out->findings[out->count++];
    *finding = (struct health_finding){ .check = check,
                                        .is_good = outcome <= NOTED,
                                        .is_noted = outcome == NOTED,
                                        .ends_service = outcome == OUT_OF_SERVICE,
                                        .says = says,
                                        .numbers = { first, second } };
    return finding;
}

static void find_process(struct health_report *out, enum outcome outcome, enum health_says says,
                         const struct judged_process *process, uint64_t number)
{
    struct health_finding *finding = find(out, HEALTH_CHECK_NODE, outcome, says, number, 0);
    if (finding) snprintf(finding->process, sizeof finding->process, "%s %u", process->name, process->index);
}

static uint64_t seconds(uint64_t ms)
{
    return ms / 1000;
}

/* False when nothing was found. */
static bool process_judge(const struct judged_process *process, bool was_ready, struct health_report *out)
{
    enum outcome outcome = process->is_aside ? SICK : OUT_OF_SERVICE;
    if (!process->is_ready && !was_ready)
        find_process(out, OUT_OF_SERVICE, HEALTH_SAYS_UNREADY, process, 0);
    else if (!process->is_ready && process->unready_ms > HEALTH_RULE_UNREADY_MS)
        find_process(out, outcome, HEALTH_SAYS_DOWN, process, seconds(process->unready_ms));
    else if (process->restarts >= HEALTH_RULE_RESTARTS)
        find_process(out, SICK, HEALTH_SAYS_RESTARTED, process, process->restarts);
    else if (process->is_ready && process->silent_ms > HEALTH_RULE_SILENT_MS)
        find_process(out, outcome, process->waits_disk ? HEALTH_SAYS_WAITS_DISK : HEALTH_SAYS_SILENT, process,
                     seconds(process->silent_ms));
    else if (process->log_missed > 0)
        find_process(out, SICK, HEALTH_SAYS_LOG_MISSED, process, process->log_missed);
    else
        return false;
    return true;
}

static void node_judge(const struct judged_facts *facts, struct health_report *out)
{
    bool has_found = false;
    if (facts->is_stopping) {
        find(out, HEALTH_CHECK_NODE, OUT_OF_SERVICE, HEALTH_SAYS_STOPPING, 0, 0);
        return;
    }
    for (size_t i = 0; i < facts->process_count; i++)
        if (process_judge(&facts->processes[i], facts->was_ready, out)) has_found = true;
    if (!has_found) find(out, HEALTH_CHECK_NODE, WELL, HEALTH_SAYS_RUNNING, facts->process_count, 0);
}

static void drain_judge(const struct judged_facts *facts, struct health_report *out)
{
    if (!facts->is_draining)
        find(out, HEALTH_CHECK_DRAIN, WELL, HEALTH_SAYS_IN_SERVICE, 0, 0);
    else
        find(out, HEALTH_CHECK_DRAIN, OUT_OF_SERVICE,
             facts->is_drained ? HEALTH_SAYS_DRAINED : HEALTH_SAYS_DRAINING, 0, 0);
}

static void queue_judge(const struct health_facts *told, const struct config *limits,
                        struct health_report *out)
{
    if (!health_knows(told, HEALTH_QUEUE_STILL_MS)) return;
    uint64_t still_ms = told->values[HEALTH_QUEUE_STILL_MS];
    if (still_ms > limits->health.queue_ms)
        find(out, HEALTH_CHECK_QUEUE, SICK, HEALTH_SAYS_QUEUE_STILL, seconds(still_ms), 0);
    else
        find(out, HEALTH_CHECK_QUEUE, WELL, HEALTH_SAYS_QUEUE_MOVES, told->values[HEALTH_MESSAGES], 0);
}

static void disk_judge(const struct health_facts *told, const struct config *limits,
                       struct health_report *out)
{
    if (!health_knows(told, HEALTH_DISK_FREE)) return;
    uint64_t free_mib = told->values[HEALTH_DISK_FREE] >> 20;
    if (told->values[HEALTH_QUEUE_FULL] > 0)
        find(out, HEALTH_CHECK_DISK, SICK, HEALTH_SAYS_QUEUE_FULL, free_mib, 0);
    else if (told->values[HEALTH_DISK_FREE] < limits->health.disk_free_bytes)
        find(out, HEALTH_CHECK_DISK, SICK, HEALTH_SAYS_DISK_LOW, free_mib,
             limits->health.disk_free_bytes >> 20);
    else
        find(out, HEALTH_CHECK_DISK, WELL, HEALTH_SAYS_DISK_FREE, free_mib, 0);
}

static void upstream_judge(const struct health_facts *told, struct health_report *out)
{
    uint64_t count = told->values[HEALTH_UPSTREAMS], misses = told->values[HEALTH_UPSTREAM_MISSES];
    if (count == 0 || !health_knows(told, HEALTH_UPSTREAM_MISSES)) return;
    if (misses >= HEALTH_RULE_MISSES)
        find(out, HEALTH_CHECK_UPSTREAM, SICK, HEALTH_SAYS_UPSTREAM_CUT, count, misses);
    else
        find(out, HEALTH_CHECK_UPSTREAM, WELL, HEALTH_SAYS_UPSTREAM_UP, 0, 0);
}

static void dns_judge(const struct health_facts *told, struct health_report *out)
{
    if (!health_knows(told, HEALTH_DNS_MISSES)) return;
    uint64_t misses = told->values[HEALTH_DNS_MISSES];
    if (misses >= HEALTH_RULE_MISSES)
        find(out, HEALTH_CHECK_DNS, SICK, HEALTH_SAYS_DNS_DEAD, misses, 0);
    else
        find(out, HEALTH_CHECK_DNS, WELL, HEALTH_SAYS_DNS_ANSWERS, 0, 0);
}

static void clock_judge(int64_t error_ms, const struct config *limits, struct health_report *out)
{
    if (limits->health.clock_ms == 0 || error_ms == HEALTH_RULE_CLOCK_UNKNOWN) return;
    if (error_ms == HEALTH_RULE_CLOCK_UNATTENDED)
        find(out, HEALTH_CHECK_CLOCK, SICK, HEALTH_SAYS_CLOCK_UNATTENDED, 0, 0);
    else if (error_ms > limits->health.clock_ms)
        find(out, HEALTH_CHECK_CLOCK, SICK, HEALTH_SAYS_CLOCK_WRONG, (uint64_t)error_ms, 0);
    else
        find(out, HEALTH_CHECK_CLOCK, WELL, HEALTH_SAYS_CLOCK_RIGHT, (uint64_t)error_ms, 0);
}

/* A rule file that is left out is no reason to give way to another node, which has the same: alarms tell of
   it. */
static void rules_judge(const struct config *limits, struct health_report *out)
{
    struct text fault = limits->spam.rules_fault;
    struct health_finding *finding =
        find(out, HEALTH_CHECK_SCAN, fault.length ? NOTED : WELL,
             fault.length ? HEALTH_SAYS_RULES_ASIDE : HEALTH_SAYS_SCAN_READY, 0, 0);
    if (finding) snprintf(finding->subject, sizeof finding->subject, "%.*s", TEXT_ARG(fault));
    health_know(&out->told, HEALTH_RULES_ASIDE, fault.length > 0);
}

static void scan_judge(const struct health_facts *told, const struct config *limits,
                       struct health_report *out)
{
    uint64_t down_ms = told->values[HEALTH_SCAN_DOWN_MS], lost = told->values[HEALTH_SCAN_LOST];
    if (!health_knows(told, HEALTH_SCAN_DOWN_MS)) return;
    if (down_ms > HEALTH_RULE_SCAN_DOWN_MS)
        find(out, HEALTH_CHECK_SCAN, SICK, HEALTH_SAYS_SCAN_DOWN, seconds(down_ms), 0);
    else if (lost >= HEALTH_RULE_SCAN_LOST)
        find(out, HEALTH_CHECK_SCAN, SICK, HEALTH_SAYS_SCAN_LOST, lost, 0);
    else
        rules_judge(limits, out);
}

static bool is_stale(uint64_t age_s, const struct config *limits)
{
    return limits->virus.stale_ms > 0 && age_s >= limits->virus.stale_ms / 1000;
}

/* Of an engine that has signatures which were fetched: the worst thing that is known. */
static void signatures_age_judge(const struct health_facts *told, const struct config *limits,
                                 struct health_report *out)
{
    uint64_t count = told->values[HEALTH_SIGNATURES], age_s = told->values[HEALTH_SIGNATURES_AGE_S];
    uint64_t also_s = told->values[HEALTH_ALSO_AGE_S];
    uint64_t failing_s = told->values[HEALTH_UPDATE_FAILING_S];
    if (is_stale(age_s, limits))
        find(out, HEALTH_CHECK_SIGNATURES, SICK, HEALTH_SAYS_SIGNATURES_OLD, count, age_s / 86400);
    else if (health_knows(told, HEALTH_UPDATE_FAILING_S) && is_stale(failing_s, limits))
        find(out, HEALTH_CHECK_SIGNATURES, SICK, HEALTH_SAYS_UPDATE_FAILING, failing_s / 3600, 0);
    else if (health_knows(told, HEALTH_ALSO_AGE_S) && is_stale(also_s, limits))
        find(out, HEALTH_CHECK_SIGNATURES, SICK, HEALTH_SAYS_SIGNATURES_ALSO_OLD, told->values[HEALTH_ALSO],
             also_s / 86400);
    else
        find(out, HEALTH_CHECK_SIGNATURES, WELL, HEALTH_SAYS_SIGNATURES_FRESH, count, age_s / 86400);
}

static void signatures_judge(const struct health_facts *told, const struct config *limits,
                             struct health_report *out)
{
    static const struct {
        enum outcome outcome;
        enum health_says says;
    } of[] = { [HEALTH_ENGINE_OFF] = { WELL, HEALTH_SAYS_ENGINE_OFF },
               [HEALTH_ENGINE_TRIAL] = { WELL, HEALTH_SAYS_ENGINE_TRIAL },
               [HEALTH_ENGINE_BUILTIN] = { SICK, HEALTH_SAYS_ENGINE_BUILTIN },
               [HEALTH_ENGINE_NONE] = { SICK, HEALTH_SAYS_ENGINE_NONE } };
    uint64_t engine = told->values[HEALTH_ENGINE];
    if (!health_knows(told, HEALTH_SCAN_DOWN_MS)) return;
    if (!health_knows(told, HEALTH_ENGINE))
        find(out, HEALTH_CHECK_SIGNATURES, WELL, HEALTH_SAYS_SIGNATURES_LOADING, 0, 0);
    else if (told->values[HEALTH_SIGNATURES_KEPT])
        find(out, HEALTH_CHECK_SIGNATURES, SICK, HEALTH_SAYS_SIGNATURES_KEPT, 0, 0);
    else if (engine == HEALTH_ENGINE_WHOLE)
        signatures_age_judge(told, limits, out);
    else if (engine < sizeof of / sizeof *of)
        find(out, HEALTH_CHECK_SIGNATURES, of[engine].outcome, of[engine].says, 0, 0);
}

/* One finding of all: whose names, and that mail waits where it does for one of them. */
static void engines_judge(const struct health_facts *told, const struct config *limits,
                          struct health_report *out)
{
    uint64_t sick = told->values[HEALTH_ENGINES_SICK], count = 0;
    char names[HEALTH_SUBJECT_SIZE] = "";
    size_t used = 0;
    bool is_deferred = false;
    if (!health_knows(told, HEALTH_ENGINES) || told->values[HEALTH_ENGINES] == 0) return;
    for (size_t i = 0; i < limits->engine_count + limits->opinion_count && i < 64; i++) {
        const struct outside_engine *engine =
            i < limits->engine_count ? &limits->engines[i] : &limits->opinions[i - limits->engine_count];
        if (!(sick >> i & 1)) continue;
        is_deferred |= engine->unavailable == LACK_DEFER;
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%.*s", count++ ? ", " : "",
                                 TEXT_ARG(engine->name));
        if (used >= sizeof names) used = sizeof names - 1;
    }
    enum health_says bad = is_deferred ? HEALTH_SAYS_ENGINES_DEFER : HEALTH_SAYS_ENGINES_LACK;
    struct health_finding *finding =
        find(out, HEALTH_CHECK_ENGINES, count ? SICK : WELL, count ? bad : HEALTH_SAYS_ENGINES_ANSWER,
             count ? count : told->values[HEALTH_ENGINES], 0);
    if (finding) snprintf(finding->subject, sizeof finding->subject, "%s", names);
}

/* One that is aside is no reason to give way to another node, which asks the same lists: alarms tell of it.
 */
static void lists_judge(const struct health_facts *told, const struct config *limits,
                        struct health_report *out)
{
    uint64_t aside = told->values[HEALTH_LISTS_ASIDE], count = 0;
    char names[HEALTH_SUBJECT_SIZE] = "";
    if (!health_knows(told, HEALTH_LISTS) || told->values[HEALTH_LISTS] == 0) return;
    for (size_t i = 0, used = 0; i < limits->list_count && i < 64; i++) {
        if (!(aside >> i & 1)) continue;
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%.*s", count++ ? ", " : "",
                                 TEXT_ARG(limits->lists[i].name));
        if (used >= sizeof names) used = sizeof names - 1;
    }
    struct health_finding *finding = find(out, HEALTH_CHECK_LISTS, count ? NOTED : WELL,
                                          count ? HEALTH_SAYS_LISTS_ASIDE : HEALTH_SAYS_LISTS_IN_FORCE,
                                          count ? count : told->values[HEALTH_LISTS], 0);
    if (finding) snprintf(finding->subject, sizeof finding->subject, "%s", names);
}

static void ledger_judge(const struct health_facts *told, struct health_report *out)
{
    if (!health_knows(told, HEALTH_LEDGER_FAILING)) return;
    bool is_failing = told->values[HEALTH_LEDGER_FAILING] > 0;
    if (!is_failing && health_knows(told, HEALTH_LEARNED_DAMAGED) && told->values[HEALTH_LEARNED_DAMAGED]) {
        find(out, HEALTH_CHECK_LEDGER, SICK, HEALTH_SAYS_LEARNED_DAMAGED, 0, 0);
        return;
    }
    uint64_t dropped =
        health_knows(told, HEALTH_EXPLANATIONS_DROPPED) ? told->values[HEALTH_EXPLANATIONS_DROPPED] : 0;
    if (!is_failing && dropped > 0) {
        find(out, HEALTH_CHECK_LEDGER, SICK, HEALTH_SAYS_EXPLANATIONS_DROPPED, dropped, 0);
        return;
    }
    find(out, HEALTH_CHECK_LEDGER, is_failing ? SICK : WELL,
         is_failing ? HEALTH_SAYS_LEDGER_FAILING : HEALTH_SAYS_LEDGER_WRITES, 0, 0);
}

/* One that ends soon is no reason to give way to another node: alarms tell of it. */
static void certificate_judge(const struct judged_certificate *first, struct health_report *out)
{
    if (!first->use[0]) {
        find(out, HEALTH_CHECK_CERTIFICATES, WELL, HEALTH_SAYS_NO_CERTIFICATE, 0, 0);
        return;
    }
    bool is_over = first->days_left < 0;
    struct health_finding *finding =
        find(out, HEALTH_CHECK_CERTIFICATES, is_over ? SICK : WELL,
             is_over ? HEALTH_SAYS_CERTIFICATE_OVER : HEALTH_SAYS_CERTIFICATE_LASTS,
             is_over ? 0 : (uint64_t)first->days_left, 0);
    if (finding) snprintf(finding->subject, sizeof finding->subject, "%s", first->use);
    if (!is_over) health_know(&out->told, HEALTH_CERTIFICATE_DAYS, (uint64_t)first->days_left);
}

static void listeners_judge(const struct judged_facts *facts, struct health_report *out)
{
    if (facts->listener_count == 0 || facts->is_draining || facts->is_stopping) return;
    bool is_shut = facts->listeners_shut > 0;
    find(out, HEALTH_CHECK_LISTENERS, is_shut ? SICK : WELL,
         is_shut ? HEALTH_SAYS_LISTENERS_SHUT : HEALTH_SAYS_LISTENERS_OPEN, facts->listeners_shut,
         facts->listener_count);
}

void health_rules_judge(const struct judged_facts *facts, const struct config *limits,
                        struct health_report *out)
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
                                   .held = told->values[HEALTH_HELD],
                                   .told = *told };
    node_judge(facts, out);
    drain_judge(facts, out);
    queue_judge(told, limits, out);
    disk_judge(told, limits, out);
    upstream_judge(told, out);
    dns_judge(told, out);
    clock_judge(facts->clock_error_ms, limits, out);
    listeners_judge(facts, out);
    scan_judge(told, limits, out);
    signatures_judge(told, limits, out);
    engines_judge(told, limits, out);
    lists_judge(told, limits, out);
    ledger_judge(told, out);
    certificate_judge(&facts->certificate, out);
}
