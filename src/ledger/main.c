/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* ledger: the only writer of the ledger database and of the quarantine. Reads every process's ring of events;
   nobody waits for it. */
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/context.h"
#include "base/die.h"
#include "base/file.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "ipc/ask_master.h"
#include "ipc/child.h"
#include "ipc/counters.h"
#include "ipc/message_id.h"
#include "ledger/approvals.h"
#include "ledger/balance_count.h"
#include "ledger/campaign_stops.h"
#include "ledger/learning/automatic.h"
#include "ledger/learning/learning_command.h"
#include "ledger/learning/proposals.h"
#include "ledger/list_counts.h"
#include "ledger/list_page.h"
#include "ledger/quarantine/quarantine.h"
#include "ledger/quarantine/quarantine_command.h"
#include "ledger/quarantine/ticket_release.h"
#include "ledger/sender_entries.h"

enum { PATH_SIZE = 4000, PAGE_EVERY_MS = 1000, NODES_EVERY_MS = 10000 };

struct service {
    enum { SERVICE_MAGIC = 0x28e0a69a } magic;
    struct child child;
    struct ingest *ingest;
    struct balance_count_server *server;
    struct replication *replication;
    struct quarantine *quarantine;
    struct quarantine_command_server *commands;
    struct ticket_release_server *ticket_releases;
    struct learning *learning;
    struct proposals *proposals;
    struct automatic *automatic;
    uint64_t offers[AUTOMATIC_OUTCOMES]; /* of receive, since the start */
    struct approvals *approvals;
    struct sender_entries *entries;
    struct declarations *declarations;
    struct exchange *exchange;
    struct campaign_stops *stops;
    struct learning_command_server *lessons;
    struct ticket_key key;
    struct steady steady;
    const struct counters_slot *baseline; /* NULL: everything since ever */
    struct counters_slot *page;           /* ours; NULL: nobody looks */
    struct timer *second;
    struct list_page lists;
    uint64_t stored_ms, nodes_ms; /* loop clock: when nothing waited to be stored; the outbox's next look */
    char folder[PATH_SIZE], quarantine_path[PATH_SIZE];
};

static void courier_open(void *context, uint16_t index, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    replication_open(service->replication, fd);
}

static void queue_open(void *context, uint16_t index, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    quarantine_set_queue(service->quarantine, fd);
}

static void report_open(void *context, uint16_t index, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    ticket_release_server_set_report(service->ticket_releases, fd);
}

static void scan_open(void *context, uint16_t index, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    quarantine_set_scan(service->quarantine, fd);
}

static void lookup_open(void *context, uint16_t index, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    campaign_stops_set_lookup(service->stops, fd);
}

static const struct child_peer peers[] = {
    { PROCESS_COURIER, courier_open }, { PROCESS_LOOKUP, lookup_open }, { PROCESS_QUEUE, queue_open },
    { PROCESS_REPORT, report_open },   { PROCESS_SCAN, scan_open },     { 0 },
};

/* The others are gone by now, so what is in the rings is all there will be. */
static void on_stop(void *context, uint32_t within_ms)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    while (ingest_poll(service->ingest)) continue;
    child_exit(&service->child, EX_OK);
}

/* When the loop has ended: until then others may still be heard, and heard to go. */
static void service_end(struct service *service)
{
    timer_free(service->second);
    balance_count_server_free(service->server);
    learning_command_server_free(service->lessons);
    proposals_free(service->proposals);
    automatic_free(service->automatic);
    learning_free(service->learning);
    approvals_free(service->approvals);
    sender_entries_look(service->entries, loop_wall_ms(service->child.loop), true);
    sender_entries_free(service->entries);
    ticket_release_server_free(service->ticket_releases);
    quarantine_command_server_free(service->commands);
    quarantine_rescan_end(service->quarantine);
    quarantine_free(service->quarantine);
    ingest_free(service->ingest);
    replication_free(service->replication);
    exchange_free(service->exchange);
    campaign_stops_free(service->stops);
    declarations_free(service->declarations);
}

static const char *database_state(const struct ingest_counts *counts, const struct database *database)
{
    if (counts->is_newer) return "made by a newer version";
    return counts->is_failing || !database ? "cannot be written" : "good";
}

