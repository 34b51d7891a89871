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
        assert_false(campaigns_frame(campaigns, !rows[i].is_for_report, &frame));
        for (size_t length = 0; length < whole.length; length++) {
            frame.payload = text_slice(whole, 0, length);
            if (campaigns_frame(campaigns, rows[i].is_for_report, &frame))
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
    assert_true(campaigns_frame(campaigns, false, &frame));
    frame = report_frame(sketch);
    assert_true(campaigns_frame(campaigns, true, &frame));
    assert_int_equal(campaigns_count(campaigns), 1);
    buffer_free(&room);
}

/* The answer's code, and its text in `out`. */
static int say(const char *command, struct text *out)
{
    int pair[2];
    struct frame frame;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return -1;
    campaigns_command(campaigns, text_of(command), pair[0]);
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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_who_may_say_what),
                                        cmocka_unit_test(test_seen_and_reported),
                                        cmocka_unit_test(test_commands) };
    return cmocka_run_group_tests(tests, open_all, NULL);
}
