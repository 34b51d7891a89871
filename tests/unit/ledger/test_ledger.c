/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The ledger from ring to sums: whatever order, repetition or death the events meet, each is counted once. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "ledger/ingest.h"
#include "ledgerdb/count.h"
#include "ledgerdb/migration.h"

enum { SLOT = 5, OTHER_SLOT = 6 };

struct bench {
    char folder[64];
    struct loop *loop;
    struct ingest *ingest;
    struct ring *ring, *other; /* the writers' own mappings */
    int fd, other_fd;
};

static struct ring *ring_new(int *out_fd)
{
    *out_fd = memfd_create("ring", MFD_CLOEXEC);
    struct ring *ring = ring_map(*out_fd);
    assert_non_null(ring);
    return ring;
}

static void ingest_begin(struct bench *bench)
{
    bench->ingest = ingest_new(bench->loop, bench->folder);
    ingest_add_ring(bench->ingest, ring_map(bench->fd), SLOT);
    ingest_add_ring(bench->ingest, ring_map(bench->other_fd), OTHER_SLOT);
    ingest_start(bench->ingest);
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    snprintf(bench->folder, sizeof bench->folder, "/tmp/ledger-test-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    bench->loop = loop_new();
    bench->ring = ring_new(&bench->fd);
    bench->other = ring_new(&bench->other_fd);
    ingest_begin(bench);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    char command[128];
    ingest_free(bench->ingest);
    ring_unmap(bench->ring);
    ring_unmap(bench->other);
    close(bench->fd);
    close(bench->other_fd);
    loop_free(bench->loop);
    snprintf(command, sizeof command, "rm -r %s", bench->folder);
    assert_int_equal(system(command), 0);
    free(bench);
    return 0;
}

static bool tell_accepted(struct ring *ring, uint64_t id, uint32_t recipients, bool is_own)
{
    struct event_recipient addresses[500];
    struct buffer record = { 0 };
    struct event_accepted event = { .id = id,
                                    .time_ms = 1000 + id,
                                    .size = 4000,
                                    .is_own = is_own,
                                    .helo = TEXT("mx.example.jp"),
                                    .sender = TEXT("a@example.jp"),
                                    .recipient_count = recipients };
    bool is_told = true;
    address_parse(TEXT("192.0.2.7"), &event.client);
    for (uint32_t i = 0; i < recipients; i++)
        addresses[i] = (struct event_recipient){ .address = TEXT("somebody@example.ac.jp") };
    event.recipients = addresses;
    for (uint32_t first = 0; first < recipients && is_told;) {
        buffer_clear(&record);
        first += event_accepted_put(&event, first, &record);
        is_told = ring_append(ring, buffer_text(&record));
    }
    buffer_free(&record);
    return is_told;
}

static bool tell_ended(struct ring *ring, uint64_t id, uint32_t recipient, enum ending ending)
{
    struct buffer record = { 0 };
    struct event_ended event = { .id = id,
                                 .time_ms = 2000 + id,
                                 .recipient = recipient,
                                 .ending = ending,
                                 .dsn = TEXT("2.0.0"),
                                 .relay = TEXT("in.example.jp[192.0.2.9]:25"),
                                 .reply = TEXT("250 2.0.0 Ok: queued as 4WzP") };
    event_ended_put(&event, &record);
    bool is_told = ring_append(ring, buffer_text(&record));
    buffer_free(&record);
    return is_told;
}

static void tell_refused(struct ring *ring, uint64_t time_ms)
{
    struct buffer record = { 0 };
    struct event_refused event = { .time_ms = time_ms,
                                   .recipient = TEXT("nobody@example.jp"),
                                   .reply = TEXT("550 5.1.1 No such user") };
    address_parse(TEXT("2001:db8::1"), &event.client);
    event_refused_put(&event, &record);
    assert_true(ring_append(ring, buffer_text(&record)));
    buffer_free(&record);
}

static void stop(void *context)
{
    loop_stop(context);
}

/* Time goes on only while the loop turns. */
static void time_pass(struct bench *bench, uint64_t ms)
{
    struct timer *timer = timer_new(bench->loop, stop, bench->loop);
    timer_set(timer, ms);
    loop_run(bench->loop);
    timer_free(timer);
}

static struct count_sums sums_since(struct bench *bench, uint64_t since_ms)
{
    struct count_sums sums = { 0 };
    enum ledgerdb_outcome outcome = LEDGERDB_LATER;
    struct ingest_counts counts;
    for (int i = 0; i < 500; i++) { /* it tries again before long */
        while (ingest_poll(bench->ingest)) continue;
        ingest_counts(bench->ingest, &counts);
        if (!counts.is_failing) break;
        time_pass(bench, 50);
    }
    assert_false(counts.is_failing);
    struct count *count = count_begin(ingest_database(bench->ingest), since_ms);
    assert_non_null(count);
    while (!count_step(count, 3, &sums, &outcome)) continue;
    assert_int_equal(outcome, LEDGERDB_DONE);
    count_end(count);
    return sums;
}

/* One number out of the database, asked by the sqlite3 library's own user: another process. */
static long row_count(struct bench *bench, const char *table)
{
    char command[256], line[64] = "";
    snprintf(command, sizeof command,
             "/usr/bin/python3 -c \"import sqlite3; print(sqlite3.connect('%s/ledger.db')"
             ".execute('select count(*) from %s').fetchone()[0])\"",
             bench->folder, table);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(line, sizeof line, pipe));
    pclose(pipe);
    return strtol(line, NULL, 10);
}

