/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/spf_answer.h"
#include "config_text.h"
#include "ipc/ask_lookup.h"
#include "judge/sender_history.h"
#include "mail/digest.h"
#include "receive/connection.h"
#include "receive/drop.h"
#include "receive/peers.h"
#include "receive/refusals.h"
#include "receive/tables.h"

enum { WAIT_MS = 5000, TURN_MS = 5, TABLE_BYTES = 1024 * 1024, VOUCHED_MS = 77 };

static void stop_if_awaited(struct scene *scene)
{
    if (scene->awaited && *scene->awaited >= scene->awaited_count) loop_stop(scene->server.loop);
}

/* --- the played processes --- */

static void kept_take(struct scene *scene, struct frame *frame)
{
    struct frame copy = *frame;
    copy.payload = arena_text(scene->arena, frame->payload);
    assert_true(keep_request_get(scene->arena, &copy, &scene->kept));
    scene->content = arena_text(scene->arena, body_text(&scene->kept.body));
    body_free(&scene->kept.body);
    bool is_judged = scene->reads > 0 && scene->scan != SCAN_IS_POISONED;
    assert_int_equal(scene->kept.voucher.at_ms, is_judged ? VOUCHED_MS : 0);
    scene->keeps++;
}

static void not_kept_say(struct scene *scene, uint64_t id, enum keep_refusal why)
{
    struct buffer *out = channel_begin(scene->queue_end, QUEUE_NOT_KEPT, id);
    put_u8(out, (uint8_t)why);
    put_text(out, TEXT("because"));
    channel_end(scene->queue_end);
}

static void keep_answer(struct scene *scene, uint64_t id)
{
    switch (scene->queue) {
    case QUEUE_KEEPS:
        channel_send(scene->queue_end, QUEUE_KEPT, id, TEXT_NONE);
        break;
    case QUEUE_HAS_NO_ROOM:
        not_kept_say(scene, id, KEEP_DISK_FULL);
        break;
    case QUEUE_FAILS:
        not_kept_say(scene, id, KEEP_SYNC_FAILED);
        break;
    case QUEUE_KNOWS_IT:
        put_u64(channel_begin(scene->queue_end, QUEUE_KEPT_BEFORE, id), 77);
        channel_end(scene->queue_end);
        break;
    case QUEUE_SAYS_NOTHING:
        break;
    }
}

static bool queue_frame(void *context, struct frame *frame)
{
    struct scene *scene = context;
    if (frame->type == QUEUE_KEEP) {
        kept_take(scene, frame);
        keep_answer(scene, frame->id);
    } else if (frame->type == QUEUE_RESOLVE) {
        scene->resolves++;
        put_u8(channel_begin(scene->queue_end, QUEUE_RESOLVED, frame->id), scene->has_it);
        channel_end(scene->queue_end);
    } else if (frame->type == QUEUE_BODY_FILE) {
        int fd = memfd_create("spool", MFD_CLOEXEC);
        channel_send_fds(scene->queue_end, QUEUE_BODY_FILE_IS, frame->id, TEXT_NONE, &fd, 1);
    }
    scene->confirmed += frame->type == QUEUE_CONFIRMED;
    scene->alerts += frame->type == QUEUE_ALERT;
    stop_if_awaited(scene);
    return true;
}

static void verdict_say(struct scene *scene, uint64_t id, uint32_t recipients)
{
    static const enum action actions[] = { [SCAN_PASSES] = ACTION_ACCEPT,
                                           [SCAN_REFUSES] = ACTION_REJECT,
                                           [SCAN_HOLDS] = ACTION_QUARANTINE,
                                           [SCAN_DISCARDS] = ACTION_DISCARD };
    struct recipient_verdict each[4] = { 0 };
    bool is_refused = scene->scan == SCAN_REFUSES;
    struct recipe recipe = { .edits = edits_none };
    struct judged judged = { .facts = { .content = SCENE_CONTENT },
                             .verdict = { .recipient_count = recipients,
                                          .recipients = each,
                                          .code = is_refused ? 550 : 250,
                                          .enhanced = is_refused ? TEXT("5.7.1") : TEXT("2.0.0"),
                                          .reason = TEXT("spam found"),
                                          .recipe_count = 1,
                                          .recipes = &recipe },
                             .voucher = { .at_ms = VOUCHED_MS } };
    for (uint32_t i = 0; i < recipients; i++) each[i].action = i == 0 ? actions[scene->scan] : ACTION_ACCEPT;
    judged_put(&judged, channel_begin(scene->scan_end, SCAN_VERDICT, id));
    channel_end(scene->scan_end);
}

