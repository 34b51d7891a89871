/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What processes talk with: ids, rings, channels, bodies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/codec.h"
#include "ipc/ask_helper.h"
#include "ipc/body.h"
#include "ipc/channel.h"
#include "ipc/event.h"
#include "ipc/health.h"
#include "ipc/message_id.h"
#include "ipc/ring.h"

static void ids(void **state)
{
    struct message_id_source one = { .process = 1 }, two = { .process = 2 };
    uint64_t last = 0, now = 1795577385123;
    for (int i = 0; i < 200000; i++) {
        uint64_t wall = i < 100000 ? now : now - 5000; /* the clock steps back */
        uint64_t id = message_id_next(&one, wall);
        assert_true(id > last);
        assert_true(message_id_next(&two, wall) != id);
        last = id;
    }
    struct message_id_source nodes[2] = { { .process = 1, .node = 2 }, { .process = 1, .node = 255 } };
    for (int i = 0; i < 2000; i++) { /* more than a millisecond has numbers for */
        uint64_t id = message_id_next(&nodes[0], now), other = message_id_next(&nodes[1], now);
        assert_int_equal(message_id_node(id), 2);
        assert_int_equal(message_id_node(other), 255);
        assert_int_not_equal(id, other);
    }
    struct message_id_source restarted = { .process = 1 };
    message_id_resume(&restarted, one.last); /* another process, its clock set back */
    assert_true(message_id_next(&restarted, now - 3600000) > last);
    struct message_id_source behind = { .process = 1 };
    message_id_resume_behind(&behind, last);
    assert_true(message_id_next(&behind, now - 3600000) > last);
    message_id_resume(&restarted, UINT64_MAX); /* from a damaged page */
    assert_true(message_id_next(&restarted, now) > last);
    char room[MESSAGE_ID_SIZE];
    uint64_t back;
    assert_true(message_id_parse(text_of(message_id_print(last, room)), &back) && back == last);
    assert_true(message_id_parse(text_of(message_id_print(UINT64_MAX, room)), &back) && back == UINT64_MAX);
    assert_false(message_id_parse(TEXT("ZZZZZZZZZZZZZ"), &back));
    assert_false(message_id_parse(TEXT("6H11EV27G000U"), &back));
    assert_false(message_id_parse(TEXT("6H11EV27G000"), &back));
}

