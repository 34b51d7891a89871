/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Frames about campaigns: what receive and report may each say, and what is malformed; commands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/codec.h"
#include "lookup/campaigns.h"

static struct loop *loop;
static struct channel *near;
static int far;
static struct campaigns *campaigns;
static struct text client_recipients[] = { { "a@example.test", 14 } };

static bool on_frame(void *context, struct frame *frame)
{
    return false;
}

static void on_closed(void *context)
{
}

static int open_all(void **state)
{
    static const struct channel_events events = { on_frame, on_closed };
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) return -1;
    loop = loop_new();
    near = channel_open(loop, pair[0], &events, NULL);
    far = pair[1];
    campaigns = campaigns_new(loop, -1);
    return 0;
}

/* The next frame that was sent on the channel. */
static struct frame sent(void)
{
    struct frame frame;
    channel_flush(near);
    assert_true(channel_wait(far, 1000, &frame));
    return frame;
}

static struct text sketch_bytes(struct buffer *out)
{
    const struct campaign_sketch sketch = { .line = 99 };
    campaign_sketch_put(&sketch, out);
    return buffer_text(out);
}

/* Seen, reported, asked: as the peers write it. */
static struct frame seen_frame(struct text sketch)
{
    const struct campaign_seen seen = { .sketch = sketch,
                                        .sender = TEXT("s@example.org"),
                                        .is_taken = true,
                                        .recipient_count = 1,
                                        .recipients = client_recipients };
    campaign_tell(near, 7, &seen);
    return sent();
}

static struct frame report_frame(struct text sketch)
{
    const struct campaign_report report = { .sketch = sketch, .reporter = TEXT("A@example.test") };
    campaign_report_tell(near, &report);
    return sent();
}

static void test_who_may_say_what(void **state)
{
    static const struct {
        struct frame (*make)(struct text sketch);
        bool is_for_report;
    } rows[] = { { seen_frame, false }, { report_frame, true } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer room = { 0 };
        struct frame frame = rows[i].make(sketch_bytes(&room));
        struct text whole = frame.payload;
        assert_false(
            campaigns_frame(campaigns, rows[i].is_for_report ? PROCESS_RECEIVE : PROCESS_REPORT, &frame));
        for (size_t length = 0; length < whole.length; length++) {
            frame.payload = text_slice(whole, 0, length);
            if (campaigns_frame(campaigns, rows[i].is_for_report ? PROCESS_REPORT : PROCESS_RECEIVE, &frame))
                fail_msg("row %zu, %zu", i, length);
        }
        buffer_free(&room);
    }
    assert_int_equal(campaigns_count(campaigns), 0); /* what was refused changed nothing */
}

static void test_seen_and_reported(void **state)
{
    struct buffer room = { 0 };
    struct text sketch = sketch_bytes(&room);
    struct frame frame = seen_frame(sketch);
    assert_true(campaigns_frame(campaigns, PROCESS_RECEIVE, &frame));
    frame = report_frame(sketch);
    assert_true(campaigns_frame(campaigns, PROCESS_REPORT, &frame));
    assert_int_equal(campaigns_count(campaigns), 1);
    buffer_free(&room);
}

/* The answer's code, and its text in `out`. */
static int say(const char *command, struct text *out)
{
    int pair[2];
    struct frame frame;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return -1;
    campaigns_command(campaigns, TEXT("root"), text_of(command), pair[0]);
    assert_true(channel_wait(pair[1], 1000, &frame));
    close(pair[1]);
    struct reader reader = reader_of(frame.payload);
    int code = get_u8(&reader);
    *out = get_text(&reader);
    return code;
}

