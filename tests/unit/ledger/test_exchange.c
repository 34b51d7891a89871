/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: what courier brings is taken from whom the configuration says, whatever courier claims of itself; all
   there is goes to who listens, in pieces, one at a time; HEARD is said when it is on disk, and not before;
   nonsense costs the channel. This test is courier. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/context.h"
#include "ipc/ask_courier.h"
#include "ledger/exchange.h"

struct bench {
    enum { BENCH_MAGIC = 0x24e7c3b8 } magic;
    struct loop *loop;
    struct config config;
    struct text trusted[1], collectors[1];
    struct declarations *declarations;
    struct exchange *exchange;
    struct channel *ledger, *courier; /* its two ends */
    bool is_closed;
    unsigned says, heards;
    uint64_t turn; /* of the last SAY or HEARD */
    struct buffer lines;
};

static bool at_ledger(void *context, struct frame *frame)
{
    struct bench *bench = CONTEXT(context, struct bench, BENCH_MAGIC);
    return exchange_frame(bench->exchange, frame);
}

static bool at_courier(void *context, struct frame *frame)
{
    struct bench *bench = CONTEXT(context, struct bench, BENCH_MAGIC);
    struct reader reader = reader_of(frame->payload);
    struct saying saying = { 0 };
    if (frame->type == COURIER_SAY) {
        assert_true(saying_get(&reader, &saying));
        bench->says++;
        buffer_add_text(&bench->lines, saying.lines);
    } else {
        assert_int_equal(frame->type, COURIER_SAY_HEARD);
        saying.turn = get_u64(&reader);
        bench->heards++;
    }
    bench->turn = saying.turn;
    return true;
}

static void on_closed(void *context)
{
    struct bench *bench = CONTEXT(context, struct bench, BENCH_MAGIC);
    bench->is_closed = true;
    loop_stop(bench->loop);
}

static const struct channel_events ledger_events = { at_ledger, on_closed };
static const struct channel_events courier_events = { at_courier, on_closed };

static void stop(void *context)
{
    loop_stop(context);
}

static void turns(struct bench *bench)
{
    struct timer *timer = timer_new(bench->loop, stop, bench->loop);
    timer_set(timer, 20);
    loop_run(bench->loop);
    timer_free(timer);
}

static void bench_open(struct bench *bench, bool trusts, bool sends, int folder)
{
    int ends[2];
    *bench = (struct bench){ .magic = BENCH_MAGIC, .loop = loop_new() };
    bench->trusted[0] = TEXT("Wall2.example");
    bench->collectors[0] = TEXT("192.0.2.1:2425");
    bench->config.node.number = 10;
    bench->config.node.trusted = (struct text_list){ bench->trusted, trusts };
    bench->config.ledger.collectors = (struct text_list){ bench->collectors, sends };
    bench->declarations = declarations_new();
    declarations_start(bench->declarations, folder, 10, 0);
    bench->exchange = exchange_new(bench->loop, &bench->config, bench->declarations);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    bench->ledger = channel_open(bench->loop, ends[0], &ledger_events, bench);
    bench->courier = channel_open(bench->loop, ends[1], &courier_events, bench);
    exchange_set_courier(bench->exchange, bench->ledger);
}

static void bench_close(struct bench *bench)
{
    exchange_free(bench->exchange);
    channel_close(bench->ledger);
    channel_close(bench->courier);
    declarations_free(bench->declarations);
    buffer_free(&bench->lines);
    loop_free(bench->loop);
}

static void peer(struct bench *bench, uint64_t id, uint16_t number, const char *name)
{
    courier_peer_put(&(struct courier_peer){ .is_listening = 1, .number = number, .name = text_of(name) },
                     channel_begin(bench->courier, COURIER_PEER, id));
    channel_end(bench->courier);
}

static void says(struct bench *bench, uint64_t id, uint64_t turn, const char *lines)
{
    saying_put(&(struct saying){ turn, text_of(lines) },
               channel_begin(bench->courier, COURIER_PEER_SAYS, id));
    channel_end(bench->courier);
}

static const struct taken_row {
    const char *what;
    bool trusts, sends; /* the configuration */
    uint64_t id;
    uint16_t number;
    const char *name;
    unsigned taken; /* of four lines: of node 11, of node 12, of this one, none at all */
} taken[] = {
    { "a trusted node: its own, and ours", true, false, 1, 11, "wall2.example", 2 },
    { "a trusted node that nobody names", false, false, 1, 11, "wall2.example", 0 },
    { "another node with a trusted one's number", true, false, 1, 11, "edge1.example", 0 },
    { "the collector", false, true, COURIER_OUTWARD | 1, 0, "wall1.example", 3 },
    { "a collector, where events go nowhere", false, false, COURIER_OUTWARD | 1, 0, "wall1.example", 0 },
    { "the same, with a trusted name", true, false, COURIER_OUTWARD | 1, 0, "wall2.example", 0 },
};

