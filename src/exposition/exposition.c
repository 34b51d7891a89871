/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The table of metrics. A new one is a row here, its line in doc/monitoring.md, and a number in
   ipc/measures.h, ipc/counters.h or ipc/health.h. */
#include "exposition/exposition.h"

#include <stddef.h>
#include <stdio.h>

#include "config/process_kind.h"
#include "config/settings.h"
#include "exposition/figures.h"
#include "exposition/openmetrics.h"
#include "ipc/ask_queue.h"
#include "ipc/event.h"

struct look {
    const struct exposition_source *source;
    struct node_figures figures;
};

/* --- lists of samples --- */

static void labelled(const struct openmetrics_family *family, const char *label, const char *value,
                     uint64_t number, struct buffer *out)
{
    struct buffer labels = { 0 };
    openmetrics_label(label, text_of(value), &labels);
    openmetrics_sample(family, buffer_text(&labels), number, 1, out);
    buffer_free(&labels);
}

static void build_list(const struct look *look, const struct openmetrics_family *family, struct buffer *out)
{
    static const char *const roles[] = {
        [ROLE_SINGLE] = "single", [ROLE_EDGE] = "edge", [ROLE_WALL] = "wall"
    };
    const struct master_measures *master = &look->figures.master;
    struct buffer labels = { 0 };
    char node[12];
    snprintf(node, sizeof node, "%u", master->node);
    openmetrics_label("version", TEXT(SEKIMORI_VERSION), &labels);
    openmetrics_label("role", text_of(master->role <= ROLE_WALL ? roles[master->role] : "unknown"), &labels);
    openmetrics_label("node", text_of(node), &labels);
    openmetrics_sample(family, buffer_text(&labels), 1, 1, out);
    buffer_free(&labels);
}

static void up_list(const struct look *look, const struct openmetrics_family *family, struct buffer *out)
{
    openmetrics_sample(family, TEXT_NONE, look->source->is_up, 1, out);
}

static void healthy_list(const struct look *look, const struct openmetrics_family *family, struct buffer *out)
{
    openmetrics_sample(family, TEXT_NONE, look->source->is_up && look->source->health.is_healthy, 1, out);
}

static void serving_list(const struct look *look, const struct openmetrics_family *family, struct buffer *out)
{
    openmetrics_sample(family, TEXT_NONE, look->source->is_up && look->source->health.is_serving, 1, out);
}

static void draining_list(const struct look *look, const struct openmetrics_family *family,
                          struct buffer *out)
{
    openmetrics_sample(family, TEXT_NONE, look->source->is_up && look->source->health.is_draining, 1, out);
}

/* A check that found nothing at all is left out: the node has no such part. */
static void checks_list(const struct look *look, const struct openmetrics_family *family, struct buffer *out)
{
    const struct health_report *report = &look->source->health;
    for (int check = 0; look->source->is_up && check < HEALTH_CHECK_COUNT; check++) {
        bool is_found = false, is_good = true;
        for (uint32_t i = 0; i < report->count && i < HEALTH_FINDINGS_MOST; i++) {
            if ((int)report->findings[i].check != check) continue;
            is_found = true;
            is_good = is_good && report->findings[i].is_good;
        }
        if (is_found) labelled(family, "check", health_check_name((enum health_check)check), is_good, out);
    }
}

static void engine_list(const struct look *look, const struct openmetrics_family *family, struct buffer *out)
{
    static const char *const states[] = { [HEALTH_ENGINE_OFF] = "off",
                                          [HEALTH_ENGINE_WHOLE] = "whole",
                                          [HEALTH_ENGINE_TRIAL] = "trial",
                                          [HEALTH_ENGINE_BUILTIN] = "builtin",
                                          [HEALTH_ENGINE_NONE] = "none" };
    const struct health_facts *told = &look->source->health.told;
    if (!look->source->is_up || !health_knows(told, HEALTH_ENGINE)) return;
    for (unsigned i = 0; i < sizeof states / sizeof *states; i++)
        labelled(family, "state", states[i], told->values[HEALTH_ENGINE] == i, out);
}