struct step {
    char ring; /* 'a', 'b': which process tells */
    char what; /* 'A' accepted, 'O' accepted and own, 'E' ended, 'p' poll */
    uint64_t id;
    uint32_t number; /* recipients, or the recipient's number */
    enum ending ending;
};

static const struct row {
    const char *name;
    struct step steps[8];
    struct count_sums wanted;
} rows[] = {
    { "one message, one ending",
      { { 'a', 'A', 1, 1 }, { 'b', 'E', 1, 0, ENDING_DELIVERED } },
      { .accepted = 1, .ended = { [ENDING_DELIVERED] = 1 } } },
    { "the ending first, in the same batch",
      { { 'a', 'E', 1, 0, ENDING_DELIVERED }, { 'b', 'A', 1, 1 } },
      { .accepted = 1, .ended = { [ENDING_DELIVERED] = 1 } } },
    { "the ending first, a batch earlier",
      { { 'b', 'E', 1, 0, ENDING_RETURNED }, { 'a', 'p' }, { 'a', 'A', 1, 1 } },
      { .accepted = 1, .ended = { [ENDING_RETURNED] = 1 } } },
    { "an ending whose acceptance nobody told",
      { { 'b', 'E', 1, 0, ENDING_DELIVERED } },
      { .unmatched = 1, .ended = { [ENDING_DELIVERED] = 1 } } },
    { "everything twice",
      { { 'a', 'A', 1, 2 },
        { 'a', 'A', 1, 2 },
        { 'b', 'E', 1, 0, ENDING_DELIVERED },
        { 'a', 'p' },
        { 'b', 'E', 1, 0, ENDING_DELIVERED },
        { 'a', 'A', 1, 2 } },
      { .accepted = 2, .live = 1, .ended = { [ENDING_DELIVERED] = 1 } } },
    { "a second, other ending changes nothing",
      { { 'a', 'A', 1, 1 }, { 'b', 'E', 1, 0, ENDING_DELIVERED }, { 'b', 'E', 1, 0, ENDING_RETURNED } },
      { .accepted = 1, .ended = { [ENDING_DELIVERED] = 1 } } },
    { "own messages are counted apart",
      { { 'a', 'A', 1, 1 }, { 'b', 'O', 2, 1 }, { 'b', 'E', 2, 0, ENDING_REMOVED } },
      { .accepted = 1, .own = 1, .live = 1, .ended = { [ENDING_REMOVED] = 1 } } },
    { "recipients over several records",
      { { 'a', 'A', 1, 500 }, { 'b', 'E', 1, 499, ENDING_DISCARDED } },
      { .accepted = 500, .live = 499, .ended = { [ENDING_DISCARDED] = 1 } } },
};