static void on_config(void *context, const struct config *old)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    ingest_set_config(service->ingest, service->child.config, service->baseline);
    quarantine_set_config(service->quarantine, service->child.config);
    quarantine_command_server_set_config(service->commands, service->child.config);
    ticket_release_server_set_config(service->ticket_releases, service->child.config);
    replication_set_config(service->replication, service->child.config);
    exchange_set_config(service->exchange, service->child.config);
    learning_set_config(service->learning, service->child.config);
    proposals_set_config(service->proposals, service->child.config);
    automatic_set_config(service->automatic, service->child.config);
    learning_command_server_set_config(service->lessons, service->child.config);
    list_page_hurry(&service->lists);
    if (service->page) list_counts_configure(&service->page->measures.ledger, service->child.config);
}

/* Asks the database. */
static void nodes_measure(const struct service *service, struct ledger_measures *out)
{
    struct replication_facts facts;
    replication_look(service->replication, &facts);
    uint64_t now = loop_wall_ms(service->child.loop), oldest = facts.outbox.oldest_ms;
    out->sends = facts.sends;
    out->parcels = facts.outbox.parcels;
    out->behind_ms = oldest && oldest < now ? now - oldest : 0;
    out->given_up = facts.outbox.given_up;
}

/* For monitors. A ring whose fill is below one per cent counts as read. */
static void measures_write(struct service *service, const struct ingest_counts *counts)
{
    uint64_t now = loop_now_ms(service->child.loop);
    const struct database *database = ingest_database(service->ingest);
    struct quarantine_facts held = quarantine_facts(service->quarantine);
    struct ledger_measures *out = &service->page->measures.ledger;
    bool waits = counts->backlog_percent > 0 || counts->waiting_bytes > 0 || counts->is_failing;
    if (!waits) service->stored_ms = now;
    out->events = counts->events;
    out->malformed = counts->malformed;
    out->lost_events = counts->lost.events;
    out->lost_refusals = counts->lost.refusals;
    out->lag_ms = now - service->stored_ms;
    out->backlog_percent = counts->backlog_percent;
    out->waiting_bytes = counts->waiting_bytes;
    out->database_bytes = database ? database_bytes(database) : 0;
    out->held_recipients = held.recipients;
    out->held_bytes = held.bytes;
    out->is_full = held.is_full;
    if (now < service->nodes_ms) return;
    nodes_measure(service, out);
    service->nodes_ms = now + NODES_EVERY_MS;
}

static void page_write(void *context)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    struct ingest_counts counts;
    struct loop *loop = service->child.loop;
    steady_look(&service->steady, loop_wall_ms(loop), loop_boot_ms(loop));
    ingest_counts(service->ingest, &counts);
    measures_write(service, &counts);
    service->page->ledger = (struct ledger_counters){ .time_ms = loop_wall_ms(service->child.loop),
                                                      .waiting_bytes = counts.waiting_bytes,
                                                      .is_failing = counts.is_failing };
    list_page_look(&service->lists, service->ingest, service->child.config, loop_now_ms(loop));
    sender_entries_look(service->entries, loop_wall_ms(loop), false);
    exchange_look(service->exchange);
    timer_set(service->second, PAGE_EVERY_MS);
}

static void nodes_status(struct service *service, struct buffer *out)
{
    struct replication_facts facts;
    replication_look(service->replication, &facts);
    uint64_t now = loop_wall_ms(service->child.loop), oldest = facts.outbox.oldest_ms;
    if (facts.sends) {
        child_status_add(out, "parcels to tell", "%llu", (unsigned long long)facts.outbox.parcels);
        child_status_add(out, "seconds behind", "%llu",
                         oldest && oldest < now ? (unsigned long long)((now - oldest) / 1000) : 0ull);
        child_status_add(out, "events given up", "%llu", (unsigned long long)facts.outbox.given_up);
    }
    if (!facts.collects) return;
    child_status_add(out, "events of other nodes", "%llu", (unsigned long long)facts.events);
    child_status_add(out, "of these left out", "%llu", (unsigned long long)facts.refused);
}

/* Since this process started. */
static void offers_status(const struct service *service, struct buffer *out)
{
    static const char *const words[AUTOMATIC_OUTCOMES] = {
        [AUTOMATIC_TAUGHT] = "offers taught",       [AUTOMATIC_UNREAD] = "offers without a text",
        [AUTOMATIC_KNOWN] = "offers known already", [AUTOMATIC_STRANGER] = "offers of strangers",
        [AUTOMATIC_ENOUGH] = "offers over limits",  [AUTOMATIC_LATER] = "offers that could not be kept"
    };
    if (!service->child.config->learn.is_automatic) return;
    for (int i = 0; i < AUTOMATIC_OUTCOMES; i++)
        if (words[i]) child_status_add(out, words[i], "%llu", (unsigned long long)service->offers[i]);
}

