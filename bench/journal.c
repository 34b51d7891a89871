/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Measures the journal alone: messages a second durable with N writers in a batch, and a queue of M messages:
   how long a cold start takes and how much memory it needs.
   usage: bench-journal FOLDER [WRITERS [MESSAGES [QUEUED]]] */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "ipc/event.h"
#include "queue/journal/journal.h"
#include "queue/schedule.h"
#include "tool.h"

enum { BODY_BYTES = 4096, DOMAINS = 1000, QUEUED_BODY_BYTES = 600 };

struct bench {
    int folder;
    struct message_index *message_index;
    struct journal *journal;
    char body[BODY_BYTES];
    uint64_t last_id;
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double memory_mb(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
    if (file) fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

static void open_or_die(struct bench *bench)
{
    struct journal_found found;
    char error[200];
    bench->message_index = message_index_new(RECENT_IDS);
    struct journal_options options = { bench->folder, &disk_real, bench->message_index, 64 << 20, 0 };
    bench->journal = journal_open(&options, NULL, &found, error, sizeof error);
    if (bench->journal) return;
    fprintf(stderr, "bench-journal: %s\n", error);
    exit(1);
}

static struct message *keep(struct bench *bench, size_t size)
{
    char domain[40];
    snprintf(domain, sizeof domain, "d%llu.example.jp", (unsigned long long)(bench->last_id % DOMAINS));
    struct lead_recipient recipient = { .domain = text_of(domain) };
    struct lead lead = { .arrived_ms = 1,
                         .recipient_count = 1,
                         .recipients = &recipient,
                         .edits_count = 1,
                         .edits = { TEXT("") },
                         .envelope = TEXT("an envelope of about the size that it has in life, sixty bytes") };
    return journal_keep(bench->journal, ++bench->last_id, &lead, TEXT_NONE, text_from(bench->body, size));
}

static void commit_or_die(struct bench *bench)
{
    if (journal_commit(bench->journal) == COMMIT_DONE) return;
    fprintf(stderr, "bench-journal: %s\n", journal_error(bench->journal));
    exit(1);
}

/* Each batch keeps as many messages as there are writers and ends those of the batch before. */
static void throughput(struct bench *bench, unsigned writers, uint64_t messages)
{
    struct message **before = memory_alloc(writers * sizeof *before);
    struct changed_recipient changed = { 0, ENDING_DELIVERED, 0, 1 };
    struct change change = { .count = 1,
                             .recipients = &changed,
                             .relay = TEXT("mail.example.jp[192.0.2.1]:25"),
                             .dsn = TEXT("2.0.0"),
                             .reply = TEXT("250 2.0.0 Ok: queued as ABCDEFGHIJK") };
    open_or_die(bench);
    while (journal_tidy(bench->journal)) {
    }
    struct rusage begun_use, ended_use;
    getrusage(RUSAGE_SELF, &begun_use);
    double begun = now_s();
    for (uint64_t done = 0; done < messages; done += writers) {
        for (unsigned i = 0; i < writers; i++) {
            if (before[i]) journal_change(bench->journal, RECORD_OUTCOME, before[i], &change);
            before[i] = keep(bench, BODY_BYTES);
        }
        commit_or_die(bench);
        journal_tidy(bench->journal);
    }
    double took = now_s() - begun;
    getrusage(RUSAGE_SELF, &ended_use);
    struct journal_facts facts = journal_facts(bench->journal);
    double cpu = (double)(ended_use.ru_utime.tv_sec - begun_use.ru_utime.tv_sec) +
                 (double)(ended_use.ru_stime.tv_sec - begun_use.ru_stime.tv_sec) +
                 (double)(ended_use.ru_utime.tv_usec - begun_use.ru_utime.tv_usec) / 1e6 +
                 (double)(ended_use.ru_stime.tv_usec - begun_use.ru_stime.tv_usec) / 1e6;
    printf("writers %u: %.0f messages/s durable, %.1f us CPU each, sync %.0f us, longest %.1f ms, %llu "
           "segments recycled\n",
           writers, (double)messages / took, cpu * 1e6 / (double)messages,
           (double)facts.sync_us / (double)facts.commits, (double)facts.sync_most_us / 1000,
           (unsigned long long)facts.recycled);
    journal_close(bench->journal);
    message_index_free(bench->message_index);
    free(before);
}

/* In a process of its own, as each cold start: memory that was used before would hide what a start needs. */
static bool is_parent(void)
{
    fflush(stdout);
    pid_t child = fork();
    if (child > 0) waitpid(child, NULL, 0);
    return child != 0;
}

static void fill(struct bench *bench, uint64_t queued)
{
    if (is_parent()) return;
    open_or_die(bench);
    for (uint64_t i = 0; i < queued; i++) {
        keep(bench, QUEUED_BODY_BYTES);
        if (i % 1000 == 999) commit_or_die(bench);
    }
    commit_or_die(bench);
    _exit(0);
}

static struct schedule_route route(void *context, struct text domain)
{
    return (struct schedule_route){ 20, false };
}

static void cold_start(struct bench *bench, const char *what)
{
    if (is_parent()) return;
    double memory = memory_mb(), begun = now_s();
    open_or_die(bench);
    double read = now_s() - begun;
    struct schedule_policy policy = { 1000, 60000, 100, 100, NULL, route };
    struct schedule *schedule = schedule_new(bench->message_index, &policy, 1);
    size_t place = 0;
    for (struct message *message; (message = message_index_next(bench->message_index, &place));) {
        schedule_add(schedule, message, 1);
        schedule_watch(schedule, message, message->arrived_ms + 1000000);
    }
    printf("queue of %zu, %s: read in %.2f s, ready in %.2f s, %.0f MB, %.0f bytes a message\n",
           bench->message_index->count, what, read, now_s() - begun, memory_mb() - memory,
           (memory_mb() - memory) * 1e6 /
               (double)(bench->message_index->count ? bench->message_index->count : 1));
    fflush(stdout);
    _exit(0);
}

int main(int argc, char **argv)
{
    tool_usage(argc, argv, 1, 4,
               "bench-journal FOLDER [WRITERS [MESSAGES [QUEUED]]]   (20, 200000, 1000000)");
    static struct bench bench;
    log_open("bench", LOG_TARGET_STDERR, NULL, LOG_LEVEL_WARNING);
    unsigned writers = argc > 2 ? (unsigned)atoi(argv[2]) : 20;
    uint64_t messages = argc > 3 ? strtoull(argv[3], NULL, 10) : 200000;
    uint64_t queued = argc > 4 ? strtoull(argv[4], NULL, 10) : 1000000;
    char path[4200];
    const char *const parts[] = { "flow", "queue" };
    for (size_t i = 0; i < sizeof bench.body; i++) bench.body[i] = (char)('a' + i % 26);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", argv[1], parts[i]);
        if (mkdir(path, 0700) != 0) {
            perror(path);
            return 73;
        }
        bench.folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (i == 0 && messages) throughput(&bench, writers ? writers : 1, messages);
        if (i == 1 && queued) {
            fill(&bench, queued);
            cold_start(&bench, "last segment without an index");
            cold_start(&bench, "again, older segments by indexes");
        }
        close(bench.folder);
    }
    return 0;
}