static void failure_say(struct scene *scene, uint64_t id, enum scan_failure why)
{
    struct buffer *out = channel_begin(scene->scan_end, SCAN_FAILED, id);
    put_u8(out, (uint8_t)why);
    put_text(out, TEXT("a worker died"));
    channel_end(scene->scan_end);
}

static bool scan_frame(void *context, struct frame *frame)
{
    struct scene *scene = context;
    struct scan_question question;
    struct body body;
    if (frame->type != SCAN_READ) return true;
    assert_true(scan_read_get(scene->arena, frame, &question, &body));
    body_free(&body);
    scene->reads++;
    scene->open = 0;
    for (uint32_t i = 0; i < question.question_count; i++)
        scene->open += question.questions[i].status == ANSWER_PENDING;
    if (scene->scan == SCAN_BREAKS || scene->scan == SCAN_IS_POISONED)
        failure_say(scene, frame->id, scene->scan == SCAN_BREAKS ? SCAN_WORKER_DIED : SCAN_POISON);
    else if (scene->scan == SCAN_RAVES)
        channel_send(scene->scan_end, SCAN_VERDICT, frame->id, TEXT("what"));
    else if (scene->scan != SCAN_SAYS_NOTHING)
        verdict_say(scene, frame->id, question.occasion.recipient_count);
    stop_if_awaited(scene);
    return true;
}

static void spf_say(struct scene *scene, uint64_t id)
{
    static const struct spf_answer none = { .sender.reason = "", .helo.reason = "" };
    struct buffer bytes = { 0 };
    scene->spf_questions++;
    if (scene->lookup != LOOKUP_KNOWS_NOBODY) return;
    spf_answer_put(&none, &bytes);
    put_text(channel_begin(scene->lookup_end, LOOKUP_SPF_IS, id), buffer_text(&bytes));
    channel_end(scene->lookup_end);
    buffer_free(&bytes);
}

static bool lookup_frame(void *context, struct frame *frame)
{
    static const struct sender_history nobody = { .count = 0 };
    struct scene *scene = context;
    struct buffer bytes = { 0 };
    if (frame->type == LOOKUP_SPF) spf_say(scene, frame->id);
    if (frame->type != LOOKUP_HISTORY) return true;
    scene->histories++;
    sender_history_put(&nobody, &bytes);
    if (scene->lookup == LOOKUP_KNOWS_NOBODY) {
        put_text(channel_begin(scene->lookup_end, LOOKUP_HISTORY_IS, frame->id), buffer_text(&bytes));
        channel_end(scene->lookup_end);
    }
    buffer_free(&bytes);
    stop_if_awaited(scene);
    return true;
}

static void relay_answer(struct scene *scene, uint64_t id)
{
    struct relay_reply reply = { .outcome = RELAY_REPLIED, .server = TEXT("wall.test[192.0.2.9]:25") };
    if (scene->deliver == DELIVER_SAYS_NOTHING) return;
    if (scene->deliver == DELIVER_FINDS_NOBODY) reply.outcome = RELAY_NO_SERVER;
    reply.code = scene->deliver == DELIVER_IS_REFUSED ? 554 : 250;
    reply.enhanced = scene->deliver == DELIVER_IS_REFUSED ? TEXT("5.7.9") : TEXT("2.6.0");
    reply.text = TEXT("says the wall");
    relay_reply_put(&reply, channel_begin(scene->deliver_end, DELIVER_RELAYED, id));
    channel_end(scene->deliver_end);
}