static int shared_file(void)
{
    int fd = memfd_create("ring", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* What strangers bring about fills half of the ring; the other half stays for the account. All that finds no
   room is counted, each sort apart, until the counts begin anew. */
static void ring_keeps_room(void **state)
{
    int fd = shared_file();
    struct ring *ring = ring_map(fd);
    static const char bytes[1000];
    struct text record = text_from(bytes, sizeof bytes);
    uint64_t minor = 0, major = 0;
    ring_count_since(ring, 1000);
    while (ring_append_minor(ring, record)) minor++;
    assert_in_range(ring_fill_percent(ring), 49, 50);
    while (ring_append(ring, record)) major++;
    assert_in_range(ring_fill_percent(ring), 99, 100);
    assert_in_range(major, minor - 2, minor + 2);
    assert_false(ring_append_minor(ring, record));
    ring_count_lost_minor(ring);
    assert_int_equal(ring_lost(ring), 1);
    assert_int_equal(ring_lost_minor(ring), 3);
    ring_count_since(ring, 1000);
    assert_int_equal(ring_lost(ring), 1);
    assert_int_equal(ring_lost_minor(ring), 3);
    ring_count_since(ring, 2000);
    assert_int_equal(ring_lost(ring), 0);
    assert_int_equal(ring_lost_minor(ring), 0);
    ring_unmap(ring);
    close(fd);
}

/* One refusal has the bytes it had in all versions; several have their number behind. */
static void refusals_are_counted(void **state)
{
    static const struct {
        uint32_t count, messages, count_back, messages_back;
    } rows[] = { { 0, 0, 1, 0 }, { 1, 1, 1, 0 }, { 2, 0, 2, 0 }, { 70000, 30, 70000, 30 } };
    struct arena *arena = arena_new(0);
    struct buffer record = { 0 };
    size_t length = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct event_refused event = { .code = 550, .count = rows[i].count, .messages = rows[i].messages },
                             back;
        buffer_clear(&record);
        event_refused_put(&event, &record);
        if (i == 0) length = buffer_length(&record);
        assert_int_equal(buffer_length(&record), rows[i].count > 1 ? length + 8 : length);
        assert_true(event_refused_get(arena, buffer_text(&record), &back));
        assert_int_equal(back.count, rows[i].count_back);
        assert_int_equal(back.messages, rows[i].messages_back);
        assert_int_equal(back.cause.length, 0);
        event.cause = TEXT("LIST_PARTNER");
        buffer_clear(&record);
        event_refused_put(&event, &record);
        assert_true(event_refused_get(arena, buffer_text(&record), &back));
        assert_int_equal(back.count, rows[i].count_back);
        assert_true(text_equal(back.cause, event.cause));
    }
    buffer_free(&record);
    arena_free(arena);
}

/* Records of many sizes, read in bursts, over several turns of the ring: nothing is missed, nothing comes
 * twice. */
static void ring_turns(void **state)
{
    int fd = shared_file();
    struct ring *writer = ring_map(fd), *reader = ring_map(fd);
    static char bytes[RING_RECORD_LIMIT];
    uint64_t wrote = 0, read_count = 0, position = ring_tail(reader);
    while (wrote < 60000) {
        size_t length = 8 + wrote * 37 % 900;
        memset(bytes, (int)(wrote % 251), length);
        memcpy(bytes, &wrote, sizeof wrote);
        if (ring_append(writer, text_from(bytes, length))) {
            wrote++;
            if (wrote % 1000) continue;
        }
        struct text record;
        while (ring_next(reader, &position, &record)) {
            uint64_t number;
            memcpy(&number, record.at, sizeof number);
            assert_true(number == read_count);
            assert_int_equal(record.length, 8 + number * 37 % 900);
            assert_int_equal((uint8_t)record.at[record.length - 1],
                             record.length > 8 ? number % 251 : number >> 56);
            read_count++;
        }
        ring_release(reader, position);
    }
    assert_int_equal(ring_lost(writer), 0);
    ring_unmap(writer);
    ring_unmap(reader);
    close(fd);
}

static void ring_full_and_remapped(void **state)
{
    int fd = shared_file();
    struct ring *ring = ring_map(fd);
    static char bytes[4000];
    unsigned kept = 0;
    while (ring_append(ring, text_from(bytes, sizeof bytes))) kept++;
    assert_true(kept > 900 && ring_fill_percent(ring) >= 98);
    assert_int_equal(ring_lost(ring), 1);
    assert_false(ring_append(ring, text_from(bytes, RING_RECORD_LIMIT + 1)));
    ring_unmap(ring);
    ring = ring_map(fd); /* as after kill -9: what was there is there */
    uint64_t position = ring_tail(ring);
    struct text record;
    unsigned found = 0;
    while (ring_next(ring, &position, &record)) found++;
    assert_int_equal(found, kept);
    ring_unmap(ring);
    assert_int_equal(pwrite(fd, "garbage!garbage!", 16, 0), 16);
    ring = ring_map(fd); /* a damaged header: it starts anew */
    position = ring_tail(ring);
    assert_false(ring_next(ring, &position, &record));
    assert_true(ring_append(ring, TEXT("new")));
    assert_true(ring_next(ring, &position, &record) && text_equal(record, TEXT("new")));
    ring_unmap(ring);
    close(fd);
}

/* Whatever stands where a record should, one event is lost at most, and what is appended afterwards is read.
 */
static void ring_damaged(void **state)
{
    static const uint32_t rubbish[][2] = { { UINT32_MAX, 0 }, { UINT32_MAX - 1, 7 }, { 0, 0 }, { 3, 0 } };
    for (size_t i = 0; i < sizeof rubbish / sizeof *rubbish; i++) {
        int fd = shared_file();
        struct ring *ring = ring_map(fd);
        struct text record;
        assert_true(ring_append(ring, TEXT("damaged")));
        assert_int_equal(pwrite(fd, rubbish[i], sizeof rubbish[i], 4096), sizeof rubbish[i]);
        uint64_t position = ring_tail(ring);
        assert_false(ring_next(ring, &position, &record));
        ring_release(ring, position);
        assert_int_equal(ring_lost(ring), 1);
        assert_true(ring_append(ring, TEXT("next")));
        assert_true(ring_next(ring, &position, &record) && text_equal(record, TEXT("next")));
        ring_unmap(ring);
        close(fd);
    }
}

/* What the version before appended is read, and a byte of it that changed is not. */
static void ring_of_before(void **state)
{
    for (int damage = 0; damage < 2; damage++) {
        int fd = shared_file();
        struct ring *ring = ring_map(fd);
        struct text record;
        assert_true(ring_append(ring, TEXT("of before")));
        uint32_t before = (uint32_t)text_checksum(TEXT("of before")) + (uint32_t)damage;
        assert_int_equal(pwrite(fd, &before, sizeof before, 4096 + 4), sizeof before);
        uint64_t position = ring_tail(ring);
        assert_int_equal(ring_next(ring, &position, &record), !damage);
        if (!damage) assert_true(text_equal(record, TEXT("of before")));
        ring_unmap(ring);
        close(fd);
    }
}

/* Who waits without a limit gets what comes later, and the end, whether his socket blocks or not. */
static void waits_without_limit(void **state)
{
    static const int flags[] = { 0, SOCK_NONBLOCK };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        int pair[2];
        struct frame frame;
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | flags[i], 0, pair), 0);
        pid_t sender = fork();
        assert_true(sender >= 0);
        if (sender == 0) {
            usleep(20000);
            _exit(channel_send_now(pair[1], 7, 8, TEXT("late"), NULL, 0) ? 0 : 1);
        }
        close(pair[1]);
        assert_true(channel_wait(pair[0], -1, &frame));
        assert_true(frame.type == 7 && frame.id == 8 && text_equal(frame.payload, TEXT("late")));
        assert_false(channel_wait(pair[0], -1, &frame));
        waitpid(sender, NULL, 0);
        close(pair[0]);
    }
}

