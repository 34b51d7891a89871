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
#include "ipc/child.h"
#include "ipc/counters.h"
#include "ledger/quarantine/curator.h"
#include "ledger/quarantine/custody.h"
#include "ledger/quarantine/redeem.h"
#include "ledger/tally.h"

enum { PATH_SIZE = 4000, PAGE_EVERY_MS = 1000 };

struct service {
    enum { SERVICE_MAGIC = 0x28e0a69a } magic;
    struct child child;
    struct harvest *harvest;
    struct tally_desk *desk;
    struct exchange *exchange;
    struct custody *custody;
    struct curator_desk *curators;
    struct redeem_desk *redeemers;
    struct ticket_key key;
    struct steady steady;
    const struct counters_slot *baseline; /* NULL: everything since ever */
    struct counters_slot *page;           /* ours; NULL: nobody looks */
    struct timer *second;
    char folder[PATH_SIZE], quarantine_path[PATH_SIZE];
};

static void courier_open(void *context, uint16_t index, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    exchange_open(service->exchange, fd);
}

static void queue_open(void *context, uint16_t index, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    custody_set_queue(service->custody, fd);
}

static void report_open(void *context, uint16_t index, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    redeem_desk_set_report(service->redeemers, fd);
}

static const struct child_peer peers[] = {
    { PROCESS_COURIER, courier_open },
    { PROCESS_QUEUE, queue_open },
    { PROCESS_REPORT, report_open },
    { 0 },
};

/* The others are gone by now, so what is in the rings is all there will be. */
static void on_stop(void *context, uint32_t within_ms)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    while (harvest_poll(service->harvest)) continue;
    child_exit(&service->child, EX_OK);
}

/* When the loop has ended: until then others may still be heard, and heard to go. */
static void service_end(struct service *service)
{
    timer_free(service->second);
    tally_desk_free(service->desk);
    redeem_desk_free(service->redeemers);
    curator_desk_free(service->curators);
    custody_free(service->custody);
    harvest_free(service->harvest);
    exchange_free(service->exchange);
}

static const char *database_state(const struct harvest_counts *counts, const struct database *database)
{
    if (counts->is_newer) return "made by a newer version";
    return counts->is_failing || !database ? "cannot be written" : "good";
}

static void on_config(void *context, const struct config *old)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    harvest_set_config(service->harvest, service->child.config, service->baseline);
    custody_set_config(service->custody, service->child.config);
    curator_desk_set_config(service->curators, service->child.config);
    exchange_set_config(service->exchange, service->child.config);
}

static void page_write(void *context)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    struct harvest_counts counts;
    struct loop *loop = service->child.loop;
    steady_look(&service->steady, loop_wall_ms(loop), loop_boot_ms(loop));
    harvest_counts(service->harvest, &counts);
    service->page->ledger = (struct ledger_counters){ .time_ms = loop_wall_ms(service->child.loop),
                                                      .waiting_bytes = counts.waiting_bytes,
                                                      .is_failing = counts.is_failing };
    timer_set(service->second, PAGE_EVERY_MS);
}

static void nodes_status(struct service *service, struct buffer *out)
{
    struct exchange_facts facts;
    exchange_look(service->exchange, &facts);
    uint64_t now = loop_wall_ms(service->child.loop), oldest = facts.outbox.oldest_ms;
    if (facts.sends) {
        child_status_add(out, "parcels to tell", "%llu", (unsigned long long)facts.outbox.parcels);
        child_status_add(out, "behind", "%llu s",
                         oldest && oldest < now ? (unsigned long long)((now - oldest) / 1000) : 0ull);
        child_status_add(out, "events given up", "%llu", (unsigned long long)facts.outbox.given_up);
    }
    if (!facts.collects) return;
    child_status_add(out, "events of other nodes", "%llu", (unsigned long long)facts.events);
    child_status_add(out, "of these left out", "%llu", (unsigned long long)facts.refused);
}