static void learned_status(struct service *service, struct buffer *out)
{
    struct learning_facts facts;
    learning_look(service->learning, &facts);
    struct exchange_facts facts_heard = exchange_facts(service->exchange);
    child_status_add(out, "said on other nodes", "%llu", (unsigned long long)facts_heard.heard);
    child_status_add(out, "said there and left out", "%llu", (unsigned long long)facts_heard.left_out);
    child_status_add(out, "newsletters approved", "%zu", approvals_count(service->approvals));
    child_status_add(out, "allow and block entries", "%zu", sender_entries_count(service->entries));
    child_status_add(out, "ham learned", "%u", facts.ham);
    child_status_add(out, "spam learned", "%u", facts.spam);
    child_status_add(out, "learned automatically", "%u", facts.automatic[0] + facts.automatic[1]);
    offers_status(service, out);
    child_status_add(out, "local model", "%s",
                     facts.trouble[0] ? facts.trouble
                     : facts.counts   ? "in force"
                                      : "held back until there are 20 of each");
}

static void on_status(void *context, struct buffer *out)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    struct ingest_counts counts;
    ingest_counts(service->ingest, &counts);
    const struct database *database = ingest_database(service->ingest);
    child_status_add(out, "events", "%llu", (unsigned long long)counts.events);
    child_status_add(out, "events per second", "%.0f", counts.events_per_second);
    child_status_add(out, "backlog percent", "%u", counts.backlog_percent);
    child_status_add(out, "lost", "%llu", (unsigned long long)counts.lost.events);
    child_status_add(out, "lost refusals", "%llu", (unsigned long long)counts.lost.refusals);
    child_status_add(out, "waiting bytes", "%llu", (unsigned long long)counts.waiting_bytes);
    child_status_add(out, "forgotten", "%llu", (unsigned long long)counts.forgotten);
    child_status_add(out, "malformed", "%llu", (unsigned long long)counts.malformed);
    struct explained_counts explained = ingest_explained(service->ingest);
    child_status_add(out, "explanations kept", "%llu", (unsigned long long)explained.kept);
    child_status_add(out, "explanations dropped", "%llu", (unsigned long long)explained.dropped);
    child_status_add(out, "mailing lists known", "%zu", service->lists.known);
    child_status_add(out, "people known", "%zu", service->lists.people);
    struct quarantine_facts held = quarantine_facts(service->quarantine);
    child_status_add(out, "quarantine recipients", "%llu", (unsigned long long)held.recipients);
    child_status_add(out, "quarantine bytes", "%llu", (unsigned long long)held.bytes);
    child_status_add(out, "quarantine found again", "%llu", (unsigned long long)held.reindexed);
    child_status_add(out, "quarantine", "%s", held.is_full ? "full" : "good");
    child_status_add(out, "database", "%s", database_state(&counts, database));
    child_status_add(out, "database bytes", "%llu",
                     database ? (unsigned long long)database_bytes(database) : 0ull);
    nodes_status(service, out);
    learned_status(service, out);
}

static void on_health(void *context, struct health_facts *out)
{
    const struct service *service = CONTEXT(context, const struct service, SERVICE_MAGIC);
    struct ingest_counts counts;
    ingest_counts(service->ingest, &counts);
    health_know(out, HEALTH_LEDGER_FAILING, counts.is_failing);
    struct learning_facts learned;
    learning_look(service->learning, &learned);
    health_know(out, HEALTH_LEARNED_DAMAGED, learned.trouble[0] != '\0');
    struct explained_counts explained = ingest_explained(service->ingest);
    health_know(out, HEALTH_EXPLANATIONS_DROPPED, explained.is_dropping ? explained.dropped : 0);
}