static void test_commands(void **state)
{
    static const struct {
        const char *command;
        int code;
        const char *part;
    } rows[] = {
        { "campaign list", 0, "\"reporters\":1" },
        { "campaign show 0000000000007", 0, "\"messages\":[\"0000000000007\"]" },
        { "campaign show 1", 66, "no campaign" },
        { "campaign show zz", 66, "no campaign" },
        { "campaign show 000000000000000000001", 66, "no campaign" },
        { "campaign show", 64, "" },
        { "campaign", 64, "" },
        { "campaign stop 0000000000007", 0, "\"stopped_by\":\"administrator\"" },
        { "campaign forget 0000000000007", 0, "" },
        { "campaign forget 0000000000007", 66, "" },
        { "campaign list all", 0, "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text says;
        int code = say(rows[i].command, &says);
        bool has_part = text_find(says, text_of(rows[i].part)) < says.length || !*rows[i].part;
        if (code != rows[i].code || !has_part) fail_msg("%s: %d %.*s", rows[i].command, code, TEXT_ARG(says));
    }
    assert_int_equal(campaigns_count(campaigns), 0);
}

struct said_row {
    enum campaign_said said;
    const char *by;
};

static struct frame frame_of(struct said_row row)
{
    struct buffer room = { 0 };
    const struct campaign_report report = { .sketch = sketch_bytes(&room),
                                            .reporter = text_of(row.by),
                                            .said = row.said };
    campaign_report_tell(near, &report);
    buffer_free(&room);
    return sent();
}

/* What ledger is told, for other nodes, at once and when it comes; near is ledger's end, too. */
static void test_ledger_is_told(void **state)
{
    static const struct {
        struct said_row row;
        int is_stopped; /* -1: ledger is told nothing */
    } rows[] = { { { CAMPAIGN_SAID_SPAM, "one@example.test" }, -1 },
                 { { CAMPAIGN_SAID_STOP, "two@example.test" }, 1 },
                 { { CAMPAIGN_SAID_HAM, "one@example.test" }, -1 }, /* another one's stop stays */
                 { { CAMPAIGN_SAID_HAM, "two@example.test" }, 0 } };
    struct campaign_ruling ruling;
    campaigns_set_ledger(campaigns, near);
    for (int stopped = 1; stopped >= 0; stopped--) { /* by the commands above */
        struct frame frame = sent();
        assert_true(campaign_ruling_get(frame.payload, &ruling) && text_equal(ruling.by, TEXT("root")));
        assert_int_equal(ruling.is_stopped, stopped);
    }
    campaigns_set_ledger(campaigns, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct frame frame = frame_of(rows[i].row);
        campaigns_set_ledger(campaigns, near);
        assert_true(campaigns_frame(campaigns, PROCESS_REPORT, &frame));
        campaigns_set_ledger(campaigns, NULL);
        if (rows[i].is_stopped < 0) continue;
        frame = sent();
        assert_int_equal(frame.type, LOOKUP_CAMPAIGN_RULED);
        assert_true(campaign_ruling_get(frame.payload, &ruling));
        assert_int_equal(ruling.is_stopped, rows[i].is_stopped);
        assert_true(ruling.is_by_user && text_equal(ruling.by, TEXT("two@example.test")));
        assert_int_equal(ruling.sketch.line, 99);
    }
    assert_int_equal(campaigns_count(campaigns), 0);
}

/* While ledger is away what it is not told waits. Cut anywhere it is refused. */
static void test_ruled_by_others(void **state)
{
    struct text says;
    struct frame frame = frame_of((struct said_row){ CAMPAIGN_SAID_STOP, "two@example.test" });
    assert_true(campaigns_frame(campaigns, PROCESS_REPORT, &frame));
    campaigns_set_ledger(campaigns, near);
    frame = sent();
    struct text whole = frame.payload;
    char *copy = memory_alloc(whole.length);
    memcpy(copy, whole.at, whole.length);
    whole.at = copy;
    assert_int_equal(say("campaign list", &says), 0);
    assert_true(text_find(says, TEXT("\"stopped_by\":\"user\"")) < says.length);
    for (size_t length = 0; length < whole.length; length++) {
        frame.payload = text_slice(whole, 0, length);
        assert_false(campaigns_frame(campaigns, PROCESS_LEDGER, &frame));
    }
    struct campaign_ruling ruling;
    assert_true(campaign_ruling_get(whole, &ruling));
    ruling.is_stopped = false;
    struct buffer other = { 0 };
    campaign_ruling_put(&ruling, &other);
    frame.payload = buffer_text(&other);
    assert_true(campaigns_frame(campaigns, PROCESS_LEDGER, &frame));
    assert_int_equal(campaigns_count(campaigns), 0);
    frame.payload = whole;
    assert_true(campaigns_frame(campaigns, PROCESS_LEDGER, &frame));
    assert_int_equal(campaigns_count(campaigns), 1);
    buffer_free(&other);
    free(copy);
    /* Of an administrator all of it ends, in ledger's voice alone. */
    frame = frame_of((struct said_row){ CAMPAIGN_SAID_GOOD, "root" });
    assert_false(campaigns_frame(campaigns, PROCESS_REPORT, &frame));
    assert_true(campaigns_frame(campaigns, PROCESS_LEDGER, &frame));
    assert_int_equal(campaigns_count(campaigns), 0);
    frame = sent();
    assert_true(campaign_ruling_get(frame.payload, &ruling) && !ruling.is_stopped);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_who_may_say_what),
                                        cmocka_unit_test(test_seen_and_reported),
                                        cmocka_unit_test(test_commands),
                                        cmocka_unit_test(test_ledger_is_told),
                                        cmocka_unit_test(test_ruled_by_others) };
    return cmocka_run_group_tests(tests, open_all, NULL);
}
