/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: what lookup is told of a message it can read, whatever a taken-over worker says its sketch is: a
   frame that makes no sense would end the channel by which receive asks the DNS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "ipc/ask_campaign.h"
#include "receive/campaign_count.h"
#include "receive/session.h"

static bool on_frame(void *context, struct frame *frame)
{
    return false;
}

static void on_closed(void *context)
{
}

/* Whether lookup was told, of a message with this sketch, and could read it. */
static bool is_told(struct text sketch)
{
    static const struct channel_events events = { on_frame, on_closed };
    struct server *server = memory_alloc(sizeof *server);
    struct session *session = memory_alloc(sizeof *session);
    struct loop *loop = loop_new();
    struct frame frame;
    struct campaign_seen seen;
    struct campaign_sketch keys;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    server->lookup = channel_open(loop, pair[0], &events, NULL);
    session->server = server;
    session->transaction.read.sketch = sketch;
    session->transaction.verdict.is_counted = true;
    campaign_count_tell(session);
    channel_flush(server->lookup);
    bool is_sent = channel_wait(pair[1], 0, &frame);
    struct arena *arena = arena_new(0);
    if (is_sent) assert_true(campaign_seen_get(arena, frame.payload, &seen, &keys));
    arena_free(arena);
    channel_close(server->lookup);
    close(pair[1]);
    loop_free(loop);
    free(session);
    free(server);
    return is_sent;
}

static void test_any_sketch(void **state)
{
    struct buffer whole = { 0 };
    campaign_sketch_put(&(struct campaign_sketch){ .line = 99 }, &whole);
    struct text sketch = buffer_text(&whole);
    assert_true(is_told(sketch));
    for (size_t length = 0; length < sketch.length; length++)
        assert_false(is_told(text_slice(sketch, 0, length)));
    assert_false(is_told(TEXT("\xff\xff")));
    buffer_free(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_any_sketch) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