/* The record of a message, for who may trace but not read the folder; master has looked at the right. */
static void explain_answer(struct service *service, struct text word, int fd)
{
    uint64_t id;
    struct buffer record = { 0 }, answer = { 0 };
    int code = EX_USAGE;
    ingest_poll(service->ingest);
    if (message_id_parse(text_trim(word), &id)) {
        enum explained_outcome outcome = explained_find(service->folder, id, &record);
        code = outcome == EXPLAINED_FOUND ? EX_OK : outcome == EXPLAINED_NONE ? EX_NOINPUT : EX_IOERR;
    }
    put_u8(&answer, (uint8_t)code);
    put_text(&answer, buffer_text(&record));
    channel_send_now(fd, MASTER_DONE, 0, buffer_text(&answer), NULL, 0);
    close(fd);
    buffer_free(&answer);
    buffer_free(&record);
}

static void on_client(void *context, const struct commander *commander, struct text command, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    struct text word = TEXT_NONE, rest = command;
    if (text_next_word(&rest, &word) && text_equal(word, TEXT("quarantine"))) {
        quarantine_command_begin(service->commands, commander, rest, fd);
        return;
    }
    if (text_equal(word, TEXT("learn")) || text_equal(word, TEXT("model")) ||
        text_equal(word, TEXT("newsletter")) || text_equal(word, TEXT("people")) ||
        text_equal(word, TEXT("allow")) || text_equal(word, TEXT("block"))) {
        learning_command_begin(service->lessons, commander, command, fd);
        return;
    }
    if (text_equal(word, TEXT("explain"))) {
        explain_answer(service, rest, fd);
        return;
    }
    if (!text_equal(command, TEXT("balance"))) {
        log_error("ledger knows no command \"%.*s\"", TEXT_ARG(command));
        close(fd);
        return;
    }
    ingest_poll(service->ingest);
    balance_count_begin(service->server, service->baseline ? service->baseline->baseline.epoch_ms : 0, fd);
}

static void rings_add(struct service *service)
{
    uint16_t slot;
    int fd;
    for (unsigned n = 0; (fd = child_map_nth(&service->child, "events", n, &slot)) >= 0; n++) {
        struct ring *ring = ring_map(fd);
        if (!ring) die_errno("the ring of slot %u cannot be mapped", slot);
        ingest_add_ring(service->ingest, ring, slot);
    }
}

static int folder_find(struct service *service, const char *name, char path[PATH_SIZE])
{
    int fd = child_folder_fd(&service->child, name);
    if (fd < 0) die("ledger was given no folder %s", name);
    if (!file_path_of(fd, path, PATH_SIZE)) die_errno("the folder %s has no path", name);
    return fd;
}

static void quarantine_begin(struct service *service)
{
    struct child *child = &service->child;
    int folder = folder_find(service, "quarantine", service->quarantine_path);
    service->quarantine = quarantine_new(child->loop, service->ingest, folder);
    service->commands = quarantine_command_server_new(child->loop, service->ingest, service->quarantine);
    service->ticket_releases =
        ticket_release_server_new(child->loop, service->commands, service->quarantine, service->ingest);
    if (!ticket_key_open(service->folder, true, &service->key)) return;
    char room[TICKET_SIZE]; /* what OpenSSL opens when it is first used is out of reach later */
    ticket_print(&service->key, &(struct ticket){ 0 }, room);
    quarantine_command_server_set_key(service->commands, &service->key);
}

static void on_judgement(void *context, const struct event_judgement *judgement, uint64_t time_ms)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    sender_entries_count_use(service->entries, judgement, time_ms);
    if (service->page) list_counts_judged(&service->page->measures.ledger, judgement);
}

static void on_cause(void *context, struct text cause, uint32_t recipients)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    if (service->page) list_counts_refused(&service->page->measures.ledger, cause, recipients);
}

static void on_offer(void *context, struct text event)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    service->offers[automatic_take(service->automatic, event)]++;
}

/* What stands beside the base model is out of reach later. */
static void learning_begin(struct service *service)
{
    struct child *child = &service->child;
    int page = child_map_fd(child, "learned", NULL);
    struct learned_page *learned = page < 0 ? NULL : learned_page_map(page, true);
    service->learning = learning_new(child->loop, child->config, learned);
    service->proposals = proposals_new(child->loop, service->ingest, service->learning, service->commands);
    service->automatic = automatic_new(child->loop, service->ingest, service->learning, service->commands);
    ingest_set_offers(service->ingest, on_offer, service);
    ticket_release_server_set_listener(service->ticket_releases,
                                       (struct report_listener){ proposals_frame, service->proposals });
    int approved = child_map_fd(child, "approved", NULL);
    service->approvals = approvals_new(approved < 0 ? NULL : fingerprint_page_map(approved, true));
    ticket_release_server_set_approvals(service->ticket_releases, service->approvals);
    int entries = child_map_fd(child, "entries", NULL);
    service->entries = sender_entries_new(entries < 0 ? NULL : entry_page_map(entries, true));
    ticket_release_server_set_entries(service->ticket_releases, service->entries);
    service->lessons = learning_command_server_new(
        child->loop, service->learning, service->proposals, service->approvals, service->entries,
        (struct people_source){ service->ingest, &service->lists }, service->commands);
    ingest_set_listener(service->ingest, on_judgement, service);
    ingest_set_cause_listener(service->ingest, on_cause);
}