static void call_out_answer(struct scene *scene, uint64_t id)
{
    bool is_refused = scene->deliver == DELIVER_IS_REFUSED;
    if (scene->deliver == DELIVER_SAYS_NOTHING) return;
    struct buffer *out = channel_begin(scene->deliver_end, DELIVER_CALL_OUT_IS, id);
    put_u8(out, is_refused ? RECIPIENT_FAILED : RECIPIENT_DELIVERED);
    put_u16(out, is_refused ? 550 : 250);
    put_text(out, is_refused ? TEXT("5.1.6") : TEXT("2.1.5"));
    put_text(out, TEXT("says the wall"));
    channel_end(scene->deliver_end);
}

static void relayed_take(struct scene *scene, struct frame *frame)
{
    struct frame copy = *frame;
    copy.payload = arena_text(scene->arena, frame->payload);
    assert_true(relay_request_get(scene->arena, &copy, &scene->relayed));
    body_free(&scene->relayed.body);
    scene->relays++;
}

static bool deliver_frame(void *context, struct frame *frame)
{
    struct scene *scene = context;
    scene->cancels += frame->type == DELIVER_RELAY_CANCEL;
    if (frame->type == DELIVER_RELAY) {
        relayed_take(scene, frame);
        relay_answer(scene, frame->id);
    }
    if (frame->type == DELIVER_CALL_OUT) call_out_answer(scene, frame->id);
    stop_if_awaited(scene);
    return true;
}

static void broken(void *context)
{
    (void)context;
    fail_msg("receive closed a channel");
}

static struct channel *process_comes(struct scene *scene, enum process_kind kind,
                                     const struct channel_events *events)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    struct channel *end = channel_open(scene->server.loop, fds[0], events, scene);
    peers_take(&scene->server, kind, fds[1]);
    return end;
}

static void process_goes(struct channel **end, struct channel **ours)
{
    channel_close(*end);
    channel_close(*ours); /* as on_closed does, a turn of the loop later */
    *end = *ours = NULL;
}

void scene_queue_comes(struct scene *scene)
{
    static const struct channel_events events = { queue_frame, broken };
    scene->queue_end = process_comes(scene, PROCESS_QUEUE, &events);
}

void scene_queue_goes(struct scene *scene)
{
    process_goes(&scene->queue_end, &scene->server.queue);
}

void scene_scan_comes(struct scene *scene)
{
    static const struct channel_events events = { scan_frame, broken };
    scene->scan_end = process_comes(scene, PROCESS_SCAN, &events);
}

void scene_scan_goes(struct scene *scene)
{
    process_goes(&scene->scan_end, &scene->server.scan);
}

void scene_lookup_comes(struct scene *scene)
{
    static const struct channel_events events = { lookup_frame, broken };
    scene->lookup_end = process_comes(scene, PROCESS_LOOKUP, &events);
}

/* --- the start --- */

static struct config *config_make(const char *more)
{
    struct buffer text = { 0 };
    buffer_printf(&text,
                  "hostname mx.test\nadmin boss@example.test\n%s\nlisten 127.0.0.1:25 { direction in }\n"
                  "dns client names off\ndomains { example.test 127.0.0.1:2525; plain.test 127.0.0.1:2525 { "
                  "smtputf8 off }; "
                  "asked.test 127.0.0.1:2525 { "
                  "recipients call-out } }\n",
                  more);
    struct config *config = config_of_text(buffer_text(&text), false);
    buffer_free(&text);
    return config;
}

static int memory_make(size_t bytes)
{
    int fd = memfd_create("shared", MFD_CLOEXEC);
    assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
    return fd;
}

static void maps_open(struct scene *scene)
{
    int clients = memory_make(TABLE_BYTES), ring = memory_make(RING_FILE_BYTES);
    int counters = memory_make(8 * sizeof *scene->page);
    scene->server.clients = client_limits_map(clients, 0);
    scene->server.ring = ring_map(ring);
    scene->page = counters_map(counters, COUNTERS_SLOT_RECEIVE, true);
    assert_true(scene->server.clients && scene->server.ring && scene->page);
    scene->server.counters = &scene->page->receive;
    measures_begin(&scene->page->measures);
    scene->server.measures = &scene->page->measures.receive;
    close(clients);
    close(ring);
    close(counters);
}