static void step_do(struct bench *bench, const struct step *step)
{
    struct ring *ring = step->ring == 'a' ? bench->ring : bench->other;
    if (step->what == 'p') ingest_poll(bench->ingest);
    if (step->what == 'A') assert_true(tell_accepted(ring, step->id, step->number, false));
    if (step->what == 'O') assert_true(tell_accepted(ring, step->id, step->number, true));
    if (step->what == 'E') assert_true(tell_ended(ring, step->id, step->number, step->ending));
}

static void test_rows(void **state)
{
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        void *fresh = NULL;
        set_up(&fresh);
        for (size_t s = 0; s < 8 && rows[r].steps[s].what; s++) step_do(fresh, &rows[r].steps[s]);
        struct count_sums sums = sums_since(fresh, 0);
        if (memcmp(&sums, &rows[r].wanted, sizeof sums) != 0)
            fail_msg("%s: accepted %lu own %lu live %lu unmatched %lu delivered %lu", rows[r].name,
                     sums.accepted, sums.own, sums.live, sums.unmatched, sums.ended[ENDING_DELIVERED]);
        tear_down(&fresh);
    }
}

static void test_since(void **state)
{
    struct bench *bench = *state;
    tell_accepted(bench->ring, 1, 1, false);          /* at 1001 */
    tell_accepted(bench->ring, 500, 1, false);        /* at 1500 */
    tell_ended(bench->other, 1, 0, ENDING_DELIVERED); /* at 2001 */
    struct count_sums sums = sums_since(bench, 1200);
    assert_int_equal(sums.accepted, 1);
    assert_int_equal(sums.ended[ENDING_DELIVERED], 1); /* ended since, though accepted before */
    assert_int_equal(sums.live, 1);
}

/* A ledger that dies between commit and release finds the same events again. */
static void test_told_again(void **state)
{
    struct bench *bench = *state;
    uint64_t tail = ring_tail(bench->ring);
    tell_accepted(bench->ring, 1, 3, false);
    tell_ended(bench->ring, 1, 2, ENDING_DELIVERED);
    for (uint64_t i = 0; i < 3; i++) tell_refused(bench->ring, 77);
    ingest_poll(bench->ingest);
    assert_int_not_equal(ring_tail(bench->ring), tail);
    ingest_free(bench->ingest);
    ring_release(bench->ring, tail);
    ingest_begin(bench);
    struct count_sums sums = sums_since(bench, 0);
    assert_int_equal(sums.accepted, 3);
    assert_int_equal(sums.ended[ENDING_DELIVERED], 1);
    assert_int_equal(row_count(bench, "refusal"), 3);
    assert_int_equal(row_count(bench, "message"), 1);
}

static _Noreturn void poll_for_ever(struct bench *bench)
{
    ingest_free(bench->ingest);
    ingest_begin(bench);
    for (;;) ingest_poll(bench->ingest);
}

static void test_killed_at_any_moment(void **state)
{
    struct bench *bench = *state;
    uint64_t id = 0, refusals = 0;
    for (int round = 0; round < 20; round++) {
        pid_t reader = fork();
        if (reader == 0) poll_for_ever(bench);
        uint64_t until = id + 150 + (uint64_t)(rand() % 100);
        while (id < until) {
            id++;
            while (!tell_accepted(bench->ring, id, 1, false)) usleep(100);
            while (!tell_ended(bench->other, id, 0, ENDING_DELIVERED)) usleep(100);
            if (id % 10 == 0) tell_refused(bench->ring, 9000 + refusals++);
        }
        usleep((useconds_t)(rand() % 3000));
        kill(reader, SIGKILL);
        waitpid(reader, NULL, 0);
    }
    ingest_free(bench->ingest);
    ingest_begin(bench);
    struct count_sums sums = sums_since(bench, 0);
    assert_int_equal(sums.accepted, id);
    assert_int_equal(sums.ended[ENDING_DELIVERED], id);
    assert_int_equal(sums.live, 0);
    assert_int_equal(sums.unmatched, 0);
    assert_int_equal(row_count(bench, "refusal"), refusals);
}

