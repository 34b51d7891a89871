/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* scan: judges messages. Here: identity, warden, jail, peers, run. The work is done by workers (worker.c),
   which the dispatcher (dispatcher.c) gets from a fork server (fork_server.c). */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/context.h"
#include "base/die.h"
#include "base/sandbox.h"
#include "ipc/campaign_table.h"
#include "ipc/entry_page.h"
#include "ipc/fingerprint_page.h"
#include "ipc/learned_page.h"
#include "ipc/voucher.h"
#include "scan/dispatcher.h"
#include "scan/fork_server.h"
#include "virus/clamav.h"

struct service {
    enum { SERVICE_MAGIC = 0x729a57b1 } magic;
    struct child child;
    struct dispatcher *dispatcher;
};

static void receive_open(void *context, uint16_t index, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    dispatcher_add_receiver(service->dispatcher, fd);
}

static void signer_open(void *context, uint16_t index, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    dispatcher_connect_signer(service->dispatcher, fd);
}

static void open_open(void *context, uint16_t index, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    dispatcher_connect_open(service->dispatcher, fd);
}

static void keeper_open(void *context, uint16_t index, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    dispatcher_add_keeper(service->dispatcher, fd);
}

static const struct child_peer peers[] = { { PROCESS_RECEIVE, receive_open },
                                           { PROCESS_SIGNER, signer_open },
                                           { PROCESS_OPEN, open_open },
                                           { PROCESS_LEDGER, keeper_open },
                                           { PROCESS_QUEUE, keeper_open },
                                           { PROCESS_REPORT, keeper_open },
                                           { 0 } };

static void on_config(void *context, const struct config *old)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    (void)old;
    dispatcher_reload(service->dispatcher);
}

static void on_stop(void *context, uint32_t within_ms)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    dispatcher_stop(service->dispatcher, within_ms);
}

static void on_log(void *context, enum master_log which, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    dispatcher_log(service->dispatcher, which, fd);
}

static void on_status(void *context, struct buffer *out)
{
    const struct service *service = CONTEXT(context, const struct service, SERVICE_MAGIC);
    dispatcher_status(service->dispatcher, out);
}

static void on_health(void *context, struct health_facts *out)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    dispatcher_health(service->dispatcher, out);
}

/* Libraries open files when they are first used: that has to be before the jail. */
static uint32_t warm_up(void)
{
    uint8_t digest[DIGEST_BYTES];
    digest_sha256(TEXT("warm"), digest);
    tzset();
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (uint32_t)cores : 1;
}

static void trial_say(void *context, const char *file, const char *what)
{
    printf("%s: %s\n", file, what);
}

/* `scan try FOLDER`: loads the signatures of a folder as a fork server would, says what cannot be taken, and
   ends: 0 they are good. Called by helper and by `sekimori check`, as a process of its own with a time limit.
 */
static int try_main(const char *folder)
{
    bool is_good = clamav_try(folder, trial_say, NULL);
    return is_good ? EX_OK : EX_DATAERR;
}

int main(int argc, char **argv)
{
    static struct service service = { .magic = SERVICE_MAGIC };
    static const struct child_events events = { .peers = peers,
                                                .on_config = on_config,
                                                .on_stop = on_stop,
                                                .on_log = on_log,
                                                .on_status = on_status,
                                                .on_health = on_health };
    if (argc == 3 && strcmp(argv[1], "try") == 0) return try_main(argv[2]);
    child_start(&service.child, PROCESS_SCAN, argc, argv);
    uint32_t core_count = warm_up();
    pid_t warden_pid;
    int page = child_map_fd(&service.child, "lists", NULL);
    int learned_fd = child_map_fd(&service.child, "learned", NULL);
    struct fingerprint_page *lists = page < 0 ? NULL : fingerprint_page_map(page, false);
    struct learned_page *learned = learned_fd < 0 ? NULL : learned_page_map(learned_fd, false);
    int approved_fd = child_map_fd(&service.child, "approved", NULL);
    struct fingerprint_page *approved = approved_fd < 0 ? NULL : fingerprint_page_map(approved_fd, false);
    int entries_fd = child_map_fd(&service.child, "entries", NULL);
    struct entry_page *entries = entries_fd < 0 ? NULL : entry_page_map(entries_fd, false);
    int campaigns_fd = child_map_fd(&service.child, "campaigns", NULL);
    void *campaigns = campaigns_fd < 0
                          ? MAP_FAILED
                          : mmap(NULL, CAMPAIGN_FILE_BYTES, PROT_READ, MAP_SHARED, campaigns_fd, 0);
    const struct worker_pages pages = { lists, approved, entries, learned,
                                        campaigns == MAP_FAILED ? NULL : campaign_table_read(campaigns) };
    int warden = fork_server_warden_start(&service.child, &pages, &warden_pid);
    fingerprint_page_unmap(lists); /* workers have all of them from the warden */
    fingerprint_page_unmap(approved);
    entry_page_unmap(entries);
    learned_page_unmap(learned);
    if (campaigns != MAP_FAILED) munmap(campaigns, CAMPAIGN_FILE_BYTES);
    struct digest_key *key = voucher_key_read(&service.child); /* no child has it */
    if (!child_jail(&service.child, JAIL_BODIES, NULL, NULL)) die("the jail cannot be entered");
    service.dispatcher = dispatcher_new(&service.child, warden, warden_pid, key, core_count);
    return child_run(&service.child, &events, &service);
}
