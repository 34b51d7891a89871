/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The text that monitors read: its lines for given numbers, and that of a whole node. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "config/process_kind.h"
#include "config/settings.h"
#include "exposition/exposition.h"
#include "exposition/openmetrics.h"
#include "ipc/event.h"

static const struct openmetrics_family counter = { "a", OPENMETRICS_COUNTER, NULL, "Help\n\"x\" \\." };
static const struct openmetrics_family gauge = { "b_seconds", OPENMETRICS_GAUGE, "seconds", "Help." };
static const struct openmetrics_family info = { "c", OPENMETRICS_INFO, NULL, "Help." };
static const struct openmetrics_family times = { "d_seconds", OPENMETRICS_HISTOGRAM, "seconds", "Help." };
static const struct openmetrics_family ages = { "e_seconds", OPENMETRICS_GAUGE_HISTOGRAM, "seconds",
                                                "Help." };

static void says(struct buffer *out, const char *text)
{
    if (!text_equal(buffer_text(out), text_of(text))) fail_msg("%.*s", TEXT_ARG(buffer_text(out)));
    buffer_clear(out);
}

static void lines(void **state)
{
    struct buffer out = { 0 }, labels = { 0 };
    openmetrics_head(&counter, &out);
    says(&out, "# TYPE a counter\n# HELP a Help\\n\\\"x\\\" \\\\.\n");
    openmetrics_head(&gauge, &out);
    says(&out, "# TYPE b_seconds gauge\n# UNIT b_seconds seconds\n# HELP b_seconds Help.\n");
    openmetrics_sample(&counter, TEXT_NONE, UINT64_MAX, 1, &out);
    says(&out, "a_total 18446744073709551615\n");
    openmetrics_sample(&gauge, TEXT_NONE, 1005, 1000, &out);
    says(&out, "b_seconds 1.005\n");
    openmetrics_signed(&gauge, TEXT_NONE, -5, &out);
    says(&out, "b_seconds -5\n");
    openmetrics_label("x", TEXT("a\"b\\c\nd"), &labels);
    openmetrics_label("y", TEXT("\xe9\x96\xa2\xe9z"), &labels); /* a character, and one that is cut short */
    openmetrics_sample(&info, buffer_text(&labels), 1, 1, &out);
    says(&out, "c_info{x=\"a\\\"b\\\\c\\nd\",y=\"\xe9\x96\xa2\"} 1\n");
    openmetrics_end(&out);
    says(&out, "# EOF\n");
    buffer_free(&out);
    buffer_free(&labels);
}

/* A bound belongs to its bucket; what exceeds the last counts in the one without. */
static void buckets(void **state)
{
    for (int scale = 0; scale < MEASURES_SCALES; scale++) {
        const uint64_t *bounds = measures_bounds[scale];
        struct histogram histogram = { 0 };
        for (unsigned i = 0; i < MEASURES_BOUNDS; i++) {
            if (i) assert_true(bounds[i] > bounds[i - 1]);
            histogram_add(&histogram, (enum measures_scale)scale, bounds[i]);
            assert_int_equal(histogram.buckets[i], i ? 2 : 1);
            histogram_add(&histogram, (enum measures_scale)scale, bounds[i] + 1);
            assert_int_equal(histogram.buckets[i + 1], 1);
        }
    }
}

