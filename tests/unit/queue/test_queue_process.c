/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The queue process itself, in its jail, with this test as master, receive and deliver. argv: the program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "config/settings.h"
#include "ipc/ask_deliver.h"
#include "ipc/ask_ledger.h"
#include "ipc/ask_queue.h"
#include "ipc/ask_report.h"
#include "ipc/counters.h"
#include "ipc/event.h"
#include "ipc/message_id.h"
#include "ipc/ring.h"
#include "ipc/voucher.h"
#include "mail/alert.h"
#include "play_master.h"

enum { WAIT_MS = 10000, QUIET_MS = 150 };

struct node {
    char state[64], config[96];
    struct played played;
    int receive, deliver, counters, events, vouchers, spool, segment;
    struct digest_key *key; /* what scan would sign with */
    uint32_t segment_number;
    uint64_t last_id;
    struct arena *arena;
};

static const char *program;

static int shared_file(size_t size)
{
    int fd = memfd_create("map", MFD_CLOEXEC);
    assert_true(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
    return fd;
}

static void node_make(struct node *node, const char *more)
{
    *node = (struct node){ .segment = -1, .receive = -1, .deliver = -1 };
    snprintf(node->state, sizeof node->state, "/tmp/queue-XXXXXX");
    assert_non_null(mkdtemp(node->state));
    node->spool = open(node->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    snprintf(node->config, sizeof node->config, "%s.conf", node->state);
    FILE *file = fopen(node->config, "w");
    assert_non_null(file);
    fprintf(file,
            "hostname mx.example.jp\nadmin postmaster@example.jp\nstate %s\nlisten 127.0.0.1:2525\n"
            "domains { example.jp 127.0.0.1:2600; down.example.jp 127.0.0.1:2601 }\n%s\n",
            node->state, more);
    fclose(file);
    node->counters = shared_file(COUNTERS_SLOTS * sizeof(struct counters_slot));
    node->events = shared_file(RING_FILE_BYTES);
    node->vouchers = shared_file(CHILD_SECRET_BYTES);
    node->key = digest_key_new(text_from((char[CHILD_SECRET_BYTES]){ 0 }, CHILD_SECRET_BYTES));
    node->arena = arena_new(0);
}

static int peer_give(struct node *node, enum process_kind kind)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    play_give_peer(&node->played, kind, ends[1]);
    close(ends[1]);
    return ends[0];
}

static void say(int fd, uint16_t type, uint64_t id, struct text payload)
{
    assert_true(channel_send_now(fd, type, id, payload, NULL, 0));
}

/* The next frame of that type; others on the way are passed over, but segments are taken. */
static void await(struct node *node, int fd, uint16_t type, struct frame *out)
{
    for (;;) {
        if (!channel_wait(fd, WAIT_MS, out)) fail_msg("no frame of type %u came", type);
        if (fd == node->deliver && out->type == DELIVER_SEGMENT) {
            struct reader reader = reader_of(out->payload);
            node->segment_number = get_u32(&reader);
            if (node->segment >= 0) close(node->segment);
            node->segment = frame_take_fd(out, 0);
            assert_true(node->segment >= 0);
            assert_int_equal(fcntl(node->segment, F_GETFL) & O_ACCMODE, O_RDONLY);
        }
        if (out->type == type) return;
    }
}

static void assert_quiet(int fd)
{
    struct frame frame;
    if (channel_wait(fd, QUIET_MS, &frame)) fail_msg("a frame of type %u came", frame.type);
}

static void node_start(struct node *node)
{
    play_start(&node->played, program, PROCESS_QUEUE, node->config);
    play_give_map(&node->played, "counters", 1, node->counters);
    play_give_map(&node->played, "events", 1, node->events);
    play_give_map(&node->played, "vouchers", 0, node->vouchers);
    play_give_folder(&node->played, "spool", node->spool);
    node->receive = peer_give(node, PROCESS_RECEIVE);
    node->deliver = peer_give(node, PROCESS_DELIVER);
    play_wait_ready(&node->played);
    struct frame frame;
    await(node, node->receive, QUEUE_SPACE, &frame);
}

static void synced(struct node *node)
{
    say(node->deliver, DELIVER_SYNCED, 0, TEXT_NONE);
}

static void node_kill(struct node *node)
{
    int status;
    kill(node->played.pid, SIGKILL);
    waitpid(node->played.pid, &status, 0);
    close(node->played.control);
    close(node->receive);
    close(node->deliver);
}

static void node_stop(struct node *node)
{
    assert_int_equal(play_stop(&node->played), EX_OK);
    close(node->receive);
    close(node->deliver);
}

static void node_free(struct node *node)
{
    char command[200];
    close(node->spool);
    close(node->counters);
    close(node->events);
    close(node->vouchers);
    digest_key_free(node->key);
    if (node->segment >= 0) close(node->segment);
    arena_free(node->arena);
    snprintf(command, sizeof command, "rm -rf %s %s", node->state, node->config);
    assert_int_equal(system(command), 0);
}

struct offer {
    const char *sender, *to[3];
    uint8_t direction, authenticated, notify;
    enum hold_reason hold;
    const char *body;
    bool is_large;
    uint64_t id, arrived_ms;                      /* 0: a fresh one, now */
    void (*tamper)(struct keep_request *request); /* after scan signed it; may be NULL */
    uint64_t ahead_ms;                            /* scan's clock before queue's */
};

static uint64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void request_sign(const struct node *node, struct keep_request *request, uint64_t ahead_ms)
{
    uint8_t digest[DIGEST_BYTES];
    digest_sha256(body_text(&request->body), digest);
    voucher_sign(node->key, request, digest, monotonic_ms() + ahead_ms, &request->voucher);
}

static uint64_t offer(struct node *node, const struct offer *what)
{
    static struct message_id_source ids;
    struct recipient recipients[3];
    struct keep_recipient keeps[3];
    uint32_t count = 0;
    for (; count < 3 && what->to[count]; count++) {
        recipients[count] = (struct recipient){ text_of(what->to[count]), TEXT_NONE, what->notify };
        keeps[count] = (struct keep_recipient){ what->hold, 0 };
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t wall_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    struct keep_request request = { .id = what->id ? what->id : message_id_next(&ids, wall_ms),
                                    .arrived_ms = what->arrived_ms ? what->arrived_ms : wall_ms,
                                    .direction = what->direction,
                                    .authenticated = what->authenticated,
                                    .recipients = keeps,
                                    .prefix = TEXT("Received: here\r\n"),
                                    .edits_count = 1,
                                    .edits = { text_from("\0\0\0\0", 4) } };
    request.envelope = (struct envelope){ .sender = text_of(what->sender),
                                          .envid = TEXT("envelope-1"),
                                          .recipient_count = count,
                                          .recipients = recipients };
    body_append(&request.body, text_of(what->body ? what->body : "Subject: test\r\n\r\nhello\r\n"));
    for (int i = 0; what->is_large && i < 4000; i++)
        body_append(&request.body, TEXT("a line that makes a body too large for a frame\r\n"));
    body_finish(&request.body);
    request_sign(node, &request, what->ahead_ms);
    if (what->tamper) what->tamper(&request);
    struct buffer frame = { 0 };
    int fds[FRAME_DESCRIPTORS], fd_count = 0;
    keep_request_put(&request, &frame, fds, &fd_count);
    assert_true(channel_send_now(node->receive, QUEUE_KEEP, request.id, buffer_text(&frame), fds, fd_count));
    for (int i = 0; i < fd_count; i++) close(fds[i]);
    buffer_free(&frame);
    body_free(&request.body);
    return request.id;
}

static uint64_t keep(struct node *node, const struct offer *what)
{
    struct frame frame;
    uint64_t id = offer(node, what);
    await(node, node->receive, QUEUE_KEPT, &frame);
    assert_int_equal(frame.id, id);
    return node->last_id = id;
}

static const struct offer plain = { "sender@outside.example", { "user@example.jp" }, DIRECTION_IN };
static const struct offer inside = { "user@example.jp",
                                     { "friend@example.jp", "other@example.jp" },
                                     DIRECTION_OUT };

static void job_wait(struct node *node, struct deliver_job *job)
{
    struct frame frame;
    await(node, node->deliver, DELIVER_JOB, &frame);
    arena_reset(node->arena);
    frame.payload = arena_text(node->arena, frame.payload);
    assert_true(deliver_job_get(node->arena, &frame, job));
}

static void job_content(const struct node *node, const struct deliver_job *job, struct buffer *out)
{
    buffer_clear(out);
    assert_int_equal(job->segment, node->segment_number);
    char *room = buffer_reserve(out, job->length);
    assert_int_equal(pread(node->segment, room, job->length, (off_t)job->offset), job->length);
    buffer_commit(out, job->length);
}

static void result_say(struct node *node, const struct deliver_job *job, enum recipient_ending ending,
                       uint16_t code, const char *enhanced, const char *reply, bool is_down)
{
    struct recipient_result recipients[8];
    struct deliver_result result = { .id = job->id,
                                     .message_id = job->message_id,
                                     .destination_down = is_down,
                                     .relay = TEXT("127.0.0.1[127.0.0.1]:2600"),
                                     .recipient_count = job->envelope.recipient_count,
                                     .recipients = recipients };
    for (uint32_t i = 0; i < result.recipient_count; i++)
        recipients[i] = (struct recipient_result){ job->recipient_numbers[i], ending,         code,
                                                   text_of(enhanced),         text_of(reply), true };
    struct buffer frame = { 0 };
    deliver_result_put(&result, &frame);
    say(node->deliver, DELIVER_RESULT, job->id, buffer_text(&frame));
    buffer_free(&frame);
}

static void result_kept(struct node *node, uint64_t job_id)
{
    struct frame frame;
    do await(node, node->deliver, DELIVER_RESULT_KEPT, &frame);
    while (frame.id != job_id);
}

static void deliver_all(struct node *node)
{
    struct deliver_job job;
    job_wait(node, &job);
    uint64_t id = job.id;
    result_say(node, &job, RECIPIENT_DELIVERED, 250, "2.0.0", "ok", false);
    result_kept(node, id);
}

static struct queue_counters counters(const struct node *node)
{
    struct counters_slot *slot = counters_map(node->counters, COUNTERS_SLOT_QUEUE, false);
    assert_non_null(slot);
    struct queue_counters now = slot->queue;
    counters_unmap(slot);
    return now;
}

/* `sekimori queue …`: the lines go to out; returns the exit code. */
static int ask(struct node *node, const char *command, struct buffer *out)
{
    int ends[2], code = -1;
    struct frame frame;
    buffer_clear(out);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    play_give_client(&node->played, command, ends[1]);
    close(ends[1]);
    while (code < 0) {
        assert_true(channel_wait(ends[0], WAIT_MS, &frame));
        struct reader reader = reader_of(frame.payload);
        if (frame.type == MASTER_DONE) code = get_u8(&reader);
        buffer_add_text(out, get_text(&reader));
    }
    close(ends[0]);
    return code;
}

static bool has(const struct buffer *buffer, const char *wanted)
{
    struct text text = buffer_text(buffer);
    return text_find(text, text_of(wanted)) < text.length;
}

static unsigned events_count(const struct node *node, enum event_kind kind, uint64_t id)
{
    struct ring *ring = ring_map(node->events);
    uint64_t position = ring_tail(ring);
    struct text record;
    unsigned count = 0;
    struct arena *arena = arena_new(0);
    while (ring_next(ring, &position, &record)) {
        struct event_accepted accepted;
        struct event_ended ended;
        uint32_t first;
        if (event_kind_of(record) != kind) continue;
        if (kind == EVENT_ACCEPTED && event_accepted_get(arena, record, &accepted, &first))
            count += accepted.id == id;
        if (kind == EVENT_ENDED && event_ended_get(record, &ended)) count += ended.id == id;
    }
    arena_free(arena);
    ring_unmap(ring);
    return count;
}

static void test_kept_and_delivered(void **state)
{
    struct node node;
    struct deliver_job job;
    struct buffer content = { 0 };
    node_make(&node, "");
    node_start(&node);
    uint64_t id = keep(&node, &inside);
    assert_quiet(node.deliver); /* before it has told what it has */
    synced(&node);
    job_wait(&node, &job);
    assert_int_equal(job.message_id, id);
    assert_int_equal(job.envelope.recipient_count, 2);
    assert_true(text_equal(job.domain, TEXT("example.jp")));
    assert_true(text_equal(job.envelope.envid, TEXT("envelope-1")));
    job_content(&node, &job, &content);
    assert_true(text_equal(buffer_text(&content), TEXT("Received: here\r\nSubject: test\r\n\r\nhello\r\n")));
    assert_int_equal(counters(&node).live, 2);
    uint64_t job_id = job.id;
    result_say(&node, &job, RECIPIENT_DELIVERED, 250, "2.0.0", "ok", false);
    result_kept(&node, job_id);
    struct queue_counters now = counters(&node);
    assert_int_equal(now.accepted, 2);
    assert_int_equal(now.ended[ENDING_DELIVERED], 2);
    assert_int_equal(now.live, 0);
    assert_int_equal(now.messages_live, 0);
    buffer_free(&content);
    node_stop(&node);
    node_free(&node);
}

/* A receive whose clock was set back may give an id twice: the second message is refused, never taken for the
   first. The same message offered again is answered again. */
static void test_an_id_given_twice(void **state)
{
    struct node node;
    struct frame frame;
    struct deliver_job job;
    struct buffer content = { 0 };
    node_make(&node, "");
    node_start(&node);
    synced(&node);
    struct offer first = plain, other = plain;
    first.id = other.id = 0x6884f01e49410000;
    first.arrived_ms = other.arrived_ms = 1795577385123;
    other.body = "Subject: other\r\n\r\nanother message\r\n";
    keep(&node, &first);
    job_wait(&node, &job);
    keep(&node, &first);
    offer(&node, &other);
    await(&node, node.receive, QUEUE_NOT_KEPT, &frame);
    assert_int_equal(frame.id, other.id);
    job_content(&node, &job, &content);
    assert_true(text_ends(buffer_text(&content), TEXT("hello\r\n")));
    assert_int_equal(counters(&node).accepted, 1);
    result_say(&node, &job, RECIPIENT_DELIVERED, 250, "2.0.0", "250 2.0.0 ok", false);
    result_kept(&node, job.id);
    buffer_free(&content);
    node_stop(&node);
    node_free(&node);
}

static void test_large_body(void **state)
{
    struct node node;
    struct deliver_job job;
    struct buffer content = { 0 };
    node_make(&node, "");
    node_start(&node);
    synced(&node);
    struct offer large = plain;
    large.is_large = true;
    keep(&node, &large);
    job_wait(&node, &job);
    assert_true(job.length > 150000);
    job_content(&node, &job, &content);
    assert_true(text_ends(buffer_text(&content), TEXT("too large for a frame\r\n")));
    buffer_free(&content);
    node_kill(&node);
    node_free(&node);
}

static bool resolve(struct node *node, uint64_t id)
{
    struct frame frame;
    say(node->receive, QUEUE_RESOLVE, id, TEXT_NONE);
    await(node, node->receive, QUEUE_RESOLVED, &frame);
    assert_int_equal(frame.id, id);
    return frame.payload.at[0] == 1;
}

static void test_killed_keeps_all(void **state)
{
    struct node node;
    node_make(&node, "");
    node_start(&node);
    synced(&node);
    uint64_t first = keep(&node, &plain);
    deliver_all(&node);
    uint64_t second = keep(&node, &inside);
    node_kill(&node);
    node_start(&node);
    assert_true(resolve(&node, first));
    assert_true(resolve(&node, second));
    assert_false(resolve(&node, second + 1));
    assert_int_equal(events_count(&node, EVENT_ACCEPTED, first), 1);
    assert_int_equal(events_count(&node, EVENT_ACCEPTED, second), 1);
    assert_int_equal(events_count(&node, EVENT_ENDED, first), 1);
    assert_int_equal(counters(&node).accepted, 3);
    assert_int_equal(counters(&node).live, 2);
    synced(&node);
    deliver_all(&node);
    assert_int_equal(counters(&node).live, 0);
    node_stop(&node);
    node_start(&node); /* after an orderly stop nothing is told again */
    assert_int_equal(events_count(&node, EVENT_ACCEPTED, second), 1);
    assert_true(resolve(&node, second));
    node_stop(&node);
    node_free(&node);
}

/* deliver goes on while queue is restarted: what is on a connection is not given twice. */
static void test_under_way_is_not_given_again(void **state)
{
    struct node node;
    struct deliver_job job;
    node_make(&node, "");
    node_start(&node);
    synced(&node);
    uint64_t id = keep(&node, &plain);
    job_wait(&node, &job);
    uint64_t job_id = job.id;
    node_kill(&node);
    node_start(&node);
    struct buffer frame = { 0 };
    put_u64(&frame, id);
    put_u32(&frame, 1);
    put_u32(&frame, 0);
    say(node.deliver, DELIVER_UNDER_WAY, 0, buffer_text(&frame));
    buffer_free(&frame);
    synced(&node);
    assert_quiet(node.deliver);
    result_say(&node, &job, RECIPIENT_DELIVERED, 250, "2.0.0", "ok", false);
    result_kept(&node, job_id);
    assert_int_equal(counters(&node).ended[ENDING_DELIVERED], 1);
    result_say(&node, &job, RECIPIENT_DELIVERED, 250, "2.0.0", "ok", false); /* told twice, counted once */
    result_kept(&node, job_id);
    assert_int_equal(counters(&node).ended[ENDING_DELIVERED], 1);
    node_stop(&node);
    node_free(&node);
}

static void test_deliver_dies(void **state)
{
    struct node node;
    struct deliver_job job;
    node_make(&node, "");
    node_start(&node);
    synced(&node);
    uint64_t id = keep(&node, &plain);
    job_wait(&node, &job);
    close(node.deliver);
    node.deliver = peer_give(&node, PROCESS_DELIVER);
    synced(&node);
    job_wait(&node, &job);
    assert_int_equal(job.message_id, id);
    result_say(&node, &job, RECIPIENT_DELIVERED, 250, "2.0.0", "ok", false);
    result_kept(&node, job.id);
    node_stop(&node);
    node_free(&node);
}

static void test_deferred_and_retried(void **state)
{
    struct node node;
    struct deliver_job job;
    struct buffer out = { 0 };
    node_make(&node, "");
    node_start(&node);
    synced(&node);
    keep(&node, &plain);
    job_wait(&node, &job);
    uint64_t job_id = job.id;
    result_say(&node, &job, RECIPIENT_DEFERRED, 450, "4.2.0", "450 4.2.0 come again", false);
    result_kept(&node, job_id);
    assert_quiet(node.deliver);
    assert_int_equal(ask(&node, "queue list", &out), EX_OK);
    assert_true(has(&out, "\"state\":\"waiting\"") && has(&out, "come again") && has(&out, "\"attempts\":1"));
    assert_int_equal(ask(&node, "queue retry\nexample.jp", &out), EX_OK);
    deliver_all(&node);
    assert_int_equal(ask(&node, "queue list", &out), EX_OK);
    assert_int_equal(buffer_length(&out), 0);
    buffer_free(&out);
    node_stop(&node);
    node_free(&node);
}

/* A dead destination holds up nobody else, and one probe goes to it at a time. */
static void test_down_destination(void **state)
{
    struct node node;
    struct deliver_job job;
    struct buffer out = { 0 };
    static const struct offer down = { "a@outside.example", { "u@down.example.jp" }, DIRECTION_IN };
    node_make(&node, "");
    node_start(&node);
    synced(&node);
    keep(&node, &down);
    job_wait(&node, &job);
    uint64_t first = job.id;
    result_say(&node, &job, RECIPIENT_DEFERRED, 0, "4.4.1", "connection refused", true);
    result_kept(&node, first);
    for (int i = 0; i < 5; i++) keep(&node, &down);
    assert_quiet(node.deliver);
    assert_int_equal(ask(&node, "queue retry\ndown.example.jp", &out), EX_OK);
    job_wait(&node, &job); /* one probe of the six */
    first = job.id;
    result_say(&node, &job, RECIPIENT_DEFERRED, 0, "4.4.1", "connection refused", true);
    result_kept(&node, first);
    assert_quiet(node.deliver);
    keep(&node, &plain);
    deliver_all(&node);
    assert_int_equal(ask(&node, "queue summary", &out), EX_OK);
    assert_true(has(&out, "{\"destination\":\"down.example.jp\",\"total\":6,\"held\":0"));
    assert_int_equal(ask(&node, "queue list\ndown.example.jp", &out), EX_OK);
    assert_true(has(&out, "connection refused"));
    buffer_free(&out);
    node_kill(&node);
    node_free(&node);
}

static void test_failed_inside_gets_a_notice(void **state)
{
    struct node node;
    struct deliver_job job;
    struct buffer content = { 0 };
    node_make(&node, "");
    node_start(&node);
    synced(&node);
    uint64_t id = keep(&node, &inside);
    job_wait(&node, &job);
    result_say(&node, &job, RECIPIENT_FAILED, 550, "5.1.1", "no such user", false);
    job_wait(&node, &job);
    assert_int_not_equal(job.message_id, id);
    assert_int_equal(job.envelope.sender.length, 0);
    assert_true(text_equal(job.envelope.recipients[0].address, TEXT("user@example.jp")));
    job_content(&node, &job, &content);
    assert_true(has(&content, "\r\nAction: failed\r\nStatus: 5.1.1\r\n"));
    assert_true(has(&content, "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"));
    assert_true(has(&content, "Original-Envelope-Id: envelope-1\r\n"));
    assert_true(has(&content, "Final-Recipient: rfc822;other@example.jp\r\n"));
    assert_true(has(&content, "Content-Type: message/rfc822\r\n\r\nReceived: here\r\nSubject: test\r\n"));
    assert_int_equal(events_count(&node, EVENT_ENDED, id), 2);
    assert_int_equal(events_count(&node, EVENT_ACCEPTED, job.message_id), 1);
    /* the notice fails too: nobody can be told, so it is held */
    result_say(&node, &job, RECIPIENT_FAILED, 550, "5.1.1", "no", false);
    result_kept(&node, job.id);
    struct queue_counters now = counters(&node);
    assert_int_equal(now.accepted, 3);
    assert_int_equal(now.own, 1);
    assert_int_equal(now.ended[ENDING_RETURNED], 2);
    assert_int_equal(now.held, 1);
    assert_int_equal(now.live, 1);
    assert_quiet(node.deliver);
    buffer_free(&content);
    node_stop(&node);
    node_free(&node);
}

static void test_who_gets_a_notice(void **state)
{
    static const struct {
        const char *sender;
        uint8_t direction, authenticated, notify;
        bool is_held, is_noticed;
    } rows[] = {
        { "a@outside.example", DIRECTION_IN, 0, 0, true, false },
        { "a@outside.example", DIRECTION_IN, 1, 0, false, true },
        { "a@outside.example", DIRECTION_IN, 1, NOTIFY_NEVER, false, false },
        { "a@outside.example", DIRECTION_IN, 0, NOTIFY_NEVER, false, false },
        { "a@example.jp", DIRECTION_OUT, 0, NOTIFY_FAILURE | NOTIFY_DELAY, false, true },
        { "a@example.jp", DIRECTION_OUT, 0, NOTIFY_SUCCESS, false, false },
        { "", DIRECTION_OUT, 0, 0, true, false },
        { "", DIRECTION_IN, 1, 0, true, false },
        { "", DIRECTION_IN, 0, NOTIFY_NEVER, false, false },
    };
    struct node node;
    node_make(&node, "");
    node_start(&node);
    synced(&node);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct deliver_job job;
        struct queue_counters before = counters(&node);
        struct offer what = {
            rows[i].sender, { "user@example.jp" }, rows[i].direction, rows[i].authenticated, rows[i].notify
        };
        keep(&node, &what);
        job_wait(&node, &job);
        uint64_t id = job.id;
        result_say(&node, &job, RECIPIENT_FAILED, 550, "5.1.1", "no such user", false);
        result_kept(&node, id);
        if (rows[i].is_noticed) deliver_all(&node);
        struct queue_counters now = counters(&node);
        assert_int_equal(now.own - before.own, rows[i].is_noticed);
        assert_int_equal(now.held - before.held, rows[i].is_held);
        assert_int_equal(now.ended[ENDING_RETURNED] - before.ended[ENDING_RETURNED], !rows[i].is_held);
    }
    assert_quiet(node.deliver);
    node_stop(&node);
    node_free(&node);
}

static void test_held_released_removed(void **state)
{
    struct node node;
    struct buffer out = { 0 };
    struct offer held = inside;
    held.hold = HOLD_QUARANTINE;
    node_make(&node, "");
    node_start(&node);
    synced(&node);
    char id[MESSAGE_ID_SIZE], command[100];
    message_id_print(keep(&node, &held), id);
    assert_quiet(node.deliver);
    assert_int_equal(counters(&node).held, 2);
    assert_int_equal(ask(&node, "queue list\n--held", &out), EX_OK);
    assert_true(has(&out, id) && has(&out, "\"hold\":\"quarantine\""));
    snprintf(command, sizeof command, "queue cat\n%s", id);
    assert_int_equal(ask(&node, command, &out), EX_OK);
    assert_true(text_equal(buffer_text(&out), TEXT("Received: here\r\nSubject: test\r\n\r\nhello\r\n")));
    assert_int_equal(ask(&node, "queue release\nfriend@example.jp", &out), EX_OK);
    assert_true(has(&out, "\"recipients\":1"));
    deliver_all(&node);
    snprintf(command, sizeof command, "queue remove\n%s", id);
    assert_int_equal(ask(&node, command, &out), EX_OK);
    usleep(50000);
    struct queue_counters now = counters(&node);
    assert_int_equal(now.ended[ENDING_DELIVERED], 1);
    assert_int_equal(now.ended[ENDING_REMOVED], 1);
    assert_int_equal(now.live, 0);
    assert_int_equal(ask(&node, command, &out), EX_NOINPUT);
    assert_int_equal(ask(&node, "queue remove", &out), EX_USAGE);
    assert_int_equal(ask(&node, "queue frobnicate", &out), EX_USAGE);
    assert_int_equal(ask(&node, "queue list\nnonsense", &out), EX_USAGE);
    buffer_free(&out);
    node_stop(&node);
    node_free(&node);
}

/* --- the quarantine, with this test as ledger --- */

/* The next offer of that frame type; *out_fd is the segment, the caller's. */
static void offer_wait(struct node *node, int taker, uint16_t type, struct held_offer *out, int *out_fd)
{
    struct frame frame;
    await(node, taker, type, &frame);
    *out_fd = frame_take_fd(&frame, 0);
    assert_true(*out_fd >= 0);
    assert_int_equal(fcntl(*out_fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    arena_reset(node->arena);
    assert_true(held_offer_get(node->arena, arena_text(node->arena, frame.payload), out));
    assert_int_equal(out->id, frame.id);
}

static void held_wait(struct node *node, int ledger, struct held_offer *out, int *out_fd)
{
    offer_wait(node, ledger, LEDGER_HELD, out, out_fd);
}

static uint64_t held_next(struct node *node, int ledger)
{
    struct held_offer offered;
    int fd;
    held_wait(node, ledger, &offered, &fd);
    close(fd);
    return offered.id;
}

static void taken_say(int ledger, uint64_t id, uint32_t count, const uint32_t *numbers)
{
    struct buffer payload = { 0 };
    put_u32(&payload, count);
    for (uint32_t i = 0; i < count; i++) put_u32(&payload, numbers[i]);
    say(ledger, LEDGER_TAKEN, id, buffer_text(&payload));
    buffer_free(&payload);
}

static void not_taken_say_as(int taker, uint16_t type, uint64_t id, enum held_refusal refusal)
{
    struct buffer payload = { 0 };
    put_u8(&payload, refusal);
    put_text(&payload, TEXT("no"));
    say(taker, type, id, buffer_text(&payload));
    buffer_free(&payload);
}

static void not_taken_say(int ledger, uint64_t id, enum held_refusal refusal)
{
    not_taken_say_as(ledger, LEDGER_NOT_TAKEN, id, refusal);
}

static void ended_wait(struct node *node, uint64_t count)
{
    for (int i = 0; i < WAIT_MS / 10 && counters(node).ended[ENDING_QUARANTINED] != count; i++)
        nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
    assert_int_equal(counters(node).ended[ENDING_QUARANTINED], count);
}

static const uint32_t first_two[] = { 0, 1 };

static void test_moved_to_the_quarantine(void **state)
{
    struct node node;
    struct held_offer offered;
    struct buffer out = { 0 };
    struct offer held = inside;
    int fd;
    held.hold = HOLD_QUARANTINE;
    node_make(&node, "");
    node_start(&node);
    synced(&node);
    int ledger = peer_give(&node, PROCESS_LEDGER);
    uint64_t id = keep(&node, &held);
    held_wait(&node, ledger, &offered, &fd);
    assert_int_equal(offered.id, id);
    assert_int_equal(offered.envelope.recipient_count, 2);
    assert_true(text_equal(offered.envelope.recipients[1].address, TEXT("other@example.jp")));
    assert_int_equal(offered.recipients[1].number, 1);
    assert_int_equal(offered.recipients[1].hold, HOLD_QUARANTINE);
    char bytes[200];
    assert_true(offered.length < sizeof bytes);
    assert_int_equal(pread(fd, bytes, offered.length, (off_t)offered.offset), offered.length);
    assert_true(text_equal(text_from(bytes, offered.length),
                           TEXT("Received: here\r\nSubject: test\r\n\r\nhello\r\n")));
    close(fd);
    assert_int_equal(ask(&node, "queue release\nall", &out), EX_TEMPFAIL); /* it is on its way */
    assert_int_equal(ask(&node, "queue remove\nall", &out), EX_TEMPFAIL);
    taken_say(ledger, id, 2, first_two);
    ended_wait(&node, 2);
    assert_int_equal(counters(&node).live, 0);
    assert_int_equal(events_count(&node, EVENT_ENDED, id), 2);
    assert_quiet(ledger);
    assert_quiet(node.deliver);
    close(ledger);
    buffer_free(&out);
    node_stop(&node);
    node_free(&node);
}

/* Of two recipients the first is taken; queue and ledger die in turn; the other is offered until it is taken.
 */
static void test_offered_until_taken(void **state)
{
    struct node node;
    struct offer held = inside;
    struct held_offer offered;
    int fd;
    held.hold = HOLD_POISON;
    node_make(&node, "");
    node_start(&node);
    int ledger = peer_give(&node, PROCESS_LEDGER);
    uint64_t id = keep(&node, &held);
    assert_int_equal(held_next(&node, ledger), id);
    close(ledger);
    ledger = peer_give(&node, PROCESS_LEDGER);
    assert_int_equal(held_next(&node, ledger), id);
    not_taken_say(ledger, id, HELD_NOT_YET);
    assert_int_equal(held_next(&node, ledger), id);
    taken_say(ledger, id, 1, first_two);
    ended_wait(&node, 1);
    held_wait(&node, ledger, &offered, &fd);
    close(fd);
    assert_int_equal(offered.envelope.recipient_count, 1);
    assert_int_equal(offered.recipients[0].number, 1);
    close(ledger);
    node_kill(&node);
    node_start(&node);
    assert_int_equal(counters(&node).ended[ENDING_QUARANTINED], 1);
    ledger = peer_give(&node, PROCESS_LEDGER);
    assert_int_equal(held_next(&node, ledger), id);
    taken_say(ledger, id, 2, first_two); /* what it has from before too */
    ended_wait(&node, 2);
    assert_int_equal(counters(&node).live, 0);
    close(ledger);
    node_stop(&node);
    node_free(&node);
}

/* The hold was let go while ledger was away: its word comes too late. And a full quarantine is left in peace.
 */
static void test_not_taken(void **state)
{
    struct node node;
    struct buffer out = { 0 };
    struct offer held = plain;
    held.hold = HOLD_QUARANTINE;
    node_make(&node, "");
    node_start(&node);
    synced(&node);
    int ledger = peer_give(&node, PROCESS_LEDGER);
    uint64_t id = keep(&node, &held);
    assert_int_equal(held_next(&node, ledger), id);
    close(ledger);
    while (ask(&node, "queue release\nall", &out) == EX_TEMPFAIL) continue; /* until it has seen that */
    deliver_all(&node);
    assert_int_equal(counters(&node).ended[ENDING_DELIVERED], 1);
    ledger = peer_give(&node, PROCESS_LEDGER);
    id = keep(&node, &held);
    assert_int_equal(held_next(&node, ledger), id);
    not_taken_say(ledger, id, HELD_NO_ROOM);
    uint64_t other = keep(&node, &held);
    struct frame frame;
    nanosleep(&(struct timespec){ 0, 600000000 }, NULL); /* longer than a new one waits */
    assert_quiet(ledger);
    assert_int_equal(counters(&node).held, 2);
    taken_say(ledger, other, 1, first_two);                 /* it was not offered */
    while (channel_wait(ledger, WAIT_MS, &frame)) continue; /* nonsense costs the channel */
    assert_int_equal(counters(&node).ended[ENDING_QUARANTINED], 0);
    close(ledger);
    buffer_free(&out);
    node_stop(&node);
    node_free(&node);
}

/* What ledger gives back counts apart, also in the journal. */
static void test_released_from_the_quarantine(void **state)
{
    struct node node;
    struct frame frame;
    node_make(&node, "");
    node_start(&node);
    synced(&node);
    int ledger = peer_give(&node, PROCESS_LEDGER), receive = node.receive;
    node.receive = ledger;
    uint64_t id = keep(&node, &plain);
    node.receive = receive;
    assert_int_equal(events_count(&node, EVENT_ACCEPTED, id), 1); /* nobody else tells of it */
    deliver_all(&node);
    struct queue_counters now = counters(&node);
    assert_int_equal(now.accepted, 1);
    assert_int_equal(now.own, 0);
    assert_int_equal(now.ended[COUNTERS_AGAIN], 1);
    close(ledger);
    node_kill(&node);
    node_start(&node);
    assert_int_equal(counters(&node).ended[COUNTERS_AGAIN], 1);
    ledger = peer_give(&node, PROCESS_LEDGER);
    say(ledger, QUEUE_RESOLVE, id, TEXT_NONE);
    await(&node, ledger, QUEUE_RESOLVED, &frame);
    struct reader reader = reader_of(frame.payload);
    assert_int_equal(get_u8(&reader), 1);
    close(ledger);
    node_stop(&node);
    node_free(&node);
}

static void done_say(int report, uint64_t id, uint32_t number)
{
    struct buffer payload = { 0 };
    put_u32(&payload, 1);
    put_u32(&payload, number);
    put_text(&payload, TEXT("1 message told as missed spam"));
    say(report, REPORT_DONE, id, buffer_text(&payload));
    buffer_free(&payload);
}

/* To the node itself: offered to report alone, and again whoever dies; done, it counts as delivered. */
static void test_for_the_node_itself(void **state)
{
    struct node node;
    struct offer held = inside;
    struct held_offer offered;
    struct buffer out = { 0 };
    int fd;
    held.hold = HOLD_REPORT;
    node_make(&node, "");
    node_start(&node);
    synced(&node);
    int ledger = peer_give(&node, PROCESS_LEDGER), report = peer_give(&node, PROCESS_REPORT);
    uint64_t id = keep(&node, &held);
    offer_wait(&node, report, REPORT_MAIL, &offered, &fd);
    close(fd);
    assert_int_equal(offered.id, id);
    assert_int_equal(offered.envelope.recipient_count, 2);
    assert_int_equal(offered.recipients[0].hold, HOLD_REPORT);
    assert_int_equal(ask(&node, "queue list\n--held", &out), EX_OK);
    assert_true(has(&out, "\"hold\":\"report\"") && has(&out, "for this node itself"));
    not_taken_say_as(report, REPORT_NOT_DONE, id, HELD_NOT_YET);
    offer_wait(&node, report, REPORT_MAIL, &offered, &fd);
    close(fd);
    not_taken_say_as(report, REPORT_NOT_DONE, id, HELD_LEFT);
    nanosleep(&(struct timespec){ 0, 600000000 }, NULL); /* some turns of the line */
    assert_quiet(report);
    close(report);
    report = peer_give(&node, PROCESS_REPORT); /* another life of it may know better */
    offer_wait(&node, report, REPORT_MAIL, &offered, &fd);
    close(fd);
    done_say(report, id, 0);
    offer_wait(&node, report, REPORT_MAIL, &offered, &fd); /* the other one */
    close(fd);
    assert_int_equal(offered.recipients[0].number, 1);
    struct frame frame;
    await(&node, ledger, QUEUE_SPACE, &frame);
    assert_quiet(ledger);
    assert_quiet(node.deliver);
    close(report);
    close(ledger);
    node_kill(&node);
    node_start(&node);
    assert_int_equal(counters(&node).ended[ENDING_DELIVERED], 1);
    assert_int_equal(counters(&node).held, 1);
    report = peer_give(&node, PROCESS_REPORT);
    offer_wait(&node, report, REPORT_MAIL, &offered, &fd);
    close(fd);
    done_say(report, id, 1);
    for (int i = 0; i < WAIT_MS / 10 && counters(&node).live; i++)
        nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
    assert_int_equal(counters(&node).ended[ENDING_DELIVERED], 2);
    assert_int_equal(counters(&node).live, 0);
    done_say(report, id, 1);                                /* it was not offered */
    while (channel_wait(report, WAIT_MS, &frame)) continue; /* nonsense costs the channel */
    close(report);
    buffer_free(&out);
    node_stop(&node);
    node_free(&node);
}

static void test_held_by_hand(void **state)
{
    struct node node;
    struct deliver_job job;
    struct buffer out = { 0 };
    node_make(&node, "");
    node_start(&node);
    keep(&node, &plain);
    assert_int_equal(ask(&node, "queue hold\n--match\nUSER@*", &out), EX_OK);
    assert_true(has(&out, "\"recipients\":1"));
    synced(&node);
    assert_quiet(node.deliver);
    assert_int_equal(ask(&node, "queue list", &out), EX_OK);
    assert_true(has(&out, "\"hold\":\"admin\"") && has(&out, "held by the administrator"));
    assert_int_equal(ask(&node, "queue hold\n--match\nnobody@*", &out), EX_OK);
    assert_true(has(&out, "\"recipients\":0"));
    assert_int_equal(ask(&node, "queue release\nall", &out), EX_OK);
    job_wait(&node, &job); /* what is being delivered is left alone */
    assert_int_equal(ask(&node, "queue remove\nall", &out), EX_TEMPFAIL);
    assert_true(has(&out, "\"busy\":1"));
    result_say(&node, &job, RECIPIENT_NOT_TRIED, 0, "", "", false);
    job_wait(&node, &job); /* given back: its turn again */
    result_say(&node, &job, RECIPIENT_DELIVERED, 250, "2.0.0", "ok", false);
    result_kept(&node, job.id);
    assert_int_equal(counters(&node).ended[ENDING_DELIVERED], 1);
    buffer_free(&out);
    node_stop(&node);
    node_free(&node);
}

static void test_expires_and_warns(void **state)
{
    struct node node;
    struct deliver_job job;
    struct buffer content = { 0 };
    node_make(&node, "queue { expire 1m; warn inside after 1s; retry first 1s; retry most 1s }");
    node_start(&node);
    synced(&node);
    struct offer one = inside;
    one.to[1] = NULL;
    uint64_t id = keep(&node, &one);
    for (int warnings = 0; !warnings;) {
        job_wait(&node, &job);
        if (job.message_id == id) {
            result_say(&node, &job, RECIPIENT_DEFERRED, 450, "4.2.0", "450 4.2.0 come again", false);
            continue;
        }
        warnings++;
        job_content(&node, &job, &content);
        assert_true(has(&content, "Action: delayed\r\n") && has(&content, "Will-Retry-Until: "));
        assert_true(has(&content, "come again"));
        result_say(&node, &job, RECIPIENT_DELIVERED, 250, "2.0.0", "ok", false);
    }
    buffer_free(&content);
    node_kill(&node);
    node_free(&node);
}

static void alert_say(struct node *node, uint64_t id, enum alert_kind kind, const char *client)
{
    struct buffer payload = { 0 };
    put_u8(&payload, (uint8_t)kind);
    put_text(&payload, text_of(client));
    put_text(&payload, TEXT("saburo@example.jp"));
    put_text(&payload, TEXT("friend@far.example"));
    put_text(&payload, TEXT("virus found: Some-Worm"));
    say(node->receive, QUEUE_ALERT, id, buffer_text(&payload));
    buffer_free(&payload);
}

/* The administrator gets one mail for each client, however often it tries; one of harvests, however many
 * clients. */
static void test_alerts(void **state)
{
    struct node node;
    struct deliver_job job;
    struct buffer content = { 0 };
    node_make(&node, "");
    node_start(&node);
    synced(&node);
    for (int i = 0; i < 5; i++) alert_say(&node, 100, ALERT_VIRUS, "10.2.0.25");
    alert_say(&node, 200, ALERT_VIRUS, "10.2.0.26");
    for (int i = 0; i < 5; i++) alert_say(&node, 0, ALERT_HARVEST, i % 2 ? "192.0.2.1" : "198.51.100.1");
    for (int i = 0; i < 3; i++) {
        job_wait(&node, &job);
        job_content(&node, &job, &content);
        assert_true(has(&content, "To: <postmaster@example.jp>\r\n") &&
                    has(&content, i < 2 ? "Subject: A virus from inside was stopped"
                                        : "Subject: Somebody tries out our recipients"));
        result_say(&node, &job, RECIPIENT_DELIVERED, 250, "2.0.0", "ok", false);
    }
    uint64_t id = keep(&node, &plain); /* the next job is this, no third alert */
    job_wait(&node, &job);
    assert_int_equal(job.message_id, id);
    buffer_free(&content);
    node_kill(&node);
    node_free(&node);
}

/* What a peer says that makes no sense costs its channel, not the process. */
static void test_nonsense(void **state)
{
    struct node node;
    struct frame frame;
    node_make(&node, "");
    node_start(&node);
    say(node.receive, QUEUE_KEEP, 7, TEXT("nonsense"));
    assert_false(channel_wait(node.receive, WAIT_MS, &frame));
    close(node.receive);
    say(node.deliver, DELIVER_RESULT, 7, TEXT("nonsense"));
    while (channel_wait(node.deliver, WAIT_MS, &frame)) {
    }
    close(node.deliver);
    node.receive = peer_give(&node, PROCESS_RECEIVE);
    node.deliver = peer_give(&node, PROCESS_DELIVER);
    synced(&node);
    keep(&node, &plain);
    deliver_all(&node);
    node_stop(&node);
    node_free(&node);
}

/* --- scan's word --- */

static void sender_forge(struct keep_request *request)
{
    request->envelope.sender = TEXT("rector@example.jp");
}

static void recipient_forge(struct keep_request *request)
{
    request->envelope.recipients[0].address = TEXT("other@example.jp");
}

static void recipient_leave_out(struct keep_request *request)
{
    request->envelope.recipient_count = 1;
}

static void edits_forge(struct keep_request *request)
{
    request->edits[0] = edits_empty_line;
}

static void prefix_forge(struct keep_request *request)
{
    request->prefix = TEXT("Received: here\r\nSubject: mine\r\n\r\nmine\r\n");
}

static void body_forge(struct keep_request *request)
{
    body_free(&request->body);
    body_append(&request->body, TEXT("Subject: test\r\n\r\nhellO\r\n"));
}

static void client_forge(struct keep_request *request)
{
    request->client.bytes[15] ^= 1;
}

static void direction_forge(struct keep_request *request)
{
    request->direction = DIRECTION_OUT;
}

static void listener_forge(struct keep_request *request)
{
    request->listener = 1;
}

static void content_forge(struct keep_request *request)
{
    request->content = CONTENT_IS_LINES;
}

static void id_forge(struct keep_request *request)
{
    request->id++;
}

static void time_forge(struct keep_request *request)
{
    request->voucher.at_ms++;
}

static void signature_forge(struct keep_request *request)
{
    request->voucher.signature[31] ^= 1;
}

static void voucher_leave_out(struct keep_request *request)
{
    request->voucher = (struct voucher){ 0 };
}

static void voucher_leave_out_and_claim_a_listener(struct keep_request *request)
{
    request->voucher = (struct voucher){ 0 };
    request->listener = 999;
}

static void hold_take_off(struct keep_request *request)
{
    request->recipients[0].hold = HOLD_NONE;
}

static void hold_take_off_one(struct keep_request *request)
{
    voucher_leave_out(request);
    request->recipients[1].hold = HOLD_NONE;
}

static void assert_refused(struct node *node, const struct offer *what)
{
    struct frame frame;
    offer(node, what);
    await(node, node->receive, QUEUE_NOT_KEPT, &frame);
    struct reader reader = reader_of(frame.payload);
    assert_int_equal(get_u8(&reader), KEEP_UNVOUCHED);
}

/* Whatever receive changes of what scan signed is refused, and nothing of it goes to deliver. */
static void test_forged_is_refused(void **state)
{
    static void (*const forgeries[])(
        struct keep_request *) = { sender_forge,      recipient_forge,
                                   edits_forge,       prefix_forge,
                                   body_forge,        client_forge,
                                   direction_forge,   listener_forge,
                                   content_forge,     id_forge,
                                   time_forge,        signature_forge,
                                   voucher_leave_out, voucher_leave_out_and_claim_a_listener };
    struct node node;
    (void)state;
    node_make(&node, "");
    node_start(&node);
    synced(&node);
    for (size_t i = 0; i < sizeof forgeries / sizeof *forgeries; i++) {
        struct offer forged = plain;
        forged.tamper = forgeries[i];
        assert_refused(&node, &forged);
    }
    struct offer forged = { .sender = "a@outside.example",
                            .to = { "user@example.jp", "other@example.jp" },
                            .direction = DIRECTION_IN,
                            .tamper = recipient_leave_out };
    assert_refused(&node, &forged);
    forged.hold = HOLD_QUARANTINE;
    forged.tamper = hold_take_off;
    assert_refused(&node, &forged);
    forged.tamper = hold_take_off_one;
    assert_refused(&node, &forged);
    assert_quiet(node.deliver);
    keep(&node, &plain);
    deliver_all(&node);
    node_stop(&node);
    node_free(&node);
}

/* A hold needs no word of scan, since people look at it. */
static void test_held_needs_no_voucher(void **state)
{
    struct node node;
    (void)state;
    node_make(&node, "");
    node_start(&node);
    synced(&node);
    struct offer held = plain;
    held.hold = HOLD_QUARANTINE;
    held.tamper = voucher_leave_out;
    keep(&node, &held);
    assert_quiet(node.deliver);
    node_stop(&node);
    node_free(&node);
}

/* Where the configuration has nothing judged, nobody vouches. */
static void test_unjudged_needs_no_voucher(void **state)
{
    struct node node;
    (void)state;
    node_make(&node, "virus { mode off }\nspam { mode off }\nauth { mode off }");
    node_start(&node);
    synced(&node);
    struct offer unjudged = plain;
    unjudged.tamper = voucher_leave_out;
    keep(&node, &unjudged);
    deliver_all(&node);
    unjudged.tamper = voucher_leave_out_and_claim_a_listener;
    assert_refused(&node, &unjudged);
    node_stop(&node);
    node_free(&node);
}

/* queue reads its clock once a turn, scan may have read its own a moment later. */
static void test_voucher_from_a_moment_ahead(void **state)
{
    struct node node;
    (void)state;
    node_make(&node, "");
    node_start(&node);
    synced(&node);
    struct offer ahead = plain;
    ahead.ahead_ms = 200;
    keep(&node, &ahead);
    deliver_all(&node);
    node_stop(&node);
    node_free(&node);
}

/* A voucher is good once: not while its message waits, nor when that has ended, nor for the next queue. */
static void test_voucher_is_good_once(void **state)
{
    struct node node;
    struct offer again = plain;
    (void)state;
    node_make(&node, "");
    node_start(&node);
    synced(&node);
    again.id = keep(&node, &plain);
    deliver_all(&node);
    assert_refused(&node, &again);
    node_stop(&node);
    node_start(&node);
    synced(&node);
    assert_refused(&node, &again);
    assert_quiet(node.deliver);
    node_stop(&node);
    node_free(&node);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_and_delivered),
        cmocka_unit_test(test_large_body),
        cmocka_unit_test(test_an_id_given_twice),
        cmocka_unit_test(test_killed_keeps_all),
        cmocka_unit_test(test_under_way_is_not_given_again),
        cmocka_unit_test(test_deliver_dies),
        cmocka_unit_test(test_deferred_and_retried),
        cmocka_unit_test(test_down_destination),
        cmocka_unit_test(test_failed_inside_gets_a_notice),
        cmocka_unit_test(test_who_gets_a_notice),
        cmocka_unit_test(test_held_released_removed),
        cmocka_unit_test(test_for_the_node_itself),
        cmocka_unit_test(test_held_by_hand),
        cmocka_unit_test(test_moved_to_the_quarantine),
        cmocka_unit_test(test_offered_until_taken),
        cmocka_unit_test(test_not_taken),
        cmocka_unit_test(test_released_from_the_quarantine),
        cmocka_unit_test(test_expires_and_warns),
        cmocka_unit_test(test_alerts),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_forged_is_refused),
        cmocka_unit_test(test_held_needs_no_voucher),
        cmocka_unit_test(test_unjudged_needs_no_voucher),
        cmocka_unit_test(test_voucher_is_good_once),
        cmocka_unit_test(test_voucher_from_a_moment_ahead),
    };
    if (argc < 2) return 64;
    program = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