/* A position that the other side made up costs what stands in the ring, and nothing else. */
static void ring_positions_made_up(void **state)
{
    enum { HEAD = 64, TAIL = 128 };
    static const uint64_t heads[] = { 1,          7,         RING_FILE_BYTES - 4096 - 1, RING_FILE_BYTES,
                                      UINT64_MAX, 1ull << 62 },
                          tails[] = { 0, 3, RING_FILE_BYTES - 4096 - 1, UINT64_MAX - 6 };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        for (size_t k = 0; k < sizeof tails / sizeof *tails; k++) {
            int fd = shared_file();
            struct ring *ring = ring_map(fd);
            struct text record;
            assert_true(ring_append(ring, TEXT("one")));
            assert_int_equal(pwrite(fd, &heads[i], 8, HEAD), 8);
            assert_int_equal(pwrite(fd, &tails[k], 8, TAIL), 8);
            uint64_t position = ring_tail(ring);
            for (int turn = 0; turn < 3 && ring_next(ring, &position, &record); turn++)
                assert_true(record.length <= RING_RECORD_LIMIT);
            ring_append(ring, TEXT("two"));
            ring_unmap(ring);
            ring = ring_map(fd); /* as by the next life */
            assert_true(ring_append(ring, TEXT("next")));
            ring_unmap(ring);
            close(fd);
        }
}

struct end {
    struct loop *loop;
    struct channel *channel;
    uint64_t next, stop_at;
    int fd_sum;
    bool closed, refuses;
};

static bool on_frame(void *context, struct frame *frame)
{
    struct end *end = context;
    if (end->refuses) return false;
    assert_true(frame->id == end->next);
    assert_int_equal(frame->type, end->next % 7);
    assert_int_equal(frame->payload.length, end->next * 131 % 100000);
    int fd = frame_take_fd(frame, 0);
    assert_int_equal(fd >= 0, end->next % 10 == 0);
    if (fd >= 0) {
        end->fd_sum++;
        close(fd);
    }
    if (++end->next == end->stop_at) loop_stop(end->loop);
    return true;
}

static void on_closed(void *context)
{
    struct end *end = context;
    end->closed = true;
    loop_stop(end->loop);
}

static const struct channel_events events = { on_frame, on_closed };

