/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* When a node is called sick: each row is what is known, and what must be said of it. Then the page that
   carries it to others: whole, fresh, or no word. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ipc/health_page.h"
#include "master/health_rules.h"

#define MIB (1ull << 20)

static struct outside_engine engines[] = { { .name = { "near", 4 }, .unavailable = LACK_ACCEPT },
                                           { .name = { "far", 3 }, .unavailable = LACK_DEFER },
                                           { .name = { "wall", 4 }, .unavailable = LACK_UNSCANNED } };

static struct outside_engine opinions[] = { { .name = { "rspamd", 6 }, .unavailable = LACK_ACCEPT } };

/* The limits that all rows share. */
static const struct config limits = {
    .health = { .queue_ms = 60000, .disk_free_bytes = 100 * MIB, .clock_ms = 10000 },
    .virus = { .stale_ms = 3 * 86400000 },
    .engines = engines,
    .engine_count = 3,
    .opinions = opinions,
    .opinion_count = 1
};

struct told {
    enum health_fact fact;
    uint64_t value;
};

static const struct row {
    const char *name;
    struct judged_process process; /* the one beside a good one */
    bool is_new, is_stopping, is_draining;
    int64_t clock_ms;
    struct judged_certificate certificate;
    size_t listeners_shut; /* of two */
    struct told told[4];   /* beside what all well nodes tell; the same fact told anew replaces it */
    bool is_healthy, is_serving;
    const char *says; /* of the first bad finding; empty: there is none */
} rows[] = {
    { "all is well", { .is_ready = true }, .is_healthy = true, .is_serving = true, .says = "" },
    { "nothing is known",
      { .is_ready = true },
      .clock_ms = HEALTH_RULE_CLOCK_UNKNOWN,
      .is_healthy = true,
      .is_serving = true,
      .says = "" },
    { "starting", { .is_ready = false }, .is_new = true, .says = "test 1 is not ready yet" },
    { "a process was restarted a moment ago",
      { .unready_ms = 2000, .restarts = 1 },
      .is_healthy = true,
      .is_serving = true,
      .says = "" },
    { "a process is down", { .unready_ms = 2001 }, .says = "test 1 is down for 2 s" },
    { "a process answers late",
      { .is_ready = true, .silent_ms = 5000 },
      .is_healthy = true,
      .is_serving = true,
      .says = "" },
    { "a process hangs", { .is_ready = true, .silent_ms = 5001 }, .says = "test 1 does not answer for 5 s" },
    { "the ledger is down",
      { .unready_ms = 2001, .is_aside = true },
      .is_serving = true,
      .says = "test 1 is down for 2 s" },
    { "the ledger hangs",
      { .is_ready = true, .silent_ms = 5001, .is_aside = true },
      .is_serving = true,
      .says = "test 1 does not answer for 5 s" },
    { "restarted twice",
      { .is_ready = true, .restarts = 2 },
      .is_healthy = true,
      .is_serving = true,
      .says = "" },
    { "restarted too often",
      { .is_ready = true, .restarts = 3 },
      .is_serving = true,
      .says = "test 1 was restarted 3 times in a minute" },
    { "stopping", { .is_ready = true }, .is_stopping = true, .says = "the node is being stopped" },
    { "draining", { .is_ready = true }, .is_draining = true, .says = "draining" },
    { "the queue moves slowly",
      { .is_ready = true },
      .told = { { HEALTH_QUEUE_STILL_MS, 60000 } },
      .is_healthy = true,
      .is_serving = true,
      .says = "" },
    { "the queue stands still",
      { .is_ready = true },
      .told = { { HEALTH_QUEUE_STILL_MS, 60001 } },
      .is_serving = true,
      .says = "nothing has left for 60 s though mail is due" },
    { "little room",
      { .is_ready = true },
      .told = { { HEALTH_DISK_FREE, 100 * MIB - 1 } },
      .is_serving = true,
      .says = "99 MiB are free on the disk of the queue, under 100 MiB" },
    { "just enough room",
      { .is_ready = true },
      .told = { { HEALTH_DISK_FREE, 100 * MIB } },
      .is_healthy = true,
      .is_serving = true,
      .says = "" },
    { "the queue takes nothing",
      { .is_ready = true },
      .told = { { HEALTH_QUEUE_FULL, 1 } },
      .is_serving = true,
      .says = "no message is taken: 500 MiB are free on the disk of the queue" },
    { "upstream missed two probes",
      { .is_ready = true },
      .told = { { HEALTH_UPSTREAMS, 2 }, { HEALTH_UPSTREAM_MISSES, 2 } },
      .is_healthy = true,
      .is_serving = true,
      .says = "" },
    { "upstream is cut",
      { .is_ready = true },
      .told = { { HEALTH_UPSTREAMS, 2 }, { HEALTH_UPSTREAM_MISSES, 3 } },
      .is_serving = true,
      .says = "none of 2 upstream addresses answered the last 3 probes" },
    { "upstream was never probed",
      { .is_ready = true },
      .told = { { HEALTH_UPSTREAMS, 2 } },
      .is_healthy = true,
      .is_serving = true,
      .says = "" },
    { "dns missed two",
      { .is_ready = true },
      .told = { { HEALTH_DNS_MISSES, 2 } },
      .is_healthy = true,
      .is_serving = true,
      .says = "" },
    { "dns is dead",
      { .is_ready = true },
      .told = { { HEALTH_DNS_MISSES, 3 } },
      .is_serving = true,
      .says = "no answer to the last 3 questions" },
    { "the clock is at its limit",
      { .is_ready = true },
      .clock_ms = 10000,
      .is_healthy = true,
      .is_serving = true,
      .says = "" },
    { "the clock is wrong",
      { .is_ready = true },
      .clock_ms = 10001,
      .is_serving = true,
      .says = "the clock may be wrong by 10001 ms" },
    { "nobody keeps the clock",
      { .is_ready = true },
      .clock_ms = HEALTH_RULE_CLOCK_UNATTENDED,
      .is_serving = true,
      .says = "no time service keeps the clock" },
    { "a worker is missing for long",
      { .is_ready = true },
      .told = { { HEALTH_SCAN_DOWN_MS, 60000 } },
      .is_healthy = true,
      .is_serving = true,
      .says = "" },
    { "there is no worker",
      { .is_ready = true },
      .told = { { HEALTH_SCAN_DOWN_MS, 60001 } },
      .is_serving = true,
      .says = "no scan worker has been ready for 60 s: mail waits or is deferred" },
    { "four messages were not judged",
      { .is_ready = true },
      .told = { { HEALTH_SCAN_DOWN_MS, 0 }, { HEALTH_SCAN_LOST, 4 } },
      .is_healthy = true,
      .is_serving = true,
      .says = "" },
    { "nothing is judged",
      { .is_ready = true },
      .told = { { HEALTH_SCAN_DOWN_MS, 0 }, { HEALTH_SCAN_LOST, 5 } },
      .is_serving = true,
      .says = "the last 5 messages were not judged: their workers died or gave no answer" },
    { "the virus check is off",
      { .is_ready = true },
      .told = { { HEALTH_SCAN_DOWN_MS, 0 }, { HEALTH_ENGINE, HEALTH_ENGINE_OFF } },
      .is_healthy = true,
      .is_serving = true,
      .says = "" },
    { "the built-in signatures are all that is wanted",
      { .is_ready = true },
      .told = { { HEALTH_SCAN_DOWN_MS, 0 }, { HEALTH_ENGINE, HEALTH_ENGINE_TRIAL } },
      .is_healthy = true,
      .is_serving = true,
      .says = "" },
    { "the built-in signatures are all there is",
      { .is_ready = true },
      .told = { { HEALTH_SCAN_DOWN_MS, 0 }, { HEALTH_ENGINE, HEALTH_ENGINE_BUILTIN } },
      .is_serving = true,
      .says = "only the built-in ones are loaded: no mail counts as scanned; clamav-freshclam fetches the "
              "others" },
    { "there is no engine",
      { .is_ready = true },
      .told = { { HEALTH_SCAN_DOWN_MS, 0 }, { HEALTH_ENGINE, HEALTH_ENGINE_NONE } },
      .is_serving = true,
      .says = "no virus engine could be loaded: no mail is scanned; the log says why" },
    { "signatures of two days ago",
      { .is_ready = true },
      .told = { { HEALTH_SCAN_DOWN_MS, 0 },
                { HEALTH_ENGINE, HEALTH_ENGINE_WHOLE },
                { HEALTH_SIGNATURES_AGE_S, 3 * 86400 - 1 } },
      .is_healthy = true,
      .is_serving = true,
      .says = "" },
    { "signatures of three days ago",
      { .is_ready = true },
      .told = { { HEALTH_SCAN_DOWN_MS, 0 },
                { HEALTH_ENGINE, HEALTH_ENGINE_WHOLE },
                { HEALTH_SIGNATURES, 1000 },
                { HEALTH_SIGNATURES_AGE_S, 3 * 86400 } },
      .is_serving = true,
      .says = "the newest of 1000 are 3 days old: freshclam fetches none" },
    { "signatures of the second set are old",
      { .is_ready = true },
      .told = { { HEALTH_SCAN_DOWN_MS, 0 },
                { HEALTH_ENGINE, HEALTH_ENGINE_WHOLE },
                { HEALTH_ALSO, 7 },
                { HEALTH_ALSO_AGE_S, 5 * 86400 } },
      .is_serving = true,
      .says = "the newest of the second set (7) are 5 days old" },
    { "signatures are fetched no more",
      { .is_ready = true },
      .told = { { HEALTH_SCAN_DOWN_MS, 0 },
                { HEALTH_ENGINE, HEALTH_ENGINE_WHOLE },
                { HEALTH_UPDATE_FAILING_S, 3 * 86400 } },
      .is_serving = true,
      .says = "fetching them has failed for 72 hours; the log says why" },
    { "they were not fetched once or twice",
      { .is_ready = true },
      .told = { { HEALTH_SCAN_DOWN_MS, 0 },
                { HEALTH_ENGINE, HEALTH_ENGINE_WHOLE },
                { HEALTH_UPDATE_FAILING_S, 7200 } },
      .is_healthy = true,
      .is_serving = true,
      .says = "" },
    { "new signatures are broken",
      { .is_ready = true },
      .told = { { HEALTH_SCAN_DOWN_MS, 0 },
                { HEALTH_ENGINE, HEALTH_ENGINE_WHOLE },
                { HEALTH_SIGNATURES_KEPT, 1 } },
      .is_serving = true,
      .says = "the new ones cannot be used, the old ones stay; the log says why" },
    { "engines outside answer",
      { .is_ready = true },
      .told = { { HEALTH_ENGINES, 3 }, { HEALTH_ENGINES_SICK, 0 } },
      .is_healthy = true,
      .is_serving = true,
      .says = "" },
    { "one does not",
      { .is_ready = true },
      .told = { { HEALTH_ENGINES, 3 }, { HEALTH_ENGINES_SICK, 1 << 2 } },
      .is_serving = true,
      .says = "wall does not answer: mail goes without it; the log says why" },
    { "two do not, and for one mail waits",
      { .is_ready = true },
      .told = { { HEALTH_ENGINES, 3 }, { HEALTH_ENGINES_SICK, 3 } },
      .is_serving = true,
      .says = "near, far do not answer: mail is deferred; the log says why" },
    { "an engine and a second opinion do not",
      { .is_ready = true },
      .told = { { HEALTH_ENGINES, 4 }, { HEALTH_ENGINES_SICK, 1 << 2 | 1 << 3 } },
      .is_serving = true,
      .says = "wall, rspamd do not answer: mail goes without them; the log says why" },
    { "engines of a configuration that is not in force yet",
      { .is_ready = true },
      .told = { { HEALTH_ENGINES, 9 }, { HEALTH_ENGINES_SICK, 1 << 8 } },
      .is_healthy = true,
      .is_serving = true,
      .says = "" },
    { "the ledger cannot be written",
      { .is_ready = true },
      .told = { { HEALTH_LEDGER_FAILING, 1 } },
      .is_serving = true,
      .says = "it cannot be written: events wait, mail flows on" },
    { "what was learned was damaged",
      { .is_ready = true },
      .told = { { HEALTH_LEDGER_FAILING, 0 }, { HEALTH_LEARNED_DAMAGED, 1 } },
      .is_serving = true,
      .says = "a file of what is known of spam is missing or damaged, and not used; the log says why" },
    { "explanations find no room",
      { .is_ready = true },
      .told = { { HEALTH_LEDGER_FAILING, 0 }, { HEALTH_EXPLANATIONS_DROPPED, 2 } },
      .is_serving = true,
      .says = "2 explanations of messages were dropped for want of room; mail flows on" },
    { "a certificate ends today",
      { .is_ready = true },
      .certificate = { "listen 192.0.2.1 port 25", 0 },
      .is_healthy = true,
      .is_serving = true,
      .says = "" },
    { "a certificate has expired",
      { .is_ready = true },
      .certificate = { "listen 192.0.2.1 port 25", -1 },
      .is_serving = true,
      .says = "that of listen 192.0.2.1 port 25 has expired" },
    { "a listener is deaf",
      { .is_ready = true },
      .listeners_shut = 1,
      .is_serving = true,
      .says = "1 of 2 does not listen: who connects there is refused" },
    { "draining listeners are deaf",
      { .is_ready = true },
      .is_draining = true,
      .listeners_shut = 2,
      .says = "draining" },
    { "several at once",
      { .unready_ms = 9000 },
      .clock_ms = 10001,
      .told = { { HEALTH_DNS_MISSES, 30 } },
      .says = "test 1 is down for 9 s" },
};

