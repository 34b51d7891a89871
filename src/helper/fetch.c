/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Two jobs. freshclam replaces files in signatures/clamav by itself. The command of the second set writes to
   signatures/also.new; what it leaves is loaded by `scan try`, then changes places with signatures/also. */
#include "helper/fetch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/context.h"
#include "base/date.h"
#include "base/file.h"
#include "base/log.h"
#include "config/signatures.h"
#include "helper/fetch_schedule.h"
#include "helper/program.h"
#include "helper/same_files.h"

enum {
    FETCH_LIMIT_MS = 30 * 60 * 1000,
    TRY_LIMIT_MS = 3 * 60 * 1000,
    LOOK_MS = 60 * 1000,
    RECORDS_BYTES_MOST = 1000,
    VARIABLES_MOST = 3
};

static const char RECORDS[] = "fetched", CONFIGURATION[] = "freshclam.conf";

enum job_kind { JOB_CLAMAV, JOB_ALSO, JOBS };
static const char *const names[JOBS] = { "clamav", "also" };

struct job {
    enum { JOB_MAGIC = 0x2f77b0d1 } magic;
    struct fetcher *fetcher;
    enum job_kind kind;
    struct fetch_record record;
    struct timer *timer;
    struct program *program; /* NULL: none runs */
    bool is_trying;          /* what came is being loaded */
    bool was_told_wait;      /* the server asks to come later */
    uint64_t until_ms;       /* when; 0: it has not said */
    uint64_t before;         /* the folder when it began */
    char result[160];        /* of the last run */
};

struct fetcher {
    struct child *child;
    const struct reach *reach;
    const char *scan;
    int folder; /* signatures/, borrowed */
    bool is_stopping;
    struct job jobs[JOBS];
};

/* --- records --- */

static void records_read(struct fetcher *fetcher)
{
    char room[RECORDS_BYTES_MOST + 1], *rest = room;
    int fd = openat(fetcher->folder, RECORDS, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, room, RECORDS_BYTES_MOST);
    if (fd >= 0) close(fd);
    room[length > 0 ? length : 0] = '\0';
    for (const char *line; (line = strsep(&rest, "\n")) != NULL;)
        for (int i = 0; i < JOBS; i++) fetch_record_read(names[i], line, &fetcher->jobs[i].record);
}

static void records_write(struct fetcher *fetcher)
{
    struct buffer lines = { 0 };
    for (int i = 0; i < JOBS; i++) fetch_record_print(names[i], &fetcher->jobs[i].record, &lines);
    if (!file_replace(fetcher->folder, RECORDS, buffer_text(&lines), 0640))
        log_error("signatures/%s cannot be written: %s", RECORDS, strerror(errno));
    buffer_free(&lines);
}

/* --- what is wanted --- */

static bool is_wanted(const struct config *config, enum job_kind kind)
{
    return kind == JOB_ALSO ? signatures_by_command(config) : signatures_by_freshclam(config);
}

/* Of this node and no other: its name in a number. */
static uint64_t seed_of(const struct config *config)
{
    uint64_t seed = config->node.number;
    for (size_t i = 0; i < config->hostname.length; i++)
        seed = seed * 1000003 + (uint8_t)config->hostname.at[i];
    return seed;
}

static uint64_t job_due_ms(const struct job *job, uint64_t now_ms)
{
    const struct config *config = job->fetcher->child->config;
    uint64_t every_ms = job->kind == JOB_ALSO ? config->virus.also_ms : config->virus.update_ms;
    return fetch_due_ms(&job->record, every_ms, now_ms, seed_of(config));
}

static void job_plan(struct job *job)
{
    uint64_t now_ms = loop_wall_ms(job->fetcher->child->loop);
    timer_clear(job->timer);
    if (job->program || job->fetcher->is_stopping || !is_wanted(job->fetcher->child->config, job->kind))
        return;
    uint64_t wait_ms = job_due_ms(job, now_ms) - now_ms;
    timer_set(job->timer, wait_ms < LOOK_MS ? wait_ms : LOOK_MS); /* the wall clock may be set */
}

