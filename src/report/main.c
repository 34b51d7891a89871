/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* report: reads the ledger, writes the nightly report and alarms, and hands them to queue like any mail. Only
   this program draws. Nobody waits for it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/context.h"
#include "base/die.h"
#include "base/file.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "mail/likeness.h"
#include "report/daily/changes.h"
#include "report/missed/campaign_report.h"
#include "report/service.h"

enum { CLOCK_MS = 10 * 1000, FIRST_LOOK_MS = 2000, PATHS_MOST = 12 };

static void path_of(int fd, char *room, size_t size)
{
    if (!file_path_of(fd, room, size)) die_errno("a folder has no path");
}

static int folder_of(struct service *service, const char *name)
{
    int fd = child_folder_fd(&service->child, name);
    if (fd < 0) die("report was given no folder %s", name);
    return fd;
}

static void countries_load(struct service *service)
{
    const char *why;
    struct text path = service->child.config->report.countries;
    if (!path.length) return;
    char *name = memory_string(path);
    service->countries = country_open(name, &why);
    if (!service->countries) log_warning("%s: %s: sources of storms stay without a country", name, why);
    free(name);
}

static void clock_ticks(void *context)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    missed_spam_take(service);
    report_job_nightly(service);
    digest_job_look(service);
    report_job_alarms(service);
    report_job_accounts(service);
    timer_set(service->clock, CLOCK_MS);
}

static void night_goes_on(void *context)
{
    report_job_nightly(CONTEXT(context, struct service, SERVICE_MAGIC));
}

static void mail_goes_on(void *context)
{
    digest_job_look(CONTEXT(context, struct service, SERVICE_MAGIC));
}

static void queue_open(void *context, uint16_t index, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    submission_set_queue(service->submission, fd);
}

static void ledger_open(void *context, uint16_t index, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    inbox_set_ledger(service->inbox, fd);
}

static void scan_open(void *context, uint16_t index, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    inbox_set_scan(service->inbox, fd);
}

static void lookup_open(void *context, uint16_t index, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    inbox_set_lookup(service->inbox, fd);
}

static void alert_hear(void *context, const struct alert *alert)
{
    report_job_alert(CONTEXT(context, struct service, SERVICE_MAGIC), alert);
}

static void helper_open(void *context, uint16_t index, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    hooks_set_helper(service->hooks, fd);
}

static const struct child_peer peers[] = {
    { PROCESS_QUEUE, queue_open }, { PROCESS_LEDGER, ledger_open }, { PROCESS_HELPER, helper_open },
    { PROCESS_SCAN, scan_open },   { PROCESS_LOOKUP, lookup_open }, { 0 },
};

static void on_config(void *context, const struct config *old)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    changes_note(service->folder, service->child.config, loop_wall_ms(service->child.loop));
    if (!text_equal(old->report.countries, service->child.config->report.countries))
        log_warning("report countries takes effect at the next start");
}

static void on_status(void *context, struct buffer *out)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    unsigned raised = 0;
    for (int i = 0; i < FACT_COUNT; i++) raised += service->alarms[i].is_raised;
    child_status_add(out, "reports", "%llu", (unsigned long long)service->reports);
    child_status_add(out, "last day reported", "%u", service->nightly.done_day);
    child_status_add(out, "digests", "%llu", (unsigned long long)service->digests);
    struct inbox_facts facts = inbox_facts(service->inbox);
    child_status_add(out, "told as missed by mail", "%llu", (unsigned long long)facts.reported);
    child_status_add(out, "released by mail", "%llu", (unsigned long long)facts.released);
    child_status_add(out, "not released by mail", "%llu", (unsigned long long)facts.not_released);
    child_status_add(out, "alarm mails", "%llu", (unsigned long long)service->alarm_mails);
    child_status_add(out, "alarms raised", "%u", raised);
    if (!service->child.config->alarm.hook.count) return;
    struct hooks_counts hooks = hooks_counts(service->hooks);
    child_status_add(out, "alarm hooks", "%llu", (unsigned long long)(hooks.good + hooks.bad));
    child_status_add(out, "alarm hooks that failed", "%llu", (unsigned long long)hooks.bad);
}

static void on_client(void *context, const struct commander *commander, struct text command, int fd)
{
    report_command_serve(CONTEXT(context, struct service, SERVICE_MAGIC), command, fd);
}

static const struct child_events events = {
    .peers = peers, .on_config = on_config, .on_status = on_status, .on_client = on_client
};

/* Fonts are opened when a character first needs them, signature files looked at each minute: both only read.
 */
static bool jail_close(struct service *service)
{
    char report[4000], learn[4000];
    path_of(service->folder, report, sizeof report);
    path_of(service->learn_folder, learn, sizeof learn);
    char *database = memory_string(service->child.config->virus.fetched);
    const char *const folders[] = { report, learn, NULL };
    const char *const readable[PATHS_MOST] = {
        "/usr/share/fonts",      "/usr/local/share/fonts", "/etc/fonts", "/usr/share/fontconfig",
        "/var/cache/fontconfig", service->ledger_path,     database
    };
    bool is_good = child_jail(&service->child, JAIL_FILES | JAIL_BODIES | JAIL_THREADS, folders, readable);
    free(database);
    return is_good;
}

int main(int argc, char **argv)
{
    static struct service service = { .magic = SERVICE_MAGIC };
    child_start(&service.child, PROCESS_REPORT, argc, argv);
    service.folder = folder_of(&service, "report");
    service.learn_folder = folder_of(&service, "learn");
    path_of(folder_of(&service, "ledger"), service.ledger_path, sizeof service.ledger_path);
    service.counters_fd = child_map_take(&service.child, "counters", 0);
    int health = child_map_fd(&service.child, "health", NULL);
    if (health >= 0) service.health = health_page_map(health, false);
    int ring = child_map_fd(&service.child, "events", NULL);
    if (ring >= 0) service.events = ring_map(ring);
    tzset();
    countries_load(&service);
    char room[TICKET_SIZE]; /* what OpenSSL opens when it is first used is out of reach later */
    ticket_print(&(struct ticket_key){ 0 }, &(struct ticket){ 0 }, room);
    likeness_hex(TEXT_NONE, (char[DIGEST_HEX_SIZE]){ 0 });
    campaign_report_prepare();
    if (!jail_close(&service)) return EX_OSERR;
    service.submission = submission_new(service.child.loop, service.child.config->node.number,
                                        counters_epoch_ms(service.counters_fd));
    submission_hear_alerts(service.submission, (struct submission_alerts){ alert_hear, &service });
    service.inbox = inbox_new(&service);
    service.hooks = hooks_new(service.child.loop);
    service.clock = timer_new(service.child.loop, clock_ticks, &service);
    service.mail = timer_new(service.child.loop, mail_goes_on, &service);
    service.night = timer_new(service.child.loop, night_goes_on, &service);
    nightly_read(service.folder, &service.nightly);
    digest_mailing_read(service.folder, &service.mailing);
    alarms_read(service.folder, service.alarms);
    accounts_read(service.folder, &service.accounts);
    changes_note(service.folder, service.child.config, loop_wall_ms(service.child.loop));
    report_job_accounts(&service);
    timer_set(service.clock, FIRST_LOOK_MS);
    return child_run(&service.child, &events, &service);
}