static void judge(const struct row *row, const struct config *config, struct health_report *out)
{
    struct judged_process processes[2] = { { .name = "test", .is_ready = true }, row->process };
    processes[1].name = "test";
    processes[1].index = 1;
    struct judged_facts facts = { .processes = processes,
                                  .process_count = 2,
                                  .was_ready = !row->is_new,
                                  .is_stopping = row->is_stopping,
                                  .is_draining = row->is_draining,
                                  .clock_error_ms = row->clock_ms,
                                  .certificate = row->certificate,
                                  .listener_count = 2,
                                  .listeners_shut = row->listeners_shut };
    if (row->clock_ms != HEALTH_RULE_CLOCK_UNKNOWN) {
        health_know(&facts.told, HEALTH_QUEUE_STILL_MS, 0);
        health_know(&facts.told, HEALTH_QUEUE_FULL, 0);
        health_know(&facts.told, HEALTH_DISK_FREE, 500 * MIB);
    }
    for (size_t i = 0; i < 4; i++)
        if (row->told[i].fact) health_know(&facts.told, row->told[i].fact, row->told[i].value);
    health_rules_judge(&facts, config, out);
}

static void test_rows(void **state)
{
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        struct health_report report;
        struct buffer first = { 0 };
        judge(&rows[r], &limits, &report);
        for (uint32_t i = report.count; i-- > 0;)
            if (!report.findings[i].is_good) {
                buffer_clear(&first);
                health_say(&report.findings[i], health_words(report.findings[i].says), &first);
            }
        if (report.is_healthy != rows[r].is_healthy || report.is_serving != rows[r].is_serving ||
            !text_equal(buffer_text(&first), text_of(rows[r].says)))
            fail_msg("%s: healthy %d, serving %d, \"%.*s\"", rows[r].name, report.is_healthy,
                     report.is_serving, TEXT_ARG(buffer_text(&first)));
        buffer_free(&first);
    }
}