static void test_full_ring(void **state)
{
    struct bench *bench = *state;
    struct ingest_counts counts;
    uint64_t id = 1;
    while (tell_accepted(bench->ring, id, 1, false)) id++;
    ingest_counts(bench->ingest, &counts);
    assert_int_equal(counts.lost.events, 1);
    assert_true(counts.backlog_percent >= 99);
    while (ingest_poll(bench->ingest)) continue;
    ingest_counts(bench->ingest, &counts);
    assert_int_equal(counts.backlog_percent, 0);
    assert_true(tell_accepted(bench->ring, id, 1, false));
    assert_int_equal(sums_since(bench, 0).accepted, id);
}

static void file_write(struct bench *bench, const char *name, const char *bytes, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", bench->folder, name);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(pwrite(fd, bytes, size, 0), size);
    close(fd);
}

static void test_damaged_is_set_aside(void **state)
{
    struct bench *bench = *state;
    static char nonsense[8192];
    memset(nonsense, 'x', sizeof nonsense);
    struct ingest_counts counts;
    tell_accepted(bench->ring, 1, 1, false);
    ingest_poll(bench->ingest);
    ingest_free(bench->ingest);
    file_write(bench, "ledger.db", nonsense, sizeof nonsense);
    tell_accepted(bench->ring, 2, 1, false);
    ingest_begin(bench);
    assert_int_equal(sums_since(bench, 0).accepted, 1);
    ingest_counts(bench->ingest, &counts);
    assert_int_equal(counts.damaged, 1);
    char command[160];
    snprintf(command, sizeof command, "test $(ls %s | grep -c '^ledger.db.damaged-[0-9]*$') = 1",
             bench->folder);
    assert_int_equal(system(command), 0);
}

/* Another program holds the database while ledger starts: it is as it was, and is opened when that is over.
 */