static void on_limit(void *context)
{
    struct scene *scene = context;
    scene->is_late = true;
    loop_stop(scene->server.loop);
}

void scene_start(struct scene *scene, const char *config)
{
    static const struct channel_events deliver_events = { deliver_frame, broken };
    struct server *server = &scene->server;
    *scene = (struct scene){ .client = -1, .arena = arena_new(0) };
    server->child = &scene->child;
    server->config = scene->config = config_make(config);
    server->loop = loop_new();
    server->processes = 1;
    server->line = arena_new(0);
    server->names = digest_key_new(TEXT("secret"));
    maps_open(scene);
    server->refusals = refusals_new(server);
    server->tables = tables_new(server->config);
    scene->limit = timer_new(server->loop, on_limit, scene);
    scene->port = memory_alloc(sizeof *scene->port);
    *scene->port = (struct port){ .listener = server->config->listeners[0],
                                  .arena = arena_new(0),
                                  .users = 1,
                                  .server = server,
                                  .fd = -1 };
    scene_queue_comes(scene);
    scene_scan_comes(scene);
    scene->deliver_end = process_comes(scene, PROCESS_DELIVER, &deliver_events);
}

void scene_stop(struct scene *scene)
{
    struct server *server = &scene->server;
    watch_free(scene->watch);
    while (server->sessions) drop_session(server->sessions);
    if (scene->queue_end) scene_queue_goes(scene);
    if (scene->scan_end) scene_scan_goes(scene);
    process_goes(&scene->deliver_end, &server->deliver);
    if (scene->lookup_end) process_goes(&scene->lookup_end, &server->lookup);
    scene_turn(scene); /* what was closed is freed at the end of a turn */
    server_port_release(scene->port);
    timer_free(scene->limit);
    timer_free(server->eviction_timer);
    refusals_free(server->refusals);
    tables_free(server->tables);
    digest_key_free(server->names);
    client_limits_unmap(server->clients);
    ring_unmap(server->ring);
    counters_unmap(scene->page);
    buffer_free(&scene->heard);
    buffer_free(&server->scratch);
    buffer_free(&server->replies);
    arena_free(server->line);
    loop_free(server->loop);
    config_free(scene->config);
    arena_free(scene->arena);
}

const struct text *scene_event(struct scene *scene)
{
    if (scene->event_position == 0) scene->event_position = ring_tail(scene->server.ring);
    while (ring_next(scene->server.ring, &scene->event_position, &scene->event)) {
        if (event_kind_of(scene->event) != EVENT_EXPLAINED) return &scene->event;
        scene->explained++;
    }
    return NULL;
}

/* --- the client --- */

static void run(struct scene *scene)
{
    timer_set(scene->limit, WAIT_MS);
    loop_run(scene->server.loop);
    timer_clear(scene->limit);
}

void scene_await(struct scene *scene, unsigned *count, unsigned wanted)
{
    scene->awaited = count;
    scene->awaited_count = wanted;
    if (*count < wanted) run(scene);
    scene->awaited = NULL;
    assert_false(scene->is_late);
}

void scene_turn(struct scene *scene)
{
    timer_set(scene->limit, TURN_MS);
    loop_run(scene->server.loop);
    scene->is_late = false;
}

/* The length of the first whole reply in what was heard; 0: there is none. */
static size_t reply_length(const struct scene *scene)
{
    struct text heard = buffer_text(&scene->heard), rest = heard, line;
    while (text_find_char(rest, '\n') < rest.length && text_next_line(&rest, &line))
        if (line.length < 4 || line.at[3] != '-') return heard.length - rest.length;
    return 0;
}

static void on_client(void *context, int what)
{
    struct scene *scene = context;
    char room[4096];
    ssize_t got = recv(scene->client, room, sizeof room, MSG_DONTWAIT);
    (void)what;
    if (got > 0) buffer_add(&scene->heard, room, (size_t)got);
    scene->is_closed = got <= 0;
    if (scene->is_closed) watch_set(scene->watch, 0);
    if (scene->is_closed || reply_length(scene)) loop_stop(scene->server.loop);
}