static void lists_list(const struct look *look, const struct openmetrics_family *family, struct buffer *out)
{
    const struct health_facts *told = &look->source->health.told;
    if (!look->source->is_up || !health_knows(told, HEALTH_LISTS)) return;
    uint64_t aside = (uint64_t)__builtin_popcountll(told->values[HEALTH_LISTS_ASIDE]);
    labelled(family, "state", "aside", aside, out);
    labelled(family, "state", "in-force", told->values[HEALTH_LISTS] - aside, out);
}

static void listed_list(const struct look *look, const struct openmetrics_family *family,
                        uint64_t (*number)(const struct measured_list *list), struct buffer *out)
{
    for (uint32_t i = 0; i < MEASURES_LISTS; i++) {
        const struct measured_list *list = &look->figures.ledger.lists[i];
        struct buffer labels = { 0 };
        if (!list->is_configured) continue;
        openmetrics_label("list", text_from(list->name, strnlen(list->name, sizeof list->name)), &labels);
        openmetrics_sample(family, buffer_text(&labels), number(list), 1, out);
        buffer_free(&labels);
    }
}

static uint64_t listed_messages(const struct measured_list *list)
{
    return list->messages;
}

static uint64_t listed_refused(const struct measured_list *list)
{
    return list->refused;
}

static void listed_messages_list(const struct look *look, const struct openmetrics_family *family,
                                 struct buffer *out)
{
    listed_list(look, family, listed_messages, out);
}

static void listed_refused_list(const struct look *look, const struct openmetrics_family *family,
                                struct buffer *out)
{
    listed_list(look, family, listed_refused, out);
}

/* --- engines outside --- */

static void outside_list(const struct look *look, const struct openmetrics_family *family,
                         uint64_t (*number)(const struct measured_engine *engine), const char *result,
                         struct buffer *out)
{
    for (uint32_t i = 0; i < MEASURES_ENGINES; i++) {
        const struct measured_engine *engine = &look->figures.consult.engines[i];
        struct buffer labels = { 0 };
        if (!engine->is_configured) continue;
        openmetrics_label("engine", text_from(engine->name, strnlen(engine->name, sizeof engine->name)),
                          &labels);
        if (result) openmetrics_label("result", text_of(result), &labels);
        openmetrics_sample(family, buffer_text(&labels), number(engine), 1, out);
        buffer_free(&labels);
    }
}

#define OUTSIDE(field)                                                    \
    static uint64_t outside_##field(const struct measured_engine *engine) \
    {                                                                     \
        return engine->field;                                             \
    }
OUTSIDE(is_up)
OUTSIDE(asked)
OUTSIDE(clean)
OUTSIDE(found)
OUTSIDE(limits)
OUTSIDE(failed)
OUTSIDE(late)
OUTSIDE(spared)
OUTSIDE(skipped)

/* Of a node that is down nobody knows. */
static void outside_up_list(const struct look *look, const struct openmetrics_family *family,
                            struct buffer *out)
{
    if (look->source->is_up) outside_list(look, family, outside_is_up, NULL, out);
}

static void outside_asked_list(const struct look *look, const struct openmetrics_family *family,
                               struct buffer *out)
{
    outside_list(look, family, outside_asked, NULL, out);
}

static void outside_answers_list(const struct look *look, const struct openmetrics_family *family,
                                 struct buffer *out)
{
    outside_list(look, family, outside_clean, "clean", out);
    outside_list(look, family, outside_found, "found", out);
    outside_list(look, family, outside_limits, "limits", out);
    outside_list(look, family, outside_failed, "failed", out);
    outside_list(look, family, outside_late, "late", out);
    outside_list(look, family, outside_spared, "spared", out);
    outside_list(look, family, outside_skipped, "skipped", out);
}

static const char *const verdict_names[MEASURES_VERDICTS] = {
    [MEASURES_ACCEPTED] = "accepted",   [MEASURES_RELAYED] = "relayed",
    [MEASURES_TAGGED] = "tagged",       [MEASURES_QUARANTINED] = "quarantined",
    [MEASURES_DISCARDED] = "discarded", [MEASURES_ABORTED] = "aborted",
    [MEASURES_DEFERRED] = "deferred",   [MEASURES_REJECTED] = "rejected",
};