static void histograms(void **state)
{
    struct buffer out = { 0 };
    struct histogram histogram = { 0 };
    histogram_add(&histogram, MEASURES_WORK, 0);
    histogram_add(&histogram, MEASURES_WORK, 300);
    histogram_add(&histogram, MEASURES_WORK, 70000000);
    openmetrics_histogram(&times, MEASURES_WORK, &histogram, &out);
    says(&out, "d_seconds_bucket{le=\"0.0001\"} 1\nd_seconds_bucket{le=\"0.00025\"} 1\n"
               "d_seconds_bucket{le=\"0.0005\"} 2\nd_seconds_bucket{le=\"0.001\"} 2\n"
               "d_seconds_bucket{le=\"0.0025\"} 2\nd_seconds_bucket{le=\"0.005\"} 2\n"
               "d_seconds_bucket{le=\"0.01\"} 2\nd_seconds_bucket{le=\"0.025\"} 2\n"
               "d_seconds_bucket{le=\"0.05\"} 2\nd_seconds_bucket{le=\"0.1\"} 2\n"
               "d_seconds_bucket{le=\"0.25\"} 2\nd_seconds_bucket{le=\"0.5\"} 2\n"
               "d_seconds_bucket{le=\"1.0\"} 2\nd_seconds_bucket{le=\"5.0\"} 2\n"
               "d_seconds_bucket{le=\"15.0\"} 2\nd_seconds_bucket{le=\"60.0\"} 2\n"
               "d_seconds_bucket{le=\"+Inf\"} 3\nd_seconds_count 3\nd_seconds_sum 70.000300\n");
    openmetrics_histogram(&ages, MEASURES_WAIT, &(struct histogram){ .sum = 100, .buckets = { 1 } }, &out);
    struct text text = buffer_text(&out);
    assert_true(text_find(text, TEXT("e_seconds_bucket{le=\"432000.0\"} 1\n")) < text.length);
    assert_true(text_find(text, TEXT("e_seconds_gcount 1\ne_seconds_gsum 0.100\n")) < text.length);
    buffer_free(&out);
}

/* --- a node --- */

static struct counters_slot *slots_make(void)
{
    struct counters_slot *slots = memory_alloc(COUNTERS_SLOTS * sizeof *slots);
    for (int i = 0; i < COUNTERS_SLOTS; i++) measures_begin(&slots[i].measures);
    return slots;
}

static void print(const struct exposition_source *source, struct buffer *out)
{
    buffer_clear(out);
    exposition_print(source, out);
    struct text text = buffer_text(out);
    assert_true(text_equal(text_slice(text, text.length - 6, text.length), TEXT("# EOF\n")));
}

static void has_line(const struct buffer *out, const char *line)
{
    struct text rest = buffer_text(out), one;
    while (text_next_line(&rest, &one))
        if (text_equal(one, text_of(line))) return;
    fail_msg("no line %s in\n%.*s", line, TEXT_ARG(buffer_text(out)));
}

static void lacks(const struct buffer *out, const char *words)
{
    if (text_find(buffer_text(out), text_of(words)) < buffer_length(out)) fail_msg("%s is there", words);
}

/* Pages of receive are added up, also of processes that are no longer configured. */
static struct counters_slot *busy_node(void)
{
    struct counters_slot *slots = slots_make();
    struct counters_slot *first = &slots[COUNTERS_SLOT_RECEIVE], *last = &slots[COUNTERS_SLOT_CONSULT - 1];
    first->receive.connections = 3;
    last->receive.connections = 4;
    first->measures.receive.messages[MEASURES_TAGGED] = 5;
    last->measures.receive.messages[MEASURES_TAGGED] = 6;
    last->measures.receive.refused[STAGE_RCPT][1] = 7;
    histogram_add(&last->measures.receive.size, MEASURES_SIZE, 2000);
    slots[COUNTERS_SLOT_QUEUE].measures.queue.held[1] = 8;
    slots[COUNTERS_SLOT_LEDGER].measures.ledger.lag_ms = 1500;
    slots[COUNTERS_SLOT_LEDGER].measures.ledger.is_full = 1;
    slots[COUNTERS_SLOT_CONSULT].measures.consult = (struct consult_measures){
        { { .name = "near", .is_configured = 1 },
          { .name = "of before", .is_up = 1 },
          { .name = "far", .is_configured = 1, .is_up = 1, .asked = 12, .late = 3 } }
    };
    slots[COUNTERS_SLOT_MASTER].measures.master = (struct master_measures){
        .role = ROLE_WALL,
        .node = 9,
        .process_count = 1,
        .processes = { { .kind = PROCESS_QUEUE, .is_running = 1, .started_ms = 60500, .cpu_ms = 10 } },
        .certificate_count = 1,
        .certificates = { { .use = "listen 192.0.2.1 port 25", .until_s = 1000 } },
    };
    return slots;
}

