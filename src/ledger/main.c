/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* ledger: the only writer of the ledger database. Reads every process's ring of events; asks nobody, and
   nobody waits for it. */
#include <stdio.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/die.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "ipc/child.h"
#include "ipc/counters.h"
#include "ledger/tally.h"

enum { PATH_SIZE = 4000 };

struct service {
    struct child child;
    struct harvest *harvest;
    struct tally_desk *desk;
    const struct counters_slot *baseline; /* NULL: everything since ever */
    char folder[PATH_SIZE];
};

static void on_peer(void *context, enum process_kind kind, uint16_t index, int fd)
{
    log_error("%s %u: ledger has no peers", process_name(kind), index);
    close(fd);
}

/* The others are gone by now, so what is in the rings is all there will be. */
static void on_stop(void *context, uint32_t within_ms)
{
    struct service *service = context;
    while (harvest_poll(service->harvest)) continue;
    tally_desk_free(service->desk);
    harvest_free(service->harvest);
    child_exit(&service->child, EX_OK);
}

static const char *database_state(const struct harvest_counts *counts, const struct database *database)
{
    if (counts->is_newer) return "made by a newer version";
    return counts->is_failing || !database ? "cannot be written" : "good";
}

static void on_config(void *context, const struct config *old)
{
    struct service *service = context;
    harvest_set_config(service->harvest, service->child.config, service->baseline);
}

static void on_status(void *context, struct buffer *out)
{
    struct service *service = context;
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
    child_status_add(out, "database", "%s", database_state(&counts, database));
    child_status_add(out, "database bytes", "%llu",
                     database ? (unsigned long long)database_bytes(database) : 0ull);
}

static void on_client(void *context, const struct commander *commander, struct text command, int fd)
{
    struct service *service = context;
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

static void folder_find(struct service *service)
{
    char link[64];
    int fd = child_folder_fd(&service->child, "ledger");
    if (fd < 0) die("ledger was given no folder");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, service->folder, sizeof service->folder - 1);
    if (length <= 0) die_errno("the ledger folder has no path");
    service->folder[length] = '\0';
}

static const struct child_events events = { .on_peer = on_peer,
                                            .on_config = on_config,
                                            .on_stop = on_stop,
                                            .on_status = on_status,
                                            .on_client = on_client };

int main(int argc, char **argv)
{
    static struct service service;
    child_start(&service.child, PROCESS_LEDGER, argc, argv);
    folder_find(&service);
    int counters = child_map_fd(&service.child, "counters", NULL);
    if (counters >= 0) service.baseline = counters_map(counters, COUNTERS_SLOT_BASELINE, false);
    service.harvest = harvest_new(service.child.loop, service.folder);
    rings_add(&service);
    service.desk = tally_desk_new(service.child.loop, service.harvest);
    const char *const folders[] = { service.folder, NULL };
    tzset(); /* sums are kept by local time; its file is out of reach later */
    if (service.child.config->processes.jail && !jail_enter("ledger", JAIL_FILES, folders)) return EX_OSERR;
    harvest_set_config(service.harvest, service.child.config, service.baseline);
    harvest_start(service.harvest);
    return child_run(&service.child, &events, &service);
}