static void messages_list(const struct look *look, const struct openmetrics_family *family,
                          struct buffer *out)
{
    for (int i = 0; i < MEASURES_VERDICTS; i++)
        labelled(family, "verdict", verdict_names[i], look->figures.receive.measures.messages[i], out);
}

static void recipients_list(const struct look *look, const struct openmetrics_family *family,
                            struct buffer *out)
{
    for (int i = 0; i < MEASURES_VERDICTS; i++)
        labelled(family, "verdict", verdict_names[i], look->figures.receive.measures.recipients[i], out);
}

static void refusals_list(const struct look *look, const struct openmetrics_family *family,
                          struct buffer *out)
{
    static const char *const classes[] = { "4xx", "5xx" };
    static const char *const stages[] = { [STAGE_UNKNOWN] = "other",
                                          [STAGE_CONNECT] = "connect",
                                          [STAGE_MAIL] = "mail",
                                          [STAGE_RCPT] = "rcpt",
                                          [STAGE_CONTENT] = "content" };
    _Static_assert((int)STAGE_COUNT <= (int)MEASURES_STAGES, "the page has no room for a stage");
    for (int i = 0; i < STAGE_COUNT * 2; i++) {
        struct buffer labels = { 0 };
        openmetrics_label("stage", text_of(stages[i / 2]), &labels);
        openmetrics_label("class", text_of(classes[i % 2]), &labels);
        openmetrics_sample(family, buffer_text(&labels), look->figures.receive.measures.refused[i / 2][i % 2],
                           1, out);
        buffer_free(&labels);
    }
}

static void handshakes_list(const struct look *look, const struct openmetrics_family *family,
                            struct buffer *out)
{
    static const char *const names[MEASURES_TLS_KINDS] = { [MEASURES_TLS_1_2] = "TLSv1.2",
                                                           [MEASURES_TLS_1_3] = "TLSv1.3",
                                                           [MEASURES_TLS_OTHER] = "other",
                                                           [MEASURES_TLS_FAILED] = "failed" };
    for (int i = 0; i < MEASURES_TLS_KINDS; i++)
        labelled(family, "result", names[i], look->figures.receive.measures.handshakes[i], out);
}

static void deliveries_list(const struct look *look, const struct openmetrics_family *family,
                            struct buffer *out)
{
    static const char *const results[MEASURES_DELIVERIES] = {
        [MEASURES_DELIVERED] = "delivered", [MEASURES_PUT_OFF] = "deferred", [MEASURES_FAILED] = "failed"
    };
    for (int i = 0; i < MEASURES_DELIVERIES; i++)
        labelled(family, "result", results[i], look->figures.queue.measures.deliveries[i], out);
}

static void endings_list(const struct look *look, const struct openmetrics_family *family, struct buffer *out)
{
    for (int i = ENDING_NONE + 1; i < ENDING_COUNT; i++)
        labelled(family, "ending", ending_name((enum ending)i), look->figures.queue.counts.ended[i], out);
}

static void held_list(const struct look *look, const struct openmetrics_family *family, struct buffer *out)
{
    for (int i = HOLD_NONE + 1; i < HOLD_COUNT; i++)
        labelled(family, "reason", hold_reason_name((enum hold_reason)i),
                 look->figures.queue.measures.held[i], out);
}

static void difference_list(const struct look *look, const struct openmetrics_family *family,
                            struct buffer *out)
{
    if (look->figures.has_baseline) openmetrics_signed(family, TEXT_NONE, look->figures.difference, out);
}

static void lost_list(const struct look *look, const struct openmetrics_family *family, struct buffer *out)
{
    labelled(family, "kind", "accounted", look->figures.ledger.lost_events, out);
    labelled(family, "kind", "refusal", look->figures.ledger.lost_refusals, out);
}

/* --- processes and certificates --- */