/* --- folders --- */

static void folder_make(struct fetcher *fetcher, const char *name)
{
    if (mkdirat(fetcher->folder, name, 0750) != 0 && errno != EEXIST)
        log_error("signatures/%s cannot be made: %s", name, strerror(errno));
}

/* Files of one folder, and the folder: what freshclam leaves when it is killed has no more. */
static void left_over_remove(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *files = fd < 0 ? NULL : fdopendir(fd);
    for (const struct dirent *entry; files && (entry = readdir(files));)
        if (entry->d_type != DT_DIR) unlinkat(fd, entry->d_name, 0);
    if (files) closedir(files);
    unlinkat(parent, name, AT_REMOVEDIR);
}

static void left_overs_remove(struct fetcher *fetcher)
{
    int fd = openat(fetcher->folder, names[JOB_CLAMAV], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    for (const struct dirent *entry; entries && (entry = readdir(entries));)
        if (text_starts(text_of(entry->d_name), TEXT("tmp."))) left_over_remove(fd, entry->d_name);
    if (entries) closedir(entries);
}

/* --- freshclam's own file --- */

static void servers_write(struct text from, struct buffer *out)
{
    char *url = memory_string(from);
    if (from.length == 0)
        buffer_printf(out, "DatabaseMirror database.clamav.net\n");
    else if (signatures_is_file(url))
        buffer_printf(out,
                      "DatabaseMirror http://127.0.0.1:9\nDatabaseCustomURL %s\nExcludeDatabase main\n"
                      "ExcludeDatabase daily\nExcludeDatabase bytecode\n",
                      url);
    else
        buffer_printf(out, "PrivateMirror %s\n", url);
    free(url);
}

/* Trying a set by loading it takes as much memory again, so a frugal node has none of that. */
static bool configuration_write(struct fetcher *fetcher)
{
    const struct config *config = fetcher->child->config;
    struct buffer lines = { 0 };
    buffer_printf(&lines,
                  "# Written by sekimori before each run.\nDatabaseDirectory %.*s\nDatabaseOwner root\n",
                  TEXT_ARG(config->virus.fetched));
    servers_write(config->virus.update_from, &lines);
    buffer_printf(&lines, "ConnectTimeout 30\nMaxAttempts 3\nForeground yes\nTestDatabases %s\n",
                  config->virus.is_frugal ? "no" : "yes");
    bool is_written = file_replace(fetcher->folder, CONFIGURATION, buffer_text(&lines), 0640);
    if (!is_written) log_error("signatures/%s cannot be written: %s", CONFIGURATION, strerror(errno));
    buffer_free(&lines);
    return is_written;
}

/* --- runs --- */

static void job_ended(void *context, const struct program_end *end);

static void job_said(void *context, struct text line)
{
    struct job *job = CONTEXT(context, struct job, JOB_MAGIC);
    if (job->kind == JOB_CLAMAV && fetch_line_until(line, &job->until_ms)) job->was_told_wait = true;
}

static struct program *job_start(struct job *job, const char *name, const struct text_list *command,
                                 const struct jail_paths *paths, uint64_t limit_ms)
{
    struct fetcher *fetcher = job->fetcher;
    const char *path = getenv("PATH");
    struct arena *arena = arena_new(0);
    char *variables[VARIABLES_MOST] = {
        (char *)arena_printf(arena, "PATH=%s", path ? path : "/usr/local/bin:/usr/bin:/bin").at,
        (char *)arena_printf(arena, "SEKIMORI_FOLDER=%.*s/signatures/also.new",
                             TEXT_ARG(fetcher->child->config->state))
            .at,
    };
    struct program *program = program_start(
        fetcher->child->loop, &(struct program_order){ .name = name,
                                                       .command = command,
                                                       .environment = variables,
                                                       .paths = fetcher->reach->arena ? paths : NULL,
                                                       .limit_ms = limit_ms,
                                                       .said = job_said,
                                                       .ended = job_ended,
                                                       .context = job });
    arena_free(arena);
    return program;
}

static struct program *freshclam_start(struct job *job)
{
    struct fetcher *fetcher = job->fetcher;
    const struct config *config = fetcher->child->config;
    struct arena *arena = arena_new(0);
    struct text words[] = { config->virus.update_with,
                            arena_printf(arena, "--config-file=%.*s/signatures/%s", TEXT_ARG(config->state),
                                         CONFIGURATION),
                            TEXT("--stdout"), TEXT("--no-dns") };
    struct text_list command = { words, config->virus.update_from.length ? 4 : 3 };
    folder_make(fetcher, names[JOB_CLAMAV]);
    left_overs_remove(fetcher);
    struct program *program = NULL;
    if (configuration_write(fetcher))
        program = job_start(job, "freshclam", &command, &fetcher->reach->fetches, FETCH_LIMIT_MS);
    arena_free(arena);
    return program;
}

static struct program *command_start(struct job *job)
{
    folder_make(job->fetcher, "also");
    folder_make(job->fetcher, "also.new");
    return job_start(job, "second set", &job->fetcher->child->config->virus.also_command,
                     &job->fetcher->reach->second, FETCH_LIMIT_MS);
}

static struct program *trial_start(struct job *job)
{
    struct arena *arena = arena_new(0);
    struct text words[] = { text_of(job->fetcher->scan), TEXT("try"),
                            arena_printf(arena, "%.*s/signatures/also.new",
                                         TEXT_ARG(job->fetcher->child->config->state)) };
    struct text_list command = { words, 3 };
    struct program *program =
        job_start(job, "second set, tried", &command, &job->fetcher->reach->second, TRY_LIMIT_MS);
    arena_free(arena);
    return program;
}

static uint64_t folder_now(const struct job *job)
{
    const struct config *config = job->fetcher->child->config;
    return signatures_in(job->kind == JOB_ALSO ? config->virus.also : config->virus.fetched);
}

static void job_finish(struct job *job, enum fetch_outcome outcome, const char *why)
{
    static const char *const words[FETCH_OUTCOMES] = { "updated", "nothing new",
                                                       "failed: ", "put off: ", "refused: " };
    if (outcome == FETCH_SAME && folder_now(job) != job->before) outcome = FETCH_NEW;
    bool is_good = outcome == FETCH_NEW || outcome == FETCH_SAME;
    snprintf(job->result, sizeof job->result, "%s%s", words[outcome], is_good ? "" : why);
    log_line(is_good ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "signatures of %s: %s", names[job->kind],
             job->result);
    fetch_note(&job->record, outcome, job->until_ms, loop_wall_ms(job->fetcher->child->loop));
    records_write(job->fetcher);
    job_plan(job);
}

static void job_run(void *context)
{
    struct job *job = CONTEXT(context, struct job, JOB_MAGIC);
    uint64_t now_ms = loop_wall_ms(job->fetcher->child->loop);
    if (!is_wanted(job->fetcher->child->config, job->kind) || job_due_ms(job, now_ms) > now_ms) {
        job_plan(job);
        return;
    }
    job->record.begun_ms = now_ms;
    job->before = folder_now(job);
    job->was_told_wait = false;
    job->until_ms = 0;
    records_write(job->fetcher); /* before it runs: a restart in between is no reason to come again */
    job->program = job->kind == JOB_ALSO ? command_start(job) : freshclam_start(job);
    if (!job->program) job_finish(job, FETCH_FAILED, "it could not be started");
}

/* The two folders change places, so that the command finds what it brought before. */
static void also_take(struct job *job)
{
    int folder = job->fetcher->folder;
    if (renameat2(folder, "also.new", folder, "also", RENAME_EXCHANGE) == 0 && file_sync_folder(folder, "."))
        job_finish(job, FETCH_SAME, "");
    else
        job_finish(job, FETCH_FAILED, strerror(errno));
}

static void also_ended(struct job *job, const struct program_end *end)
{
    struct buffer says = { 0 };
    bool was_trying = job->is_trying;
    job->is_trying = false;
    program_end_say(end, &says);
    if (!program_end_is_good(end)) {
        char why[120];
        snprintf(why, sizeof why, "%s %.*s", was_trying ? "what came is not taken: trying it" : "its command",
                 TEXT_ARG(buffer_text(&says)));
        job_finish(job, FETCH_FAILED, why);
    } else if (was_trying) {
        also_take(job);
    } else if (same_files(job->fetcher->folder, "also.new", "also", signatures_is_file)) {
        job_finish(job, FETCH_SAME, "");
    } else if ((job->program = trial_start(job)) != NULL) {
        job->is_trying = true;
    } else {
        job_finish(job, FETCH_FAILED, "what came could not be tried");
    }
    buffer_free(&says);
}

static void freshclam_ended(struct job *job, const struct program_end *end)
{
    struct buffer says = { 0 };
    program_end_say(end, &says);
    char *why = memory_string(buffer_text(&says));
    if (end->outcome == PROGRAM_EXITED)
        job_finish(job, fetch_outcome_of(end->number, job->was_told_wait),
                   job->was_told_wait && !end->number ? fetch_code_words(FETCH_CODE_WAIT)
                                                      : fetch_code_words(end->number));
    else
        job_finish(job, FETCH_FAILED, why);
    free(why);
    buffer_free(&says);
}

static void job_ended(void *context, const struct program_end *end)
{
    struct job *job = CONTEXT(context, struct job, JOB_MAGIC);
    job->program = NULL;
    if (job->fetcher->is_stopping) return;
    if (job->kind == JOB_ALSO)
        also_ended(job, end);
    else
        freshclam_ended(job, end);
}

/* --- life --- */

struct fetcher *fetcher_new(struct child *child, const struct reach *reach, const char *scan)
{
    struct fetcher *fetcher = memory_alloc(sizeof *fetcher);
    *fetcher = (struct fetcher){
        .child = child, .reach = reach, .scan = scan, .folder = child_folder_fd(child, "signatures")
    };
    for (int i = 0; i < JOBS; i++) {
        struct job *job = &fetcher->jobs[i];
        *job = (struct job){ .magic = JOB_MAGIC, .fetcher = fetcher, .kind = (enum job_kind)i };
        job->timer = timer_new(child->loop, job_run, job);
    }
    records_read(fetcher);
    fetcher_reload(fetcher);
    return fetcher;
}

void fetcher_reload(struct fetcher *fetcher)
{
    for (int i = 0; i < JOBS; i++) job_plan(&fetcher->jobs[i]);
}

void fetcher_stop(struct fetcher *fetcher)
{
    fetcher->is_stopping = true;
    for (int i = 0; i < JOBS; i++) {
        timer_clear(fetcher->jobs[i].timer);
        if (fetcher->jobs[i].program) program_hurry(fetcher->jobs[i].program, 0);
    }
}

void fetcher_status(const struct fetcher *fetcher, struct buffer *out)
{
    for (int i = 0; i < JOBS; i++) {
        const struct job *job = &fetcher->jobs[i];
        char name[40], time[DATE_SIZE];
        if (!is_wanted(fetcher->child->config, job->kind)) continue;
        snprintf(name, sizeof name, "signatures of %s", names[i]);
        const char *result = job->program     ? "being fetched"
                             : job->result[0] ? job->result
                                              : "not fetched yet";
        if (job->record.begun_ms)
            child_status_add(out, name, "%s; begun %s", result, date_print_iso(job->record.begun_ms, time));
        else
            child_status_add(out, name, "%s", result);
    }
}

void fetcher_health(const struct fetcher *fetcher, struct health_facts *out)
{
    uint64_t now_ms = loop_wall_ms(fetcher->child->loop), since_ms = 0;
    for (int i = 0; i < JOBS; i++) {
        uint64_t failing_ms = fetcher->jobs[i].record.failing_ms;
        if (!failing_ms || !is_wanted(fetcher->child->config, fetcher->jobs[i].kind)) continue;
        if (!since_ms || failing_ms < since_ms) since_ms = failing_ms;
    }
    if (since_ms && since_ms < now_ms) health_know(out, HEALTH_UPDATE_FAILING_S, (now_ms - since_ms) / 1000);
}