static void who_may_say(void **state)
{
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        const struct taken_row *row = &taken[i];
        struct bench bench;
        bench_open(&bench, row->trusts, row->sends, -1);
        peer(&bench, row->id, row->number, row->name);
        says(&bench, row->id, 7,
             "say 1011 entry 0 1 root x\nsay 1012 entry 0 1 root x\nsay 1010 entry 0 1 root x\nnonsense\n");
        turns(&bench);
        assert_false(bench.is_closed);
        if (declarations_count(bench.declarations) != row->taken)
            fail_msg("%s: %zu", row->what, declarations_count(bench.declarations));
        assert_int_equal(bench.heards, 1);
        assert_int_equal(exchange_facts(bench.exchange).heard, row->taken);
        assert_true(exchange_facts(bench.exchange).left_out > 0);
        bench_close(&bench);
    }
}

static const struct {
    const char *what;
    uint64_t id;
    uint16_t number;
} malformed[] = {
    { "a node that came, as a collector", 1, 0 },
    { "a collector with a node's number", COURIER_OUTWARD | 1, 11 },
};

static void nonsense(void **state)
{
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        struct bench bench;
        bench_open(&bench, true, true, -1);
        peer(&bench, malformed[i].id, malformed[i].number, "wall2.example");
        turns(&bench);
        if (!bench.is_closed) fail_msg("%s", malformed[i].what);
        bench_close(&bench);
    }
}

static void fill(struct bench *bench, unsigned count)
{
    char line[100];
    for (unsigned i = 1; i <= count; i++) {
        snprintf(line, sizeof line, "say %u entry 0 1 root block bad%u.example", i * 1000 + 12, i);
        assert_int_equal(declarations_hear(bench->declarations, text_of(line), 0), DECLARATION_NEW);
    }
    assert_true(declarations_keep(bench->declarations));
}

static size_t lines_of(struct bench *bench)
{
    size_t count = 0;
    struct text line, rest = buffer_text(&bench->lines);
    while (text_next_line(&rest, &line)) count++;
    return count;
}

static void one_at_a_time(void **state)
{
    enum { MANY = 3000, PIECES = 3 };
    struct bench bench;
    bench_open(&bench, true, false, -1);
    fill(&bench, MANY);
    peer(&bench, 1, 11, "wall2.example");
    for (unsigned piece = 1; piece <= PIECES; piece++) {
        turns(&bench);
        assert_int_equal(bench.says, piece);                           /* no more before HEARD */
        courier_number_send(bench.courier, COURIER_PEER_HEARD, 1, 99); /* of no turn that was said */
        turns(&bench);
        assert_int_equal(bench.says, piece);
        courier_number_send(bench.courier, COURIER_PEER_HEARD, 1, bench.turn);
    }
    turns(&bench);
    assert_int_equal(bench.says, PIECES);
    assert_int_equal(lines_of(&bench), MANY);
    buffer_clear(&bench.lines);
    /* What changes later goes at once, to others, too. */
    peer(&bench, 2, 13, "edge1.example");
    turns(&bench);
    bench.says = 0;
    says(&bench, 1, 1,
         "end 1012 entry 0 1 root 11 5 block bad1.example\nsay 2012 entry 0 1 root block bad2.example\n");
    turns(&bench);
    assert_int_equal(bench.says, 1); /* to the second one nothing: it has not heard its first yet */
    bench_close(&bench);
}

/* The folder cannot be written: nothing is said to be heard until it can. */
static void on_disk_first(void **state)
{
    struct bench bench;
    int none = open("/proc/self", O_RDONLY | O_DIRECTORY);
    bench_open(&bench, true, false, none);
    peer(&bench, 1, 11, "wall2.example");
    says(&bench, 1, 7, "say 1011 entry 0 1 root x\n");
    turns(&bench);
    assert_int_equal(bench.heards, 0);
    assert_int_equal(bench.says, 0);
    char path[] = "/tmp/exchange-XXXXXX";
    assert_non_null(mkdtemp(path));
    int folder = open(path, O_RDONLY | O_DIRECTORY);
    dup2(folder, none);
    exchange_look(bench.exchange);
    turns(&bench);
    assert_int_equal(bench.heards, 1);
    assert_int_equal(bench.turn, 7);
    assert_int_equal(bench.says, 1); /* and it is told it back, as all that there is */
    unlinkat(folder, "declarations", 0);
    rmdir(path);
    bench_close(&bench);
    close(folder);
    close(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_may_say),
        cmocka_unit_test(nonsense),
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(on_disk_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