/* A number of each process; those that run only, unless `of_all`. */
static void processes_list(const struct look *look, const struct openmetrics_family *family, uint32_t divisor,
                           bool of_all, uint64_t (*number)(const struct measured_process *process),
                           struct buffer *out)
{
    const struct master_measures *master = &look->figures.master;
    for (uint32_t i = 0; i < master->process_count && i < MEASURES_PROCESSES; i++) {
        struct measured_process process = master->processes[i];
        struct buffer labels = { 0 };
        char index[8];
        if (!look->source->is_up) process.is_running = 0;
        if (!of_all && (!look->source->is_up || process.started_ms == 0)) continue;
        snprintf(index, sizeof index, "%u", process.index);
        openmetrics_label("process", text_of(process_name(process.kind)), &labels);
        openmetrics_label("index", text_of(index), &labels);
        openmetrics_sample(family, buffer_text(&labels), number(&process), divisor, out);
        buffer_free(&labels);
    }
}

static uint64_t process_up(const struct measured_process *process)
{
    return process->is_running;
}

static uint64_t process_restarts(const struct measured_process *process)
{
    return process->restarts;
}

static uint64_t process_started(const struct measured_process *process)
{
    return process->started_ms;
}

static uint64_t process_cpu(const struct measured_process *process)
{
    return process->cpu_ms;
}

static uint64_t process_memory(const struct measured_process *process)
{
    return process->resident_bytes;
}

static void process_up_list(const struct look *look, const struct openmetrics_family *family,
                            struct buffer *out)
{
    processes_list(look, family, 1, true, process_up, out);
}

static void restarts_list(const struct look *look, const struct openmetrics_family *family,
                          struct buffer *out)
{
    processes_list(look, family, 1, true, process_restarts, out);
}

static void started_list(const struct look *look, const struct openmetrics_family *family, struct buffer *out)
{
    processes_list(look, family, 1000, false, process_started, out);
}

static void cpu_list(const struct look *look, const struct openmetrics_family *family, struct buffer *out)
{
    processes_list(look, family, 1000, false, process_cpu, out);
}

static void memory_list(const struct look *look, const struct openmetrics_family *family, struct buffer *out)
{
    processes_list(look, family, 1, false, process_memory, out);
}

static void certificates_list(const struct look *look, const struct openmetrics_family *family,
                              struct buffer *out)
{
    const struct master_measures *master = &look->figures.master;
    int64_t now_s = (int64_t)(look->source->now_ms / 1000);
    for (uint32_t i = 0; i < master->certificate_count && i < MEASURES_CERTIFICATES; i++) {
        const struct measured_certificate *one = &master->certificates[i];
        struct buffer labels = { 0 };
        openmetrics_label("use", text_from(one->use, strnlen(one->use, sizeof one->use)), &labels);
        openmetrics_signed(family, buffer_text(&labels), one->until_s - now_s, out);
        buffer_free(&labels);
    }
}

/* --- the table --- */

/* How a row's samples are made. */
enum row_kind {
    ROW_NUMBER,    /* one: a uint64_t of struct node_figures */
    ROW_SWITCH,    /* one: a uint32_t of it, 0 or 1 */
    ROW_HISTOGRAM, /* one of struct node_figures */
    ROW_FACT,      /* one: a fact of health, where it is known */
    ROW_LIST       /* list() makes them */
};

struct row {
    struct openmetrics_family family;
    enum row_kind kind;
    size_t at;     /* offset in struct node_figures; of FACT: enum health_fact */
    uint32_t form; /* of NUMBER and FACT the divisor; of HISTOGRAM the scale */
    void (*list)(const struct look *look, const struct openmetrics_family *family, struct buffer *out);
};