static void on_status(void *context, struct buffer *out)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    struct harvest_counts counts;
    harvest_counts(service->harvest, &counts);
    const struct database *database = harvest_database(service->harvest);
    child_status_add(out, "events", "%llu", (unsigned long long)counts.events);
    child_status_add(out, "events per second", "%.0f", counts.events_per_second);
    child_status_add(out, "backlog percent", "%u", counts.backlog_percent);
    child_status_add(out, "lost", "%llu", (unsigned long long)counts.lost);
    child_status_add(out, "waiting bytes", "%llu", (unsigned long long)counts.waiting_bytes);
    child_status_add(out, "forgotten", "%llu", (unsigned long long)counts.forgotten);
    child_status_add(out, "malformed", "%llu", (unsigned long long)counts.malformed);
    struct custody_facts held = custody_facts(service->custody);
    child_status_add(out, "quarantine recipients", "%llu", (unsigned long long)held.recipients);
    child_status_add(out, "quarantine bytes", "%llu", (unsigned long long)held.bytes);
    child_status_add(out, "quarantine found again", "%llu", (unsigned long long)held.regained);
    child_status_add(out, "quarantine", "%s", held.is_full ? "full" : "good");
    child_status_add(out, "database", "%s", database_state(&counts, database));
    child_status_add(out, "database bytes", "%llu",
                     database ? (unsigned long long)database_bytes(database) : 0ull);
    nodes_status(service, out);
}

static void on_health(void *context, struct health_facts *out)
{
    const struct service *service = CONTEXT(context, const struct service, SERVICE_MAGIC);
    struct harvest_counts counts;
    harvest_counts(service->harvest, &counts);
    health_know(out, HEALTH_LEDGER_FAILING, counts.is_failing);
}

static void on_client(void *context, const struct commander *commander, struct text command, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    struct text word, rest = command;
    if (text_next_word(&rest, &word) && text_equal(word, TEXT("quarantine"))) {
        curator_begin(service->curators, commander, rest, fd);
        return;
    }
    if (!text_equal(command, TEXT("balance"))) {
        log_error("ledger knows no command \"%.*s\"", TEXT_ARG(command));
        close(fd);
        return;
    }
    harvest_poll(service->harvest);
    tally_begin(service->desk, service->baseline ? service->baseline->baseline.epoch_ms : 0, fd);
}

static void rings_add(struct service *service)
{
    uint16_t slot;
    int fd;
    for (unsigned n = 0; (fd = child_map_nth(&service->child, "events", n, &slot)) >= 0; n++) {
        struct ring *ring = ring_map(fd);
        if (!ring) die_errno("the ring of slot %u cannot be mapped", slot);
        harvest_add_ring(service->harvest, ring, slot);
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
    service->custody = custody_new(child->loop, service->harvest, folder);
    service->curators = curator_desk_new(child->loop, service->harvest, service->custody);
    service->redeemers = redeem_desk_new(child->loop, service->curators, service->custody, service->harvest);
    if (!ticket_key_open(service->folder, true, &service->key)) return;
    char room[TICKET_SIZE]; /* what OpenSSL opens when it is first used is out of reach later */
    ticket_print(&service->key, &(struct ticket){ 0 }, room);
    curator_desk_set_key(service->curators, &service->key);
}

static const struct child_events events = { .peers = peers,
                                            .on_config = on_config,
                                            .on_stop = on_stop,
                                            .on_status = on_status,
                                            .on_health = on_health,
                                            .on_client = on_client };

int main(int argc, char **argv)
{
    static struct service service = { .magic = SERVICE_MAGIC };
    child_start(&service.child, PROCESS_LEDGER, argc, argv);
    folder_find(&service, "ledger", service.folder);
    int counters = child_map_fd(&service.child, "counters", NULL);
    if (counters >= 0) service.baseline = counters_map(counters, COUNTERS_SLOT_BASELINE, false);
    if (counters >= 0) service.page = counters_map(counters, COUNTERS_SLOT_LEDGER, true);
    service.harvest = harvest_new(service.child.loop, service.folder);
    service.exchange = exchange_new(service.child.loop, service.child.config);
    harvest_set_exchange(service.harvest, service.exchange);
    steady_begin(&service.steady, child_folder_fd(&service.child, "ledger"), "clock", NULL,
                 loop_wall_ms(service.child.loop), loop_boot_ms(service.child.loop));
    harvest_set_steady(service.harvest, &service.steady);
    rings_add(&service);
    service.desk = tally_desk_new(service.child.loop, service.harvest);
    umask(0077); /* the group may reach the control socket, not the records */
    quarantine_begin(&service);
    const char *const folders[] = { service.folder, service.quarantine_path, NULL };
    tzset(); /* sums are kept by local time; its file is out of reach later */
    if (!child_jail(&service.child, JAIL_FILES | JAIL_SHORTEN | JAIL_BODIES, folders, NULL)) return EX_OSERR;
    on_config(&service, service.child.config);
    harvest_start(service.harvest);
    service.second = timer_new(service.child.loop, page_write, &service);
    if (service.page) page_write(&service);
    int code = child_run(&service.child, &events, &service);
    if (service.child.is_stopping) service_end(&service);
    log_flush();
    return code;
}