static void a_node(void **state)
{
    static const char *const wanted[] = {
        "sekimori_build_info{version=\"" SEKIMORI_VERSION "\",role=\"wall\",node=\"9\"} 1",
        "sekimori_up 1",
        "sekimori_healthy 0",
        "sekimori_serving 1",
        "sekimori_health_check_good{check=\"scan\"} 0",
        "sekimori_connections_total 7",
        "sekimori_messages_total{verdict=\"tagged\"} 11",
        "sekimori_refusals_total{stage=\"rcpt\",class=\"5xx\"} 7",
        "sekimori_message_size_bytes_sum 2000",
        "sekimori_message_size_bytes_bucket{le=\"2048.0\"} 1",
        "sekimori_queue_held_recipients{reason=\"quarantine\"} 8",
        "sekimori_ledger_lag_seconds 1.500",
        "sekimori_quarantine_full 1",
        "sekimori_engine_state{state=\"builtin\"} 1",
        "sekimori_engine_state{state=\"whole\"} 0",
        "sekimori_engine_up{engine=\"far\"} 1",
        "sekimori_engine_up{engine=\"near\"} 0",
        "sekimori_engine_asked_total{engine=\"far\"} 12",
        "sekimori_engine_answers_total{engine=\"far\",result=\"late\"} 3",
        "sekimori_queue_still_seconds 2.500",
        "sekimori_process_start_time_seconds{process=\"queue\",index=\"0\"} 60.500",
        "sekimori_process_cpu_seconds_total{process=\"queue\",index=\"0\"} 0.010",
        "sekimori_certificate_remaining_seconds{use=\"listen 192.0.2.1 port 25\"} 600",
    };
    struct counters_slot *slots = busy_node();
    struct buffer out = { 0 };
    struct exposition_source source = { .slots = slots, .is_up = true, .now_ms = 400000 };
    source.health = (struct health_report){ .is_serving = true, .count = 2 };
    source.health.findings[0] = (struct health_finding){ .check = HEALTH_CHECK_SCAN, .is_good = true };
    source.health.findings[1] = (struct health_finding){ .check = HEALTH_CHECK_SCAN };
    health_know(&source.health.told, HEALTH_ENGINE, HEALTH_ENGINE_BUILTIN);
    health_know(&source.health.told, HEALTH_QUEUE_STILL_MS, 2500);
    print(&source, &out);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) has_line(&out, wanted[i]);
    lacks(&out, "check=\"disk\"");
    lacks(&out, "of before");
    lacks(&out, "\nsekimori_balance_difference_recipients ");
    lacks(&out, "\nsekimori_disk_free_bytes ");
    free(slots);
    buffer_free(&out);
}

/* Of a node that is down the counts remain; a page of another version, and a count of rows that cannot be,
   say nothing wrong. */
static void down_and_odd(void **state)
{
    struct counters_slot *slots = slots_make();
    struct buffer out = { 0 };
    slots[COUNTERS_SLOT_RECEIVE].receive.connections = 3;
    slots[COUNTERS_SLOT_RECEIVE].measures.receive.messages[MEASURES_ACCEPTED] = 5;
    slots[COUNTERS_SLOT_RECEIVE].measures.version = MEASURES_VERSION + 1;
    struct master_measures *master = &slots[COUNTERS_SLOT_MASTER].measures.master;
    memset(master, 0xff, sizeof *master);
    slots[COUNTERS_SLOT_BASELINE].baseline.is_set = 1;
    slots[COUNTERS_SLOT_RECEIVE + 1].receive.accepted = 2;
    struct exposition_source source = { .slots = slots };
    print(&source, &out);
    has_line(&out, "sekimori_up 0");
    has_line(&out, "sekimori_serving 0");
    has_line(&out, "sekimori_connections_total 3");
    has_line(&out, "sekimori_messages_total{verdict=\"accepted\"} 0");
    has_line(&out, "sekimori_balance_difference_recipients -2");
    has_line(&out, "sekimori_process_up{process=\"unknown\",index=\"65535\"} 0");
    lacks(&out, "\xff");
    free(slots);
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),  cmocka_unit_test(buckets),      cmocka_unit_test(histograms),
        cmocka_unit_test(a_node), cmocka_unit_test(down_and_odd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
