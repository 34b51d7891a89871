/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* helper: the only process that starts programs, those that the configuration names and no others. Alarm
   hooks, one after the other, so that "over" never comes before "raised"; beside them what fetches signatures
   (fetch.c). Nobody waits for it. */
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/context.h"
#include "base/date.h"
#include "base/json_text.h"
#include "base/log.h"
#include "base/plain.h"
#include "base/sandbox.h"
#include "config/executable.h"
#include "helper/fetch.h"
#include "helper/program.h"
#include "helper/reach.h"
#include "ipc/child.h"

enum { LINE_MOST = 64, VARIABLES_MOST = 8, STOP_SPARE_MS = 500 };

struct waiting {
    STAILQ_ENTRY(waiting) line;
    uint64_t id;
    struct channel *asker; /* NULL: it has gone */
    struct buffer frame;
};

struct service {
    enum { SERVICE_MAGIC = 0x750799e2 } magic;
    struct child child;
    struct channel *report;                  /* NULL while it is being restarted */
    STAILQ_HEAD(waiting_line, waiting) line; /* the first is the one that runs, if one does */
    size_t count;
    struct program *program; /* NULL: none runs */
    struct fetcher *fetcher;
    char scan[PATH_MAX]; /* the program that tries signatures */
    struct reach reach;  /* what the jail of this process allows; without an arena: there is no jail */
    bool is_outgrown;    /* a reload has a hook that needs more: we end, and start anew with that */
    uint64_t run, failed, lost;
    char trouble[120]; /* of the last one that failed */
};

/* --- what the program is told --- */

static void json_member(struct buffer *out, const char *name, struct text value)
{
    buffer_printf(out, ",\"%s\":", name);
    json_text_add(out, value);
}

static void json_print(const struct config *config, const struct alarm_notice *notice, struct buffer *out)
{
    char time[DATE_SIZE];
    bool is_japanese = config->report.language == LANGUAGE_JA;
    buffer_printf(out, "{\"node\":%u", config->node.number);
    json_member(out, "host", config->hostname);
    json_member(out, "time", text_of(date_print_iso(notice->time_ms, time)));
    json_member(out, "alarm", notice->alarm);
    json_member(out, "state", text_of(alarm_state_name(notice->state)));
    json_member(out, "text", notice->english);
    json_member(out, "language", is_japanese ? TEXT("ja") : TEXT("en"));
    json_member(out, "local", notice->local);
    buffer_add_text(out, TEXT("}\n"));
}

struct environment {
    struct arena *arena;
    char *variables[VARIABLES_MOST + 1];
    size_t count;
};

static void variable_add(struct environment *environment, const char *name, struct text value)
{
    struct text pair = arena_printf(environment->arena, "%s=%.*s", name, TEXT_ARG(value));
    environment->variables[environment->count++] = arena_alloc(environment->arena, pair.length + 1);
    memcpy(environment->variables[environment->count - 1], pair.at, pair.length);
}

static void environment_make(const struct config *config, const struct alarm_notice *notice,
                             struct environment *out)
{
    char time[DATE_SIZE], node[8];
    struct buffer text = { 0 };
    const char *path = getenv("PATH");
    plain_add(&text, notice->english, 0);
    snprintf(node, sizeof node, "%u", config->node.number);
    variable_add(out, "PATH",
                 text_of(path ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
    variable_add(out, "SEKIMORI_HOST", config->hostname);
    variable_add(out, "SEKIMORI_NODE", text_of(node));
    variable_add(out, "SEKIMORI_TIME", text_of(date_print_iso(notice->time_ms, time)));
    variable_add(out, "SEKIMORI_ALARM", notice->alarm);
    variable_add(out, "SEKIMORI_STATE", text_of(alarm_state_name(notice->state)));
    variable_add(out, "SEKIMORI_TEXT", buffer_text(&text));
    buffer_free(&text);
}

/* --- the line --- */

static void hook_ended(void *context, const struct program_end *end);

static struct program *hook_start(struct service *service, const struct alarm_notice *notice)
{
    const struct config *config = service->child.config;
    struct reach reach;
    struct environment environment = { .arena = arena_new(0) };
    struct buffer json = { 0 };
    json_print(config, notice, &json);
    environment_make(config, notice, &environment);
    reach_make(config, service->scan, &reach);
    struct program *program = program_start(
        service->child.loop, &(struct program_order){ .name = "alarm hook",
                                                      .command = &config->alarm.hook,
                                                      .input = buffer_text(&json),
                                                      .environment = environment.variables,
                                                      .paths = service->reach.arena ? &reach.program : NULL,
                                                      .limit_ms = config->alarm.hook_ms,
                                                      .ended = hook_ended,
                                                      .context = service });
    buffer_free(&json);
    reach_free(&reach);
    arena_free(environment.arena);
    return program;
}

static void answer(struct service *service, struct channel *to, uint64_t id, const struct program_end *end)
{
    struct buffer says = { 0 };
    if (end->outcome != PROGRAM_REFUSED) service->run++;
    if (!program_end_is_good(end)) {
        service->failed++;
        program_end_say(end, &says);
        snprintf(service->trouble, sizeof service->trouble, "the hook %.*s", TEXT_ARG(buffer_text(&says)));
        buffer_free(&says);
    }
    if (!to) return;
    program_end_put(end, channel_begin(to, HELPER_ENDED, id));
    channel_end(to);
}

static void first_answer(struct service *service, const struct program_end *end)
{
    struct waiting *first = STAILQ_FIRST(&service->line);
    answer(service, first->asker, first->id, end);
    STAILQ_REMOVE_HEAD(&service->line, line);
    service->count--;
    buffer_free(&first->frame);
    free(first);
}

static bool is_ending(const struct service *service)
{
    return service->child.is_stopping || service->is_outgrown;
}

/* Starts the next one, unless one runs. */
static void line_look(struct service *service)
{
    struct alarm_notice notice;
    while (!service->program && !STAILQ_EMPTY(&service->line) && !is_ending(service)) {
        alarm_notice_get(buffer_text(&STAILQ_FIRST(&service->line)->frame), &notice);
        if (service->child.config->alarm.hook.count) service->program = hook_start(service, &notice);
        if (!service->program) first_answer(service, &(struct program_end){ .outcome = PROGRAM_REFUSED });
    }
}

static void hook_ended(void *context, const struct program_end *end)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    service->program = NULL;
    first_answer(service, end);
    if (is_ending(service))
        child_exit(&service->child, EX_OK);
    else
        line_look(service);
}

static void line_add(struct service *service, uint64_t id, const struct alarm_notice *notice)
{
    if (service->count == LINE_MOST) {
        log_error("alarm hook: %d wait already: the one for %.*s is not run", LINE_MOST,
                  TEXT_ARG(notice->alarm));
        service->lost++;
        answer(service, service->report, id, &(struct program_end){ .outcome = PROGRAM_REFUSED });
        return;
    }
    struct waiting *waiting = memory_alloc(sizeof *waiting);
    *waiting = (struct waiting){ .id = id, .asker = service->report };
    alarm_notice_put(notice, &waiting->frame);
    STAILQ_INSERT_TAIL(&service->line, waiting, line);
    service->count++;
}

/* --- the process --- */

static bool on_frame(void *context, struct frame *frame)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    struct alarm_notice notice;
    if (frame->type != HELPER_ALARM || !alarm_notice_get(frame->payload, &notice)) return false;
    line_add(service, frame->id, &notice);
    line_look(service);
    return true;
}