static int listen_somewhere(struct sockaddr_storage *out, socklen_t *out_size)
{
    struct endpoint any = { .port = 0 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(address_parse(TEXT("127.0.0.1"), &any.address));
    *out_size = endpoint_to_sockaddr(&any, out);
    assert_int_equal(bind(fd, (struct sockaddr *)out, *out_size), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)out, out_size), 0);
    return fd;
}

static void client_connect(struct scene *scene)
{
    struct sockaddr_storage at;
    socklen_t size = 0;
    struct endpoint peer = { .port = 4711 };
    int listener = listen_somewhere(&at, &size);
    scene->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(scene->client, (struct sockaddr *)&at, size), 0);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    close(listener);
    assert_true(address_parse(TEXT("127.0.0.1"), &peer.address));
    scene->watch = watch_new(scene->server.loop, scene->client, on_client, scene);
    watch_set(scene->watch, WATCH_READ);
    connection_begin(&scene->server, scene->port, fd, &peer);
}

void scene_say(struct scene *scene, struct text bytes)
{
    assert_int_equal(send(scene->client, bytes.at, bytes.length, MSG_NOSIGNAL), bytes.length);
}

const char *scene_hear(struct scene *scene)
{
    while (!reply_length(scene) && !scene->is_closed && !scene->is_late) run(scene);
    struct text reply =
        arena_text(scene->arena, text_slice(buffer_text(&scene->heard), 0, reply_length(scene)));
    buffer_consume(&scene->heard, reply.length);
    return reply.at;
}

void scene_hang_up(struct scene *scene)
{
    watch_free(scene->watch);
    scene->watch = NULL;
}

static void line_say(struct scene *scene, struct text line)
{
    static const struct {
        struct text word, bytes;
    } contents[] = { { TEXT("DOT"), TEXT(".\r\n") },
                     { TEXT("END"), TEXT("Subject: hello\r\n\r\nhello\r\n.\r\n") },
                     { TEXT("EIGHT"), TEXT("Subject: \xc3\xa4\r\n\r\nx\r\n.\r\n") },
                     { TEXT("BARE"), TEXT("Subject: hello\n\r\nhello\r\n.\r\n") },
                     { TEXT("ALONE"), TEXT("Disk full on host1\r\n\r\nplease look\r\n.\r\n") } };
    struct buffer out = { 0 };
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++)
        if (text_equal(line, contents[i].word)) buffer_add_text(&out, contents[i].bytes);
    if (text_equal(line, TEXT("WIDE"))) buffer_printf(&out, "Subject: %20000s\r\n\r\nhello\r\n.\r\n", "x");
    if (text_equal(line, TEXT("HUGE"))) buffer_printf(&out, "Subject: x\r\n\r\n%70000s\r\n.\r\n", "x");
    for (int i = 0; i < 6 && text_equal(line, TEXT("HOPS")); i++)
        buffer_printf(&out, "Received: a%s", i < 5 ? "\r\n" : "\r\n\r\n.\r\n");
    if (buffer_length(&out) == 0) buffer_printf(&out, "%.*s\r\n", TEXT_ARG(line));
    scene_say(scene, buffer_text(&out));
    buffer_free(&out);
}

const char *scene_talk(struct scene *scene, const char *lines)
{
    struct text rest = text_of(lines);
    struct buffer codes = { 0 };
    if (scene->client < 0) {
        client_connect(scene);
        scene->last = scene_hear(scene);
        buffer_printf(&codes, "%.3s ", scene->last);
    }
    while (rest.length && !scene->is_closed) {
        size_t end = text_find_char(rest, '|');
        line_say(scene, text_slice(rest, 0, end));
        rest = text_slice(rest, end + 1, rest.length);
        scene->last = scene_hear(scene);
        buffer_printf(&codes, "%.3s ", *scene->last ? scene->last : "0");
    }
    struct text text = arena_text(scene->arena, text_trim(buffer_text(&codes)));
    buffer_free(&codes);
    return text.at;
}