static void test_clock_is_not_looked_at(void **state)
{
    struct config lax = limits;
    struct health_report report;
    lax.health.clock_ms = 0;
    const struct row row = { "", { .is_ready = true }, .clock_ms = HEALTH_RULE_CLOCK_UNATTENDED };
    judge(&row, &lax, &report);
    assert_true(report.is_healthy);
}

/* What no other node does better makes none sick, and is marked. */
static void test_noted(void **state)
{
    const struct row row = { "", { .is_ready = true }, .told = { { HEALTH_SCAN_DOWN_MS, 0 } } };
    struct config aside = limits;
    struct health_report report;
    for (int is_wrong = 0; is_wrong < 2; is_wrong++) {
        if (is_wrong) aside.spam.rules_fault = TEXT("20-bad.rules:4");
        int noted = 0;
        judge(&row, &aside, &report);
        for (uint32_t i = 0; i < report.count; i++) noted += report.findings[i].is_noted;
        assert_int_equal(noted, is_wrong);
        assert_true(report.is_healthy && report.is_serving);
    }
}

/* More findings than there is room: the sum is right all the same. */
static void test_many_findings(void **state)
{
    struct judged_process processes[40] = { 0 };
    struct health_report report;
    for (size_t i = 0; i < 40; i++)
        processes[i] = (struct judged_process){ .name = "test", .is_ready = true, .restarts = 9 };
    processes[39].is_ready = false;
    processes[39].unready_ms = 99000;
    struct judged_facts facts = { .processes = processes, .process_count = 40, .was_ready = true };
    health_rules_judge(&facts, &limits, &report);
    assert_int_equal(report.count, HEALTH_FINDINGS_MOST);
    assert_false(report.is_healthy);
    assert_false(report.is_serving);
}