/* What was said before this node had a number is its own alone. */
static void declarations_begin(struct service *service)
{
    const struct config *config = service->child.config;
    declarations_set_node(service->declarations, config->node.number);
    approvals_share(service->approvals, service->declarations);
    sender_entries_share(service->entries, service->declarations);
    service->stops = campaign_stops_new(service->child.loop, service->declarations);
    learning_command_server_set_stops(service->lessons, service->stops);
    declarations_start(service->declarations, child_folder_fd(&service->child, "ledger"), config->node.number,
                       loop_wall_ms(service->child.loop));
}

static const struct child_events events = { .peers = peers,
                                            .on_config = on_config,
                                            .on_stop = on_stop,
                                            .on_status = on_status,
                                            .on_health = on_health,
                                            .on_client = on_client };

/* The records are for this process alone, and for report where master gave its group the folder. Else the
   folder's group is whose members may reach the control socket. */
static mode_t records_umask(int folder)
{
    struct stat facts;
    bool has_readers = fstat(folder, &facts) == 0 && (facts.st_mode & S_ISGID);
    return has_readers ? 0027 : 0077;
}

int main(int argc, char **argv)
{
    static struct service service = { .magic = SERVICE_MAGIC };
    child_start(&service.child, PROCESS_LEDGER, argc, argv);
    folder_find(&service, "ledger", service.folder);
    int counters = child_map_fd(&service.child, "counters", NULL);
    if (counters >= 0) service.baseline = counters_map(counters, COUNTERS_SLOT_BASELINE, false);
    if (counters >= 0) service.page = counters_map(counters, COUNTERS_SLOT_LEDGER, true);
    if (service.page) measures_begin(&service.page->measures);
    int lists = child_map_fd(&service.child, "lists", NULL);
    if (lists >= 0) service.lists.lists = fingerprint_page_map(lists, true);
    service.ingest = ingest_new(service.child.loop, service.folder);
    service.replication = replication_new(service.child.loop, service.child.config);
    ingest_set_replication(service.ingest, service.replication);
    service.declarations = declarations_new();
    service.exchange = exchange_new(service.child.loop, service.child.config, service.declarations);
    replication_set_exchange(service.replication, service.exchange);
    steady_begin(&service.steady, child_folder_fd(&service.child, "ledger"), "clock", NULL,
                 loop_wall_ms(service.child.loop), loop_boot_ms(service.child.loop));
    ingest_set_steady(service.ingest, &service.steady);
    rings_add(&service);
    service.server = balance_count_server_new(service.child.loop, service.ingest);
    umask(records_umask(child_folder_fd(&service.child, "ledger")));
    quarantine_begin(&service);
    learning_begin(&service);
    const char *const folders[] = { service.folder, service.quarantine_path, NULL };
    tzset(); /* sums are kept by local time; its file is out of reach later */
    if (!child_jail(&service.child, JAIL_FILES | JAIL_SHORTEN | JAIL_BODIES, folders, NULL)) return EX_OSERR;
    learning_start(service.learning, child_folder_fd(&service.child, "ledger"));
    approvals_start(service.approvals, child_folder_fd(&service.child, "ledger"));
    sender_entries_start(service.entries, child_folder_fd(&service.child, "ledger"),
                         loop_wall_ms(service.child.loop));
    declarations_begin(&service);
    on_config(&service, service.child.config);
    ingest_start(service.ingest);
    service.second = timer_new(service.child.loop, page_write, &service);
    service.stored_ms = loop_now_ms(service.child.loop);
    if (service.page) page_write(&service);
    int code = child_run(&service.child, &events, &service);
    if (service.child.is_stopping) service_end(&service);
    log_flush();
    return code;
}