static void channel_order(void **state)
{
    enum { FRAMES = 2000 };
    struct loop *loop = loop_new();
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    struct end a = { .loop = loop }, b = { .loop = loop, .stop_at = FRAMES };
    a.channel = channel_open(loop, pair[0], &events, &a);
    b.channel = channel_open(loop, pair[1], &events, &b);
    static char bytes[100000];
    for (uint64_t i = 0; i < FRAMES; i++) {
        int fd = i % 10 == 0 ? dup(pair[0]) : -1;
        channel_send_fds(a.channel, (uint16_t)(i % 7), i, text_from(bytes, i * 131 % sizeof bytes), &fd,
                         i % 10 == 0);
    }
    loop_run(loop);
    assert_int_equal(b.next, FRAMES);
    assert_int_equal(b.fd_sum, FRAMES / 10);
    assert_int_equal(channel_backlog(a.channel), 0);
    b.refuses = true; /* a malformed frame costs the channel, on both sides */
    channel_send(a.channel, 1, 1, TEXT("nonsense"));
    loop_run(loop);
    assert_true(b.closed);
    channel_close(b.channel);
    while (!a.closed) loop_run(loop);
    channel_close(a.channel);
    loop_free(loop);
}

static void note(struct channel *channel, uint64_t id)
{
    static const char bytes[131 * 4];
    buffer_add(channel_begin(channel, (uint16_t)id, id), bytes, id * 131);
    channel_end_note(channel);
}

static void stop(void *context)
{
    loop_stop(context);
}

/* A note leaves before what is sent after it, or by itself a moment later, and is not lost with the loop. */
static void channel_notes(void **state)
{
    struct loop *loop = loop_new();
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    struct end a = { .loop = loop }, b = { .loop = loop, .next = 1, .stop_at = 3 };
    a.channel = channel_open(loop, pair[0], &events, &a);
    b.channel = channel_open(loop, pair[1], &events, &b);
    static const char bytes[262];
    note(a.channel, 1);
    channel_send(a.channel, 2, 2, text_from(bytes, sizeof bytes));
    loop_run(loop);
    assert_int_equal(b.next, 3);
    b.stop_at = 4;
    note(a.channel, 3);
    loop_run(loop);
    assert_int_equal(b.next, 4);
    struct deferred end = { .run = stop, .context = loop };
    struct frame frame;
    loop_defer(loop, &end);
    note(a.channel, 4);
    loop_run(loop);
    assert_true(channel_wait(pair[1], 0, &frame) && frame.id == 4);
    channel_close(a.channel);
    channel_close(b.channel);
    loop_free(loop);
}