/* Words come from a catalogue: places may stand in any order, or not at all, and what is none stays. */
static void test_words_are_filled(void **state)
{
    static const struct {
        const char *words, *says;
    } rows_of_words[] = {
        { "{process} is down for {1} s", "scan 0 is down for 12 s" },
        { "{2}, {1}: {process}", "7, 12: scan 0" },
        { "", "" },
        { "{", "{" },
        { "{1", "{1" },
        { "}{3}{1}", "}{3}12" },
        { "{{1}}", "{{1}}" },
        { "{1} {1:day|days}, {2} {2:is|are}", "12 days, 7 are" },
        { "{1:day}{3:a|b}", "{1:day}{3:a|b}" },
    };
    struct health_finding finding = { .process = "scan 0", .numbers = { 12, 7 } };
    for (size_t i = 0; i < sizeof rows_of_words / sizeof *rows_of_words; i++) {
        struct buffer out = { 0 };
        health_say(&finding, rows_of_words[i].words, &out);
        if (!text_equal(buffer_text(&out), text_of(rows_of_words[i].says)))
            fail_msg("%s: %.*s", rows_of_words[i].words, TEXT_ARG(buffer_text(&out)));
        buffer_free(&out);
    }
    struct buffer one = { 0 };
    finding.numbers[0] = 1;
    health_say(&finding, "{1} {1:day|days}{1:|s}", &one);
    assert_true(text_equal(buffer_text(&one), TEXT("1 day")));
    buffer_free(&one);
    for (int says = 0; says < HEALTH_SAYS_COUNT; says++) assert_true(*health_words(says));
    assert_string_equal(health_words(HEALTH_SAYS_COUNT), "");
}