/* clang-format off */
#define NUMBER(type, field, name, unit, divisor, help) \
    { { "sekimori_" name, OPENMETRICS_##type, unit, help }, ROW_NUMBER, offsetof(struct node_figures, field), divisor, NULL }
#define SWITCH(field, name, help) \
    { { "sekimori_" name, OPENMETRICS_GAUGE, NULL, help }, ROW_SWITCH, offsetof(struct node_figures, field), 1, NULL }
#define HISTOGRAM(type, scale, field, name, unit, help) \
    { { "sekimori_" name, OPENMETRICS_##type, unit, help }, ROW_HISTOGRAM, offsetof(struct node_figures, field), \
      MEASURES_##scale, NULL }
#define FACT(fact, name, unit, divisor, help) \
    { { "sekimori_" name, OPENMETRICS_GAUGE, unit, help }, ROW_FACT, HEALTH_##fact, divisor, NULL }
#define LIST(type, list, name, unit, help) \
    { { "sekimori_" name, OPENMETRICS_##type, unit, help }, ROW_LIST, 0, 1, list }

static const struct row rows[] = {
    LIST(INFO, build_list, "build", NULL, "What this node is."),
    LIST(GAUGE, up_list, "up", NULL, "1: the node runs, and its first process gives signs of life."),
    LIST(GAUGE, healthy_list, "healthy", NULL, "1: sekimori health finds nothing wrong."),
    LIST(GAUGE, serving_list, "serving", NULL, "1: the node can serve; another one need not take over."),
    LIST(GAUGE, draining_list, "draining", NULL, "1: the node is taken out of service."),
    LIST(GAUGE, checks_list, "health_check_good", NULL, "1: this check of sekimori health finds nothing wrong."),

    NUMBER(COUNTER, receive.connections, "connections", NULL, 1, "Connections of clients."),
    FACT(SESSIONS, "sessions", NULL, 1, "Connections that are open now."),
    LIST(COUNTER, handshakes_list, "tls_handshakes", NULL, "STARTTLS of clients, by the version agreed upon."),
    LIST(COUNTER, messages_list, "messages", NULL, "Messages whose content came, by what became of them; of several recipients the severest."),
    LIST(COUNTER, recipients_list, "recipients", NULL, "Recipients of these messages, by what became of them."),
    LIST(COUNTER, refusals_list, "refusals", NULL, "Clients and recipients refused, by stage and class of the reply."),
    NUMBER(COUNTER, receive.scanned, "messages_scanned", NULL, 1, "Messages that were judged."),
    NUMBER(COUNTER, receive.infected, "messages_infected", NULL, 1, "Messages in which a virus was found."),
    NUMBER(COUNTER, receive.unscanned, "messages_unscanned", NULL, 1, "Messages that no engine could look into."),
    NUMBER(COUNTER, receive.observed, "recipients_observed", NULL, 1, "Recipients for whom a check in mode observe would have acted."),
    HISTOGRAM(HISTOGRAM, WORK, receive.measures.reply, "reply_seconds", "seconds", "From the end of the content to the reply."),
    HISTOGRAM(HISTOGRAM, WORK, receive.measures.judging, "judging_seconds", "seconds", "From the end of the content to the verdict."),
    HISTOGRAM(HISTOGRAM, WORK, receive.measures.commit, "commit_seconds", "seconds", "From asking queue to keep a message until it is on disk."),
    HISTOGRAM(HISTOGRAM, SIZE, receive.measures.size, "message_size_bytes", "bytes", "Size of contents that came whole."),

    FACT(MESSAGES, "queue_messages", NULL, 1, "Messages with a recipient that has no ending yet, held ones too."),
    NUMBER(GAUGE, queue.counts.live, "queue_recipients", NULL, 1, "Recipients that have no ending yet."),
    FACT(DELIVERIES, "queue_deliveries", NULL, 1, "Deliveries that are still to be made."),
    LIST(GAUGE, held_list, "queue_held_recipients", NULL, "Recipients held in the queue, by reason."),
    HISTOGRAM(GAUGE_HISTOGRAM, WAIT, queue.measures.age, "queue_age_seconds", "seconds", "Age of the messages in the queue."),
    HISTOGRAM(HISTOGRAM, WAIT, queue.measures.waited, "queue_wait_seconds", "seconds", "From arrival to delivery, by recipient."),
    FACT(QUEUE_STILL_MS, "queue_still_seconds", "seconds", 1000, "For so long nothing left, though something was due."),
    FACT(QUEUE_FULL, "queue_full", NULL, 1, "1: no message is taken, since the disk is full."),
    FACT(DESTINATIONS_DOWN, "queue_destinations_down", NULL, 1, "Destinations of which no server can be talked to."),
    LIST(COUNTER, deliveries_list, "deliveries", NULL, "What attempts to deliver came to, by recipient."),
    HISTOGRAM(HISTOGRAM, WORK, queue.measures.delivery, "delivery_seconds", "seconds", "Connecting and sending, of each attempt."),
    LIST(COUNTER, endings_list, "endings", NULL, "How recipients ended that were in the queue, since its journal began."),
    NUMBER(COUNTER, queue.measures.commits, "journal_commits", NULL, 1, "Batches that the journal synced to the disk."),
    NUMBER(COUNTER, queue.measures.records, "journal_records", NULL, 1, "Records in these batches."),
    NUMBER(COUNTER, queue.measures.sync_us, "journal_sync_seconds", "seconds", 1000000, "Time that these syncs took."),
    NUMBER(GAUGE, queue.measures.segments, "journal_segments", NULL, 1, "Files of the journal."),
    NUMBER(GAUGE, queue.measures.journal_bytes, "journal_bytes", "bytes", 1, "Their size."),
    FACT(DISK_FREE, "disk_free_bytes", "bytes", 1, "Room on the disk of the spool."),

    LIST(GAUGE, difference_list, "balance_difference_recipients", NULL, "Recipients that receive and the journal, or the journal and itself, are apart; 0 but for moments."),
    NUMBER(GAUGE, epoch_ms, "balance_start_time_seconds", "seconds", 1000, "When the counts of sekimori balance began."),
    NUMBER(COUNTER, ledger.events, "ledger_events", NULL, 1, "Events that the ledger has stored."),
    NUMBER(COUNTER, ledger.malformed, "ledger_events_malformed", NULL, 1, "Events that made no sense."),
    LIST(COUNTER, lost_list, "ledger_events_lost", NULL, "Events that found no room on their way; accounted: balance is short of them."),
    NUMBER(GAUGE, ledger.lag_ms, "ledger_lag_seconds", "seconds", 1000, "For so long something has been waiting to be stored."),
    NUMBER(GAUGE, ledger.backlog_percent, "ledger_ring_fill_ratio", "ratio", 100, "Fill of the fullest ring of events."),
    NUMBER(GAUGE, ledger.waiting_bytes, "ledger_waiting_bytes", "bytes", 1, "Events on disk that wait for the database."),
    FACT(LEDGER_FAILING, "ledger_failing", NULL, 1, "1: the database cannot be written."),
    FACT(LEARNED_DAMAGED, "learned_damaged", NULL, 1, "1: a file of what is known of spam is missing or damaged, and not used."),
    FACT(RULES_ASIDE, "rules_aside", NULL, 1, "1: a rule file that was wrong at the start is left out."),
    FACT(INSIDE_HELD, "inside_held", NULL, 1, "Senders inside whose mail is held (sekimori inside)."),
    FACT(EXPLANATIONS_DROPPED, "explanations_dropped", NULL, 1, "While explanations of messages find no room: how many were dropped."),
    NUMBER(GAUGE, ledger.database_bytes, "ledger_database_bytes", "bytes", 1, "Size of the database."),
    NUMBER(GAUGE, ledger.parcels, "ledger_unsent_parcels", NULL, 1, "Parcels of events for the node that collects."),
    NUMBER(GAUGE, ledger.behind_ms, "ledger_behind_seconds", "seconds", 1000, "Age of the oldest of them."),
    NUMBER(COUNTER, ledger.given_up, "ledger_events_given_up", NULL, 1, "Events that it will never hear of."),
    NUMBER(GAUGE, ledger.held_recipients, "quarantine_recipients", NULL, 1, "Recipients held in the quarantine."),
    NUMBER(GAUGE, ledger.held_bytes, "quarantine_bytes", "bytes", 1, "Size of its files."),
    SWITCH(ledger.is_full, "quarantine_full", "1: it takes no more; held mail stays in the queue."),

    LIST(GAUGE, lists_list, "lists", NULL, "Lists of the configuration: in force, or aside, with those whose file was refused."),
    LIST(COUNTER, listed_messages_list, "list_messages", NULL, "Messages for which this list spoke."),
    LIST(COUNTER, listed_refused_list, "list_refused_recipients", NULL, "Recipients refused at RCPT since this list has the client."),
    LIST(GAUGE, engine_list, "engine_state", NULL, "1 for the state of the virus check: whole with fetched signatures, trial or builtin with the shipped ones, none, off."),
    LIST(GAUGE, outside_up_list, "engine_up", NULL, "1: this engine outside, or second opinion, is asked; 0: it failed so often that it is left alone for a while."),
    LIST(COUNTER, outside_asked_list, "engine_asked", NULL, "Messages that were put to it."),
    LIST(COUNTER, outside_answers_list, "engine_answers", NULL, "What came of messages for it: clean, found, limits, failed, late, spared, which were not put to it, or skipped, whose lot was certain without it."),
    FACT(SIGNATURES, "signatures", NULL, 1, "Signatures that are loaded."),
    FACT(SIGNATURES_AGE_S, "signatures_age_seconds", "seconds", 1, "Age of the newest that was fetched."),
    FACT(SIGNATURES_KEPT, "signatures_kept", NULL, 1, "1: newer ones are worse, so the old ones stay."),
    FACT(ALSO, "signatures_second_set", NULL, 1, "Those of the second set."),
    FACT(ALSO_AGE_S, "signatures_second_set_age_seconds", "seconds", 1, "Age of the newest of them."),
    FACT(UPDATE_FAILING_S, "signatures_update_failing_seconds", "seconds", 1, "For so long fetching signatures has failed; absent where it has not."),
    FACT(SCAN_DOWN_MS, "scan_down_seconds", "seconds", 1000, "For so long there has been no scan worker."),
    FACT(SCAN_LOST, "scan_lost_messages", NULL, 1, "Messages in a row that no worker judged."),
    FACT(DNS_MISSES, "dns_misses", NULL, 1, "Questions in a row that no DNS server answered."),
    FACT(UPSTREAMS, "upstreams", NULL, 1, "Addresses of health upstream."),
    FACT(UPSTREAM_MISSES, "upstream_misses", NULL, 1, "Probes in a row without an answer, of the one that answers best."),
    FACT(LOG_MISSED, "log_missed_lines", NULL, 1, "Lines that the log has not taken, by the processes that run."),

    LIST(GAUGE, process_up_list, "process_up", NULL, "1: this process is ready."),
    LIST(COUNTER, restarts_list, "process_restarts", NULL, "How often it ended and was started again."),
    LIST(GAUGE, started_list, "process_start_time_seconds", "seconds", "When it was started."),
    LIST(COUNTER, cpu_list, "process_cpu_seconds", "seconds", "What it computed, with its descendants."),
    LIST(GAUGE, memory_list, "process_resident_memory_bytes", "bytes", "Its memory; of scan each worker's, pages that they share counted in each."),
    LIST(GAUGE, certificates_list, "certificate_remaining_seconds", "seconds", "Time until a certificate ends; below 0: it has."),
};
/* clang-format on */

/* --- printing --- */

static void fact_print(const struct look *look, const struct row *row, struct buffer *out)
{
    const struct health_facts *told = &look->source->health.told;
    enum health_fact fact = (enum health_fact)row->at;
    if (look->source->is_up && health_knows(told, fact))
        openmetrics_sample(&row->family, TEXT_NONE, told->values[fact], row->form, out);
}

static void row_print(const struct look *look, const struct row *row, struct buffer *out)
{
    const void *field = (const char *)&look->figures + row->at;
    openmetrics_head(&row->family, out);
    switch (row->kind) {
    case ROW_NUMBER:
        openmetrics_sample(&row->family, TEXT_NONE, *(const uint64_t *)field, row->form, out);
        break;
    case ROW_SWITCH:
        openmetrics_sample(&row->family, TEXT_NONE, *(const uint32_t *)field, 1, out);
        break;
    case ROW_HISTOGRAM:
        openmetrics_histogram(&row->family, (enum measures_scale)row->form, field, out);
        break;
    case ROW_FACT:
        fact_print(look, row, out);
        break;
    case ROW_LIST:
        row->list(look, &row->family, out);
        break;
    }
}

void exposition_print(const struct exposition_source *source, struct buffer *out)
{
    struct look look = { .source = source };
    figures_gather(source->slots, &look.figures);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) row_print(&look, &rows[i], out);
    openmetrics_end(out);
}
