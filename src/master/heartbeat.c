/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Every second: asks all processes what they know of the node's health, judges, writes the page. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/context.h"
#include "base/die.h"
#include "base/log.h"
#include "master/certificates.h"
#include "master/logs.h"
#include "master/process_table_private.h"

enum { PERIOD_MS = 1000, EMPTY_ROUNDS = 2, LOG_MISSED_MS = 60000, CERTIFICATES_EVERY_MS = 60000 };

/* The kernel's own estimate: the time service tells it, and it grows while nobody does. */
static int64_t clock_error_ms(struct process_table *table)
{
    struct timex facts = { 0 };
    int state = adjtimex(&facts);
    if (state < 0 && !table->clock_is_hidden)
        log_warning("whether the clock is right is not checked: %s", strerror(errno));
    table->clock_is_hidden = state < 0;
    if (state < 0) return HEALTH_RULE_CLOCK_UNKNOWN;
    if (state == TIME_ERROR || (facts.status & STA_UNSYNC)) return HEALTH_RULE_CLOCK_UNATTENDED;
    return facts.maxerror / 1000;
}

static void process_describe(const struct member *member, uint64_t now, struct judged_process *out)
{
    *out = (struct judged_process){ .name = process_name(member->part->kind),
                                    .index = member->index,
                                    .is_aside = member->part->is_aside,
                                    .is_ready = member->state == MEMBER_READY,
                                    .waits_disk = member->waits_disk,
                                    .log_missed = member->log.missed,
                                    .unready_ms = now - member->unready_ms,
                                    .silent_ms = now - member->health_ms };
    for (size_t i = 0; i < HEALTH_RULE_RESTARTS; i++)
        out->restarts += member->ended_ms[i] > 0 && now - member->ended_ms[i] < HEALTH_RULE_RESTARTS_MS;
}

/* Reading them costs more than all the rest: once a minute, and when the configuration is another one. */
static const struct judged_certificate *certificate_look(struct process_table *table)
{
    uint64_t now = loop_now_ms(table->start.loop);
    const struct config *config = table->start.config;
    if (table->certificate.of == config && now < table->certificate.again_ms)
        return &table->certificate.first;
    certificates_first(config, (int64_t)(loop_wall_ms(table->start.loop) / 1000), &table->certificate.first);
    master_measures_certificates(table);
    table->certificate.of = config;
    table->certificate.again_ms = now + CERTIFICATES_EVERY_MS;
    return &table->certificate.first;
}

/* "in service", or the first thing that is wrong, as `sekimori health` says it. */
static void status_tell(struct process_table *table, const struct health_report *report)
{
    struct buffer line = { 0 };
    const struct health_finding *first = NULL;
    for (uint32_t i = report->count; i-- > 0;)
        if (!report->findings[i].is_good) first = &report->findings[i];
    if (first && table->was_ready)
        health_say(first, health_words(first->says), &line);
    else
        buffer_add_text(&line, table->was_ready ? TEXT("in service") : TEXT("starting"));
    systemd_status(table->start.systemd, buffer_text(&line));
    buffer_free(&line);
}

void heartbeat_write(struct process_table *table)
{
    struct health_report report;
    struct judged_process *processes = memory_alloc(table->count * sizeof *processes);
    struct judged_facts facts = { .processes = processes,
                                  .process_count = table->count,
                                  .was_ready = table->was_ready,
                                  .is_stopping = table->is_stopping,
                                  .is_draining = table->drain.is_on,
                                  .is_drained = table->drain.empty_rounds >= EMPTY_ROUNDS,
                                  .clock_error_ms = clock_error_ms(table),
                                  .certificate = *certificate_look(table),
                                  .listener_count = table->start.listeners->mail_count,
                                  .listeners_shut = listeners_shut(table->start.listeners) };
    for (size_t i = 0; i < table->count; i++) {
        process_describe(&table->members[i], loop_now_ms(table->start.loop), &processes[i]);
        health_facts_add(&facts.told, &table->members[i].health);
    }
    health_rules_judge(&facts, table->start.config, &report);
    health_page_write(table->start.state->health, &report);
    status_tell(table, &report);
    free(processes);
}

static void member_forget(struct member *member)
{
    member->has_told_health = false;
    if (member->state != MEMBER_READY) member->health = (struct health_facts){ 0 };
}

/* --- who hangs --- */

static void hang_say(pid_t pid, const char *name, const char *what)
{
    struct buffer place = { 0 };
    hang_describe(pid, &place);
    log_error("%s (pid %d) %s: %.*s", name, (int)pid, what, TEXT_ARG(buffer_text(&place)));
    buffer_free(&place);
}

static void member_hangs(struct member *member, enum hang_verdict verdict)
{
    char name[HEALTH_PROCESS_SIZE];
    bool waits = verdict == HANG_DISK, was_said = member->waits_disk;
    snprintf(name, sizeof name, "%s %u", process_name(member->part->kind), member->index);
    member->waits_disk = waits;
    if (waits && !was_said)
        hang_say(member->pid, name, "gives no sign of life and is not killed, since it waits for a disk");
    if (verdict != HANG_KILL) return;
    hang_say(member->pid, name, "gives no sign of life and is killed");
    kill(member->pid, SIGKILL);
}