static void test_busy_is_no_damage(void **state)
{
    struct bench *bench = *state;
    struct ingest_counts counts;
    char command[400];
    tell_accepted(bench->ring, 1, 1, false);
    ingest_poll(bench->ingest);
    ingest_free(bench->ingest);
    snprintf(command, sizeof command,
             "/usr/bin/python3 -c \"import sqlite3, sys; c = sqlite3.connect('%s/ledger.db');"
             " c.execute('PRAGMA locking_mode=EXCLUSIVE'); c.execute('BEGIN EXCLUSIVE');"
             " c.execute('CREATE TABLE held_by_another(x)'); print('held', flush=True); sys.stdin.read()\"",
             bench->folder);
    int hold[2], told[2];
    assert_int_equal(pipe(hold), 0);
    assert_int_equal(pipe(told), 0);
    pid_t other = fork();
    if (other == 0) {
        dup2(hold[0], STDIN_FILENO);
        dup2(told[1], STDOUT_FILENO);
        close(hold[1]);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    assert_true(read(told[0], command, 1) == 1);
    ingest_begin(bench);
    ingest_counts(bench->ingest, &counts);
    assert_int_equal(counts.damaged, 0);
    close(hold[1]);
    waitpid(other, NULL, 0);
    ingest_free(bench->ingest);
    ingest_begin(bench);
    assert_int_equal(sums_since(bench, 0).accepted, 1);
    ingest_counts(bench->ingest, &counts);
    assert_int_equal(counts.damaged, 0);
    snprintf(command, sizeof command, "! ls %s | grep -q damaged", bench->folder);
    assert_int_equal(system(command), 0);
    close(hold[0]);
    close(told[0]);
    close(told[1]);
}

/* A limit on file size stands for the full disk: SQLite sees its writes fail. */
static void test_full_disk(void **state)
{
    struct bench *bench = *state;
    struct ingest_counts counts;
    struct rlimit unlimited, small = { 16384, RLIM_INFINITY };
    getrlimit(RLIMIT_FSIZE, &unlimited);
    signal(SIGXFSZ, SIG_IGN);
    for (uint64_t id = 1; id <= 1000; id++) tell_accepted(bench->ring, id, 1, false);
    setrlimit(RLIMIT_FSIZE, &small);
    ingest_poll(bench->ingest);
    setrlimit(RLIMIT_FSIZE, &unlimited);
    ingest_counts(bench->ingest, &counts);
    assert_true(counts.is_failing);
    assert_int_equal(counts.events, 0);
    assert_true(counts.backlog_percent > 0);
    assert_int_equal(sums_since(bench, 0).accepted, 1000);
    ingest_counts(bench->ingest, &counts);
    assert_false(counts.is_failing);
}

static void test_malformed_is_left_out(void **state)
{
    struct bench *bench = *state;
    static const struct text nonsense[] = { TEXT("\x01"), TEXT("\x09nothing"), TEXT("\x03short"), TEXT("") };
    struct ingest_counts counts;
    for (size_t i = 0; i < 4; i++) assert_true(ring_append(bench->ring, nonsense[i]));
    tell_accepted(bench->ring, 1, 1, false);
    assert_int_equal(sums_since(bench, 0).accepted, 1);
    ingest_counts(bench->ingest, &counts);
    assert_int_equal(counts.malformed, 4);
}

static void version_set(struct bench *bench, int version)
{
    char command[256];
    snprintf(command, sizeof command,
             "/usr/bin/python3 -c \"import sqlite3; c = sqlite3.connect('%s/ledger.db');"
             " c.execute('update schema set version = %d'); c.commit()\"",
             bench->folder, version);
    assert_int_equal(system(command), 0);
}

/* Nothing is stored in a database of a newer version, and nothing is lost: events wait, more than the rings
   hold, until the right program comes. */
static void test_newer_version(void **state)
{
    struct bench *bench = *state;
    struct ingest_counts counts;
    uint64_t id = 0;
    tell_accepted(bench->ring, ++id, 1, false);
    ingest_poll(bench->ingest);
    ingest_free(bench->ingest);
    version_set(bench, 99);
    ingest_begin(bench);
    for (int round = 0; round < 4; round++) {
        while (id < (uint64_t)(round + 1) * 20000) assert_true(tell_accepted(bench->ring, ++id, 1, false));
        ingest_poll(bench->ingest);
    }
    ingest_counts(bench->ingest, &counts);
    assert_true(counts.is_newer && counts.is_failing);
    assert_true(counts.waiting_bytes > RING_FILE_BYTES);
    assert_int_equal(counts.lost.events, 0);
    ingest_free(bench->ingest); /* what waits outlives the process too */
    version_set(bench, migration_latest);
    ingest_begin(bench);
    assert_int_equal(sums_since(bench, 0).accepted, id);
    ingest_counts(bench->ingest, &counts);
    assert_int_equal(counts.waiting_bytes, 0);
    assert_false(counts.is_newer);
}

/* A folder where the database cannot be made stands for every way in which it can be out of reach. */
static void test_overflow_is_bounded(void **state)
{
    struct bench *bench = *state;
    struct ingest_counts counts;
    static struct config config = { .ledger = { .waiting_bytes = 1 << 20 } };
    uint64_t id = 0, told = 0;
    char path[128];
    ingest_free(bench->ingest);
    snprintf(path, sizeof path, "rm %s/ledger.db*; mkdir %s/ledger.db", bench->folder, bench->folder);
    assert_int_equal(system(path), 0);
    ingest_begin(bench);
    ingest_set_config(bench->ingest, &config, NULL);
    for (int i = 0; i < 60000; i++) {
        told += tell_accepted(bench->ring, ++id, 1, false);
        if (i % 1000 == 0) ingest_poll(bench->ingest);
    }
    ingest_counts(bench->ingest, &counts);
    assert_true(counts.is_full);
    assert_in_range(counts.waiting_bytes, (1 << 20) - RING_RECORD_LIMIT, 1 << 20);
    assert_int_equal(counts.lost.events, id - told);
    assert_true(counts.lost.events > 0);
    snprintf(path, sizeof path, "rmdir %s/ledger.db", bench->folder);
    assert_int_equal(system(path), 0);
    ingest_free(bench->ingest);
    ingest_begin(bench);
    assert_int_equal(sums_since(bench, 0).accepted, told);
    ingest_counts(bench->ingest, &counts);
    assert_int_equal(counts.waiting_bytes, 0);
}

/* A power loss may leave half a record at the end of what waits: the rest is stored. */
static void test_overflow_torn(void **state)
{
    struct bench *bench = *state;
    struct ingest_counts counts;
    char path[128];
    version_set(bench, 99);
    ingest_free(bench->ingest);
    ingest_begin(bench);
    for (uint64_t id = 1; id <= 20000; id++) assert_true(tell_accepted(bench->ring, id, 1, false));
    ingest_poll(bench->ingest);
    ingest_free(bench->ingest);
    version_set(bench, migration_latest);
    snprintf(path, sizeof path, "truncate -s -7 %s/events.waiting", bench->folder);
    assert_int_equal(system(path), 0);
    ingest_begin(bench);
    assert_int_equal(sums_since(bench, 0).accepted, 19999);
    ingest_counts(bench->ingest, &counts);
    assert_int_equal(counts.lost.events, 1);
}

/* Old rows go, a few between two batches, and balance counts on what they were. */
static void test_retention(void **state)
{
    struct bench *bench = *state;
    struct ingest_counts counts;
    static struct config config = { .ledger = { .messages_ms = 3600000, .waiting_bytes = 1 << 20 } };
    for (uint64_t id = 1; id <= 300; id++) {
        tell_accepted(bench->ring, id, 1, false);
        if (id > 1) tell_ended(bench->other, id, 0, ENDING_DELIVERED);
    }
    struct count_sums before = sums_since(bench, 0), after;
    ingest_set_config(bench->ingest, &config, NULL);
    for (int i = 0; i < 200; i++) {
        time_pass(bench, 50);
        ingest_counts(bench->ingest, &counts);
        if (counts.forgotten >= 2 * 299) break;
    }
    assert_int_equal(counts.forgotten, 2 * 299); /* the first has no ending yet */
    assert_int_equal(row_count(bench, "message"), 1);
    after = sums_since(bench, 0);
    assert_memory_equal(&before, &after, sizeof before);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Prints what a message costs; the bound is wide, for it must hold on any machine. */
static void test_cost(void **state)
{
    struct bench *bench = *state;
    double spent = 0;
    uint64_t id = 0;
    for (int round = 0; round < 50; round++) {
        for (uint64_t end = id + 1000; id < end; id++) {
            assert_true(tell_accepted(bench->ring, (1790000000000ull + id) << 22, 1, false));
            assert_true(tell_ended(bench->other, (1790000000000ull + id) << 22, 0, ENDING_DELIVERED));
        }
        double start = seconds_now();
        while (ingest_poll(bench->ingest)) continue;
        spent += seconds_now() - start;
    }
    printf("ledger: %.1f us a message (one recipient, two events)\n", spent * 1e6 / (double)id);
    assert_true(spent * 1e6 / (double)id < 500);
}

struct following {
    struct bench *bench;
    uint64_t events;
    unsigned looks;
};

static void on_look(void *context)
{
    struct following *following = context;
    struct ingest_counts counts;
    ingest_counts(following->bench->ingest, &counts);
    following->events = counts.events;
    following->looks++;
    loop_stop(following->bench->loop);
}

/* Who follows is called when all is stored that was told before, by the looks of the timer alone. */
static void test_follower(void **state)
{
    struct following following = { .bench = *state };
    ingest_set_follower(following.bench->ingest, on_look, &following);
    assert_true(tell_accepted(following.bench->ring, 1, 1, false));
    ingest_poll(following.bench->ingest);
    assert_int_equal(following.looks, 0);
    assert_true(tell_accepted(following.bench->ring, 2, 1, false));
    loop_run(following.bench->loop);
    assert_int_equal(following.looks, 1);
    assert_int_equal(following.events, 2);
    assert_true(tell_accepted(following.bench->ring, 3, 1, false));
    ingest_hurry(following.bench->ingest);
    loop_run(following.bench->loop);
    assert_int_equal(following.looks, 2);
    assert_int_equal(following.events, 3);
    ingest_set_follower(following.bench->ingest, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test_setup_teardown(test_since, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_told_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_killed_at_any_moment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_ring, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_is_set_aside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_busy_is_no_damage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_malformed_is_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_newer_version, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_overflow_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_overflow_torn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_retention, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_follower, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cost, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