/* What a peer said before it was killed is heard, though it left frames unread and takes no more. */
static void channel_last_words(void **state)
{
    enum { WORDS = 20 };
    static char bytes[100000];
    for (int writes_on = 0; writes_on < 2; writes_on++) {
        struct loop *loop = loop_new();
        int pair[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
        struct end end = { .loop = loop };
        end.channel = channel_open(loop, pair[0], &events, &end);
        channel_send(end.channel, 1, 1, TEXT("never read"));
        channel_flush(end.channel);
        for (uint64_t i = 0; i < WORDS; i++) {
            int fd = i % 10 == 0 ? dup(pair[0]) : -1;
            assert_true(channel_send_now(pair[1], (uint16_t)(i % 7), i,
                                         text_from(bytes, i * 131 % sizeof bytes), &fd, i % 10 == 0));
            if (fd >= 0) close(fd);
        }
        close(pair[1]);
        if (writes_on) {
            channel_send(end.channel, 1, 2, TEXT("to nobody"));
            channel_flush(end.channel);
            channel_send(end.channel, 1, 3, TEXT("to nobody"));
        }
        loop_run(loop);
        assert_int_equal(end.next, WORDS);
        assert_true(end.closed);
        assert_int_equal(channel_backlog(end.channel), 0);
        channel_close(end.channel);
        loop_free(loop);
    }
}

static void malformed_packets(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } rows[] = { { "", 1 },
                 { "short", 5 },
                 { "\1\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0abc", 19 },
                 { "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0x", 17 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int pair[2];
        struct frame frame;
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        assert_int_equal(send(pair[0], rows[i].bytes, rows[i].length, 0), (ssize_t)rows[i].length);
        assert_false(channel_wait(pair[1], 1000, &frame));
        close(pair[0]);
        close(pair[1]);
    }
}

static void body_travels(size_t size)
{
    struct body body = { 0 }, there;
    struct buffer wanted = { 0 };
    for (size_t i = 0; i < size; i += 1000) {
        char piece[1000];
        memset(piece, (int)(i / 1000), sizeof piece);
        buffer_add(&wanted, piece, sizeof piece);
        assert_true(body_append(&body, text_from(piece, sizeof piece)));
    }
    assert_true(body_finish(&body));
    struct buffer bytes = { 0 };
    struct frame frame = { 0 };
    int index = 0;
    body_put(&body, &bytes, frame.fds, &frame.fd_count);
    frame.payload = buffer_text(&bytes);
    struct reader reader = reader_of(frame.payload);
    assert_true(body_get(&reader, &frame, &index, &there));
    assert_true(reader_done(&reader));
    assert_true(text_equal(body_text(&there), buffer_text(&wanted)));
    assert_int_equal(there.fd > 0, size > BODY_INLINE_LIMIT);
    if (there.fd > 0) assert_true(write(there.fd, "x", 1) < 0); /* sealed */
    body_free(&there);
    body_free(&body);
    buffer_free(&bytes);
    buffer_free(&wanted);
}

static void bodies(void **state)
{
    body_travels(0);
    body_travels(1000);
    body_travels(BODY_INLINE_LIMIT / 1000 * 1000);
    body_travels(3000000);
}

static void bodies_that_lie(void **state)
{
    int unsealed = memfd_create("body", MFD_CLOEXEC | MFD_ALLOW_SEALING), pipe_fds[2];
    assert_int_equal(write(unsealed, "12345", 5), 5);
    assert_int_equal(pipe(pipe_fds), 0);
    const int fds[] = { unsealed, pipe_fds[0], -1 };
    for (int i = 0; i < 3; i++) {
        struct buffer bytes = { 0 };
        struct frame frame = { .fds = { fds[i] < 0 ? -1 : dup(fds[i]) }, .fd_count = fds[i] >= 0 };
        struct body body;
        int index = 0;
        put_u8(&bytes, 1);
        put_u64(&bytes, 5);
        struct reader reader = reader_of(buffer_text(&bytes));
        assert_false(body_get(&reader, &frame, &index, &body));
        buffer_free(&bytes);
    }
    close(unsealed);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

/* However long the texts, a record fits the ring and every recipient is told of once. */
/* What comes out is what went in, cut at its limits; one byte less or more is refused. */
static void alarms_travel(void **state)
{
    char longest[ALARM_TEXT_MOST + 1];
    memset(longest, 'x', sizeof longest);
    struct alarm_notice in = { .time_ms = 1795577385123,
                               .state = ALARM_STATE_OVER,
                               .alarm = TEXT("certificates"),
                               .english = text_from(longest, sizeof longest),
                               .local = TEXT("残り 2 日") },
                        out;
    struct buffer bytes = { 0 };
    alarm_notice_put(&in, &bytes);
    struct text whole = buffer_text(&bytes);
    assert_true(alarm_notice_get(whole, &out));
    assert_true(out.time_ms == in.time_ms && out.state == in.state && text_equal(out.alarm, in.alarm) &&
                text_equal(out.local, in.local));
    assert_int_equal(out.english.length, ALARM_TEXT_MOST);
    for (size_t length = 0; length < whole.length; length++)
        assert_false(alarm_notice_get(text_slice(whole, 0, length), &out));
    buffer_add_char(&bytes, 'x');
    assert_false(alarm_notice_get(buffer_text(&bytes), &out));
    buffer_clear(&bytes);
    in.alarm = TEXT_NONE;
    alarm_notice_put(&in, &bytes);
    assert_false(alarm_notice_get(buffer_text(&bytes), &out));
    buffer_clear(&bytes);
    in.alarm = TEXT("test");
    in.state = ALARM_STATES;
    alarm_notice_put(&in, &bytes);
    assert_false(alarm_notice_get(buffer_text(&bytes), &out));
    buffer_free(&bytes);
}

static void ends_of_programs_are_said(void **state)
{
    static const struct {
        struct program_end end;
        bool is_good;
        const char *says;
    } rows[] = {
        { { PROGRAM_EXITED, 0, 12 }, true, "ended with exit code 0 after 12 ms" },
        { { PROGRAM_EXITED, 3, 12 }, false, "ended with exit code 3 after 12 ms" },
        { { PROGRAM_KILLED, 11, 5 }, false, "was killed by signal 11 after 5 ms" },
        { { PROGRAM_LATE, 0, 30001 }, false, "was killed: its time was over after 30001 ms" },
        { { PROGRAM_REFUSED, 0, 0 }, false, "was not run" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer bytes = { 0 }, says = { 0 };
        struct program_end out;
        program_end_put(&rows[i].end, &bytes);
        assert_true(program_end_get(buffer_text(&bytes), &out));
        assert_memory_equal(&out, &rows[i].end, sizeof out);
        assert_false(program_end_get(text_slice(buffer_text(&bytes), 1, SIZE_MAX), &out));
        assert_int_equal(program_end_is_good(&rows[i].end), rows[i].is_good);
        program_end_say(&rows[i].end, &says);
        assert_true(text_equal(buffer_text(&says), text_of(rows[i].says)));
        buffer_free(&bytes);
        buffer_free(&says);
    }
}

static void events_of_any_size(void **state)
{
    static char long_bytes[5000];
    static struct event_recipient recipients[500];
    static struct event_signal signals[300];
    memset(long_bytes, 'x', sizeof long_bytes);
    struct text longest = text_from(long_bytes, sizeof long_bytes);
    for (int i = 0; i < 300; i++) signals[i] = (struct event_signal){ longest, i };
    for (int i = 0; i < 500; i++)
        recipients[i] = (struct event_recipient){ .address = longest, .hold = (uint8_t)(i % 4) };
    static struct part_digest parts[PART_DIGESTS_MOST] = { { .is_infected = true } };
    struct event_judgement judgement = { true,
                                         CLASS_SPAM,
                                         7.5,
                                         longest,
                                         longest,
                                         longest,
                                         longest,
                                         longest,
                                         300,
                                         signals,
                                         { .is_made = true,
                                           .fate = FATE_COUNT - 1,
                                           .author = longest,
                                           .spf_domain = longest,
                                           .dkim_domain = longest,
                                           .excuse_of = longest,
                                           .list = longest,
                                           .list_domain = longest },
                                         text_slice(longest, 0, 120),
                                         PART_DIGESTS_MOST,
                                         parts };
    struct event_accepted event = { .id = 1,
                                    .helo = longest,
                                    .sender = longest,
                                    .judgement = judgement,
                                    .recipient_count = 500,
                                    .recipients = recipients },
                          back;
    struct event_refused refused = { .is_message = true,
                                     .helo = longest,
                                     .sender = longest,
                                     .recipient = longest,
                                     .reply = longest,
                                     .judgement = judgement },
                         refused_back;
    struct arena *arena = arena_new(0);
    struct buffer record = { 0 };
    for (uint32_t first = 0, told; first < 500; first += told) {
        buffer_clear(&record);
        told = event_accepted_put(&event, first, &record);
        assert_true(told > 0 && buffer_length(&record) <= RING_RECORD_LIMIT);
        uint32_t said;
        assert_true(event_accepted_get(arena, buffer_text(&record), &back, &said));
        assert_int_equal(said, first);
        assert_int_equal(back.recipient_count, told);
        assert_int_equal(back.recipients[told - 1].hold, (first + told - 1) % 4);
        assert_int_equal(back.judgement.class, CLASS_SPAM);
        assert_int_equal(back.judgement.signal_count > 0, first == 0);
        assert_int_equal(back.judgement.proof.is_made, first == 0);
        assert_int_equal(back.judgement.part_count > 12, first == 0);
        assert_int_equal(back.judgement.proof.author.length, first == 0 ? PROOF_DOMAIN_MOST : 0);
    }
    recipients[0].address.length = event.sender.length = 2000; /* as a command line may have them */
    buffer_clear(&record);
    assert_true(event_accepted_put(&event, 0, &record) > 0);
    uint32_t zero;
    assert_true(event_accepted_get(arena, buffer_text(&record), &back, &zero));
    assert_int_equal(back.recipients[0].address.length, 2000);
    assert_int_equal(back.sender.length, 2000);
    assert_true(back.judgement.part_count > 12);
    buffer_clear(&record);
    event_refused_put(&refused, &record);
    assert_true(buffer_length(&record) <= RING_RECORD_LIMIT);
    assert_true(event_refused_get(arena, buffer_text(&record), &refused_back));
    assert_true(refused_back.judgement.score == 7.5);
    assert_int_equal(refused_back.judgement.proof.fate, FATE_COUNT - 1);
    assert_int_equal(refused_back.judgement.part_count, 0); /* there is no room beside all that */
    buffer_free(&record);
    arena_free(arena);
}

static void events_of_late_finds(void **state)
{
    struct part_digest part = { .bytes = { 9 }, .is_infected = true };
    struct event_found event = { .id = 5,
                                 .time_ms = 6,
                                 .class = CLASS_PHISHING,
                                 .is_queued = true,
                                 .virus = TEXT("v"),
                                 .engine = TEXT("e"),
                                 .part = TEXT("p"),
                                 .part_count = 1,
                                 .parts = &part },
                       back;
    struct arena *arena = arena_new(0);
    struct buffer record = { 0 };
    event_found_put(&event, &record);
    assert_int_equal(event_kind_of(buffer_text(&record)), EVENT_FOUND);
    assert_true(event_found_get(arena, buffer_text(&record), &back));
    assert_true(back.id == 5 && back.time_ms == 6 && back.is_queued && back.class == CLASS_PHISHING);
    assert_true(text_equal(back.part, TEXT("p")) && back.part_count == 1 && back.parts[0].bytes[0] == 9);
    for (size_t length = 0; length < buffer_length(&record); length++)
        assert_false(event_found_get(arena, text_slice(buffer_text(&record), 0, length), &back));
    struct event_missed missed = { .time_ms = 1, .digest = 2, .kind = TEXT("virus") }, missed_back;
    for (uint32_t parts = 0; parts < 2; parts++) { /* older versions tell of none */
        missed.part_count = parts;
        missed.parts = &part;
        buffer_clear(&record);
        event_missed_put(&missed, &record);
        assert_true(event_missed_get(arena, buffer_text(&record), &missed_back));
        assert_int_equal(missed_back.part_count, parts);
    }
    event.class = CLASS_SPAM; /* nothing else is found late */
    buffer_clear(&record);
    event_found_put(&event, &record);
    assert_false(event_found_get(arena, buffer_text(&record), &back));
    buffer_free(&record);
    arena_free(arena);
}

/* What a version without parts wrote differs in one octet, and ends behind the proof. */
static void events_of_before_parts(void **state)
{
    struct part_digest parts[2] = { { .bytes = { 1, 2, 3 }, .is_infected = true }, { .bytes = { 4 } } };
    struct event_recipient recipient = { .address = TEXT("a@a.test") };
    struct event_accepted event = { .id = 7,
                                    .judgement = { .is_judged = true,
                                                   .proof = { .is_made = true, .author = TEXT("a.test") } },
                                    .recipient_count = 1,
                                    .recipients = &recipient },
                          back;
    struct arena *arena = arena_new(0);
    struct buffer old = { 0 }, new = { 0 };
    uint32_t first;
    event_accepted_put(&event, 0, &old);
    event.judgement.part_count = 2;
    event.judgement.parts = parts;
    event_accepted_put(&event, 0, &new);
    assert_int_equal(buffer_length(&new), buffer_length(&old) + 1 + 4 + 2 * 17);
    assert_true(event_accepted_get(arena, buffer_text(&old), &back, &first));
    assert_int_equal(back.judgement.part_count, 0);
    assert_true(text_equal(back.judgement.proof.author, TEXT("a.test")));
    assert_true(event_accepted_get(arena, buffer_text(&new), &back, &first));
    assert_int_equal(back.judgement.part_count, 2);
    assert_memory_equal(back.judgement.parts[0].bytes, parts[0].bytes, PART_DIGEST_BYTES);
    assert_true(back.judgement.parts[0].is_infected && !back.judgement.parts[1].is_infected);
    assert_true(text_equal(back.judgement.proof.author, TEXT("a.test")));
    struct event_refused refused = { .is_message = true, .count = 1, .judgement = event.judgement },
                         refused_back;
    buffer_clear(&new);
    event_refused_put(&refused, &new);
    assert_true(event_refused_get(arena, buffer_text(&new), &refused_back));
    assert_int_equal(refused_back.judgement.part_count, 2);
    event.judgement.not_opened = TEXT("zip,vhd");
    buffer_clear(&new);
    event_accepted_put(&event, 0, &new);
    assert_true(event_accepted_get(arena, buffer_text(&new), &back, &first));
    assert_true(text_equal(back.judgement.not_opened, TEXT("zip,vhd")) && back.judgement.part_count == 2);
    event.judgement.part_count = 0;
    buffer_clear(&new);
    event_accepted_put(&event, 0, &new);
    assert_true(event_accepted_get(arena, buffer_text(&new), &back, &first));
    assert_true(text_equal(back.judgement.not_opened, TEXT("zip,vhd")) && back.judgement.part_count == 0);
    event.judgement.not_opened = TEXT_NONE;
    event.judgement.part_count = 2;
    event.judgement.proof.is_made = false; /* parts alone */
    buffer_clear(&new);
    event_accepted_put(&event, 0, &new);
    assert_true(event_accepted_get(arena, buffer_text(&new), &back, &first));
    assert_true(back.judgement.part_count == 2 && !back.judgement.proof.is_made);
    for (size_t length = 0; length < buffer_length(&new); length++)
        assert_false(event_accepted_get(arena, text_slice(buffer_text(&new), 0, length), &back, &first));
    buffer_free(&old);
    buffer_free(&new);
    arena_free(arena);
}

/* What a version without proofs wrote differs in one octet, and ends behind the signals. */
static void events_of_before_proofs(void **state)
{
    struct event_refused event = { .code = 550,
                                   .count = 1,
                                   .judgement = { .is_judged = true, .score = 2.5 } },
                         back;
    struct arena *arena = arena_new(0);
    struct buffer old = { 0 }, new = { 0 };
    event.is_message = true;
    event_refused_put(&event, &old);
    event.judgement.proof = (struct proof){ .is_made = true, .spf = PROOF_PASS, .author = TEXT("a.test") };
    event_refused_put(&event, &new);
    assert_true(buffer_length(&new) == buffer_length(&old) + 8 + 4 * 4 + 6);
    assert_true(event_refused_get(arena, buffer_text(&old), &back));
    assert_false(back.judgement.proof.is_made);
    assert_true(back.judgement.score == 2.5);
    assert_true(event_refused_get(arena, buffer_text(&new), &back));
    assert_true(back.judgement.proof.spf == PROOF_PASS &&
                text_equal(back.judgement.proof.author, TEXT("a.test")));
    size_t differing = 0;
    for (size_t i = 0; i < buffer_length(&old); i++)
        differing += buffer_text(&old).at[i] != buffer_text(&new).at[i];
    assert_int_equal(differing, 1);
    buffer_free(&old);
    buffer_free(&new);
    arena_free(arena);
}

static void every_health_fact_has_a_name(void **state)
{
    for (int fact = 0; fact < HEALTH_FACT_COUNT; fact++) {
        const char *name = health_fact_name((enum health_fact)fact);
        assert_string_not_equal(name, "unknown");
        for (int other = 0; other < fact; other++)
            assert_string_not_equal(name, health_fact_name((enum health_fact)other));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_health_fact_has_a_name),
        cmocka_unit_test(ids),
        cmocka_unit_test(ring_keeps_room),
        cmocka_unit_test(refusals_are_counted),
        cmocka_unit_test(events_of_any_size),
        cmocka_unit_test(events_of_before_proofs),
        cmocka_unit_test(events_of_before_parts),
        cmocka_unit_test(events_of_late_finds),
        cmocka_unit_test(alarms_travel),
        cmocka_unit_test(ends_of_programs_are_said),
        cmocka_unit_test(ring_turns),
        cmocka_unit_test(ring_full_and_remapped),
        cmocka_unit_test(ring_damaged),
        cmocka_unit_test(waits_without_limit),
        cmocka_unit_test(ring_of_before),
        cmocka_unit_test(ring_positions_made_up),
        cmocka_unit_test(channel_order),
        cmocka_unit_test(channel_notes),
        cmocka_unit_test(channel_last_words),
        cmocka_unit_test(malformed_packets),
        cmocka_unit_test(bodies),
        cmocka_unit_test(bodies_that_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