/* A process that is being stopped has a clock of its own. */
static void member_look(struct member *member)
{
    struct hang_sight sight = { 0 };
    bool is_watched = member->state == MEMBER_READY || member->state == MEMBER_STARTING;
    bool is_heard = member->is_heard || !is_watched || member->table->is_stopping;
    member->is_heard = false;
    if (!is_heard && !hang_look(member->pid, &sight)) return;
    member_hangs(member, hang_round(&member->hang, is_heard, member->state == MEMBER_STARTING, &sight,
                                    PERIOD_MS, member->table->start.config->processes.hang_ms));
}

void heartbeat_heard(struct member *member)
{
    member->is_heard = true;
    member->health_ms = loop_now_ms(member->table->start.loop);
}

/* Asked again each second. A process may only give away what came from it. */
bool heartbeat_hangs(struct member *member, const struct frame *frame)
{
    struct reader reader = reader_of(frame->payload);
    struct hang_sight sight;
    pid_t pid = (pid_t)get_u32(&reader);
    struct text said = get_text(&reader);
    char name[HEALTH_PROCESS_SIZE], safe[HEALTH_PROCESS_SIZE];
    if (!reader_done(&reader)) return false;
    snprintf(name, sizeof name, "%s", log_escape(said, safe, sizeof safe));
    if (!hang_descends(pid, member->pid) || !hang_look(pid, &sight)) return true;
    hang_say(pid, name,
             sight.state == 'D' ? "gives no sign of life and is not killed, since it waits for a disk"
                                : "gives no sign of life and is killed");
    if (sight.state != 'D') kill(pid, SIGKILL);
    return true;
}

/* --- the log --- */

static void log_account(struct member *member, uint64_t lines)
{
    uint64_t now = loop_now_ms(member->table->start.loop);
    if (lines > member->log.seen) {
        member->log.missed += lines - member->log.seen;
        member->log.since_ms = now;
    } else if (now - member->log.since_ms > LOG_MISSED_MS) {
        member->log.missed = 0;
    }
    member->log.seen = lines;
}

static void log_look(struct process_table *table)
{
    bool is_cut = !log_is_reached();
    for (size_t i = 0; i < table->count; i++)
        is_cut = is_cut || table->members[i].health.values[HEALTH_LOG_CUT];
    if (is_cut) logs_reconnect(table, table->start.config);
}

/* --- a round --- */

/* What ends a process that hangs is master; what ends a master that cannot is the service manager. */
static bool is_well(const struct process_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        if (hang_is_past_mending(&table->members[i].hang, table->start.config->processes.hang_ms))
            return false;
    return true;
}

static void ask(void *context)
{
    struct process_table *table = CONTEXT(context, struct process_table, PROCESS_TABLE_MAGIC);
    log_look(table);
    systemd_beat(table->start.systemd, loop_now_ms(table->start.loop), PERIOD_MS, is_well(table));
    if (table->heartbeat.is_open) { /* somebody did not answer */
        table->drain.empty_rounds = 0;
        heartbeat_write(table);
    }
    master_measures_round(table);
    table->heartbeat.round++;
    table->heartbeat.is_open = true;
    for (size_t i = 0; i < table->count; i++) {
        struct member *member = &table->members[i];
        member_look(member);
        member_forget(member);
        if (member->channel && member->state == MEMBER_READY)
            channel_send(member->channel, MASTER_HEALTH, table->heartbeat.round, TEXT_NONE);
    }
    timer_set(table->heartbeat.timer, PERIOD_MS);
}

void heartbeat_begin(struct process_table *table)
{
    table->heartbeat.timer = timer_new(table->start.loop, ask, table);
    heartbeat_write(table);
    ask(table);
}

/* Every process knows of the drain, nobody talks to us, and nothing is to be delivered. Twice in a row, since
   one process may have answered before another handed it something. */
static bool is_empty(const struct process_table *table)
{
    struct health_facts told = { 0 };
    for (size_t i = 0; i < table->count; i++) health_facts_add(&told, &table->members[i].health);
    return table->drain.is_on && told.values[HEALTH_DRAINING] == table->count &&
           told.values[HEALTH_SESSIONS] == 0 && health_knows(&told, HEALTH_DELIVERIES) &&
           told.values[HEALTH_DELIVERIES] == 0;
}

bool heartbeat_answered(struct member *member, const struct frame *frame)
{
    struct process_table *table = member->table;
    struct health_facts facts;
    if (!health_facts_get(frame->payload, &facts)) return false;
    heartbeat_heard(member);
    if (frame->id != table->heartbeat.round) return true; /* late, but alive */
    member->health = facts;
    log_account(member, facts.values[HEALTH_LOG_MISSED]);
    member->has_told_health = true;
    for (size_t i = 0; i < table->count; i++)
        if (!table->members[i].has_told_health) return true;
    table->heartbeat.is_open = false;
    table->drain.empty_rounds = is_empty(table) ? table->drain.empty_rounds + 1 : 0;
    heartbeat_write(table);
    return true;
}