/* What it ordered is run all the same. */
static void on_closed(void *context)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    struct waiting *at;
    STAILQ_FOREACH(at, &service->line, line) at->asker = NULL;
    channel_close(service->report);
    service->report = NULL;
}

static void report_open(void *context, uint16_t index, int fd)
{
    static const struct channel_events report_events = { on_frame, on_closed };
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    if (service->report) on_closed(service);
    service->report = channel_open(service->child.loop, fd, &report_events, service);
}

static const struct child_peer peers[] = { { PROCESS_REPORT, report_open }, { 0 } };

/* Only says it: it is looked at again before each run. */
static void hook_look(const struct service *service)
{
    const struct text_list *hook = &service->child.config->alarm.hook;
    const char *why = hook->count ? executable_trouble(hook) : NULL;
    if (why) log_error("alarm hook: %.*s: %s", TEXT_ARG(hook->items[0]), why);
}

/* A jail never opens again. What waits is asked of the next helper by report. */
static void reach_look(struct service *service)
{
    struct reach now;
    if (!service->reach.arena) return;
    reach_make(service->child.config, service->scan, &now);
    service->is_outgrown = !reach_is_within(&now, &service->reach);
    reach_free(&now);
    if (!service->is_outgrown) return;
    log_info("programs may open other files than before: starting anew");
    if (!service->program) child_exit(&service->child, EX_OK);
}

static void on_config(void *context, const struct config *old)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    hook_look(service);
    fetcher_reload(service->fetcher);
    reach_look(service);
}

/* The one that runs may end, those that wait are lost. */
static void on_stop(void *context, uint32_t within_ms)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    size_t waiting = service->count - (service->program != NULL);
    fetcher_stop(service->fetcher);
    if (waiting) log_error("alarm hook: %zu that waited are not run", waiting);
    if (service->program)
        program_hurry(service->program, within_ms > STOP_SPARE_MS ? within_ms - STOP_SPARE_MS : 0);
    else
        child_exit(&service->child, EX_OK);
}

static void on_status(void *context, struct buffer *out)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    child_status_add(out, "hooks run", "%" PRIu64, service->run);
    child_status_add(out, "hooks failed", "%" PRIu64, service->failed);
    child_status_add(out, "hooks lost", "%" PRIu64, service->lost);
    child_status_add(out, "hooks waiting", "%zu", service->count);
    if (service->trouble[0]) child_status_add(out, "last trouble", "%s", service->trouble);
    fetcher_status(service->fetcher, out);
}

static void on_health(void *context, struct health_facts *out)
{
    fetcher_health(CONTEXT(context, struct service, SERVICE_MAGIC)->fetcher, out);
}

static const struct child_events events = {
    .peers = peers, .on_config = on_config, .on_stop = on_stop, .on_status = on_status, .on_health = on_health
};

/* Beside this one, as master starts it. */
static void scan_find(struct service *service, const char *self)
{
    char real[PATH_MAX];
    char *copy = memory_string(text_of(self));
    const char *folder = realpath(dirname(copy), real);
    snprintf(service->scan, sizeof service->scan, "%s/scan", folder ? folder : ".");
    free(copy);
}

int main(int argc, char **argv)
{
    static struct service service = { .magic = SERVICE_MAGIC };
    child_start(&service.child, PROCESS_HELPER, argc, argv);
    STAILQ_INIT(&service.line);
    scan_find(&service, argv[0]);
    if (service.child.config->processes.jail) reach_make(service.child.config, service.scan, &service.reach);
    if (!child_jail_paths(&service.child, JAIL_PROGRAMS, &service.reach.own)) return EX_OSERR;
    hook_look(&service);
    service.fetcher = fetcher_new(&service.child, &service.reach, service.scan);
    return child_run(&service.child, &events, &service);
}