static void test_facts_travel(void **state)
{
    struct health_facts facts = { 0 }, back, sum = { 0 };
    struct buffer bytes = { 0 };
    health_know(&facts, HEALTH_SESSIONS, 7);
    health_know(&facts, HEALTH_DISK_FREE, UINT64_MAX);
    health_facts_put(&facts, &bytes);
    assert_true(health_facts_get(buffer_text(&bytes), &back));
    assert_int_equal(back.known, facts.known);
    health_facts_add(&sum, &back);
    health_facts_add(
        &sum, &(struct health_facts){ .known = 1u << HEALTH_SESSIONS, .values = { [HEALTH_SESSIONS] = 5 } });
    assert_int_equal(sum.values[HEALTH_SESSIONS], 12);
    for (size_t cut = 1; cut < 9; cut++)
        assert_false(health_facts_get(text_slice(buffer_text(&bytes), 0, cut), &back));
    buffer_add_char(&bytes, (char)HEALTH_FACT_COUNT);
    for (int i = 0; i < 8; i++) buffer_add_char(&bytes, '\0');
    assert_false(health_facts_get(buffer_text(&bytes), &back)); /* a fact nobody knows */
    buffer_free(&bytes);
}

/* --- the page --- */

static struct health_page *page_new(int *out_fd)
{
    *out_fd = memfd_create("health", MFD_CLOEXEC);
    assert_true(*out_fd >= 0);
    assert_int_equal(ftruncate(*out_fd, HEALTH_PAGE_BYTES), 0);
    struct health_page *page = health_page_map(*out_fd, true);
    assert_non_null(page);
    return page;
}

static void test_page(void **state)
{
    int fd;
    uint64_t age_ms;
    struct health_report report;
    struct health_page *page = page_new(&fd);
    assert_int_equal(health_page_read(page, &report, &age_ms), HEALTH_WORD_NONE);
    health_page_write(page, &(struct health_report){ .is_healthy = true, .sessions = 3 });
    assert_int_equal(health_page_read(page, &report, &age_ms), HEALTH_WORD_FRESH);
    assert_true(report.is_healthy && report.sessions == 3 && age_ms < 1000);
    health_page_unmap(page);
    close(fd);
    int small = memfd_create("small", MFD_CLOEXEC);
    errno = EACCES; /* of something before */
    assert_null(health_page_map(small, false));
    assert_int_equal(errno, EINVAL);
    close(small);
}

/* Its writer has ended and nobody has waited for it yet. */
static void test_page_of_the_dead(void **state)
{
    int fd, status;
    uint64_t age_ms;
    struct health_report report;
    struct health_page *page = page_new(&fd);
    pid_t child = fork();
    if (child == 0) {
        health_page_write(page, &(struct health_report){ .is_healthy = true });
        _exit(0);
    }
    siginfo_t ended;
    assert_int_equal(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT), 0);
    assert_int_equal(health_page_read(page, &report, &age_ms), HEALTH_WORD_GONE);
    assert_false(report.is_healthy);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(health_page_read(page, &report, &age_ms), HEALTH_WORD_GONE);
    assert_int_equal(health_page_writer(page), -1);
    health_page_unmap(page);
    close(fd);
}

/* One writes as fast as it can: every report that is read is a whole one. */
static void test_page_is_never_torn(void **state)
{
    int fd, status;
    uint64_t age_ms, fresh = 0;
    struct health_report report;
    struct health_page *page = page_new(&fd);
    pid_t child = fork();
    if (child == 0)
        for (uint64_t i = 1;; i++)
            health_page_write(page, &(struct health_report){ .sessions = i, .messages = i, .held = i });
    for (time_t end = time(NULL) + 60; fresh < 20000 && time(NULL) < end;) {
        if (health_page_read(page, &report, &age_ms) != HEALTH_WORD_FRESH) continue;
        fresh++;
        if (report.sessions != report.messages || report.messages != report.held) fail_msg("a torn report");
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    assert_true(fresh == 20000);
    health_page_unmap(page);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_clock_is_not_looked_at),
        cmocka_unit_test(test_noted),
        cmocka_unit_test(test_many_findings),
        cmocka_unit_test(test_words_are_filled),
        cmocka_unit_test(test_facts_travel),
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_page_of_the_dead),
        cmocka_unit_test(test_page_is_never_torn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
