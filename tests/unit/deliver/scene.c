/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Deliver's parts wired as main.c wires them, and the other ends of its channels. */
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config_text.h"
#include "deliver/pool_private.h"
#include "ipc/event.h"

enum { WAIT_MS = 5000, SEGMENT = 7 };

static struct config *config_make(const char *format, va_list arguments)
{
    struct buffer text = { 0 };
    buffer_add_text(&text, TEXT("role single\nhostname mx.example.test\nadmin postmaster@example.test\n"
                                "listen 127.0.0.1:2525 { direction in }\n"));
    buffer_vprintf(&text, format, arguments);
    struct config *config = config_of_text(buffer_text(&text), true);
    buffer_free(&text);
    return config;
}

static struct text keep(struct scene *scene, struct text text)
{
    return arena_text(scene->arena, text);
}

static bool result_take(struct scene *scene, struct frame *frame)
{
    struct frame copy = *frame;
    copy.payload = keep(scene, frame->payload);
    assert_true(scene->result_count < SCENE_RESULTS_MOST);
    if (!deliver_result_get(scene->arena, &copy, &scene->results[scene->result_count])) return false;
    scene->result_count++;
    if (scene->keeps_results) channel_send(scene->queue_end, DELIVER_RESULT_KEPT, frame->id, TEXT_NONE);
    return true;
}

static void check(struct scene *scene)
{
    if (scene->is_over && scene->is_over(scene)) loop_stop(scene->loop);
}

static bool queue_frame(void *context, struct frame *frame)
{
    struct scene *scene = context;
    if (frame->type == DELIVER_RESULT && !result_take(scene, frame)) return false;
    if (frame->type == DELIVER_SYNCED) scene->synced++;
    if (frame->type == DELIVER_UNDER_WAY) scene->under_way++;
    check(scene);
    return true;
}

static bool receive_frame(void *context, struct frame *frame)
{
    struct scene *scene = context;
    struct reader reader = reader_of(frame->payload);
    scene->call_out_ending = get_u8(&reader);
    scene->call_out_code = get_u16(&reader);
    scene->call_outs++;
    check(scene);
    return true;
}

static bool jobs_end_frame(void *context, struct frame *frame)
{
    struct scene *scene = context;
    return jobs_frame(scene->jobs, frame);
}

static bool callouts_end_frame(void *context, struct frame *frame)
{
    struct scene *scene = context;
    return callout_frame(scene->callouts, scene->callouts_end, frame);
}

static void broken(void *context)
{
    (void)context;
    fail_msg("a channel was closed");
}

static const struct channel_events queue_events = { queue_frame, broken };
static const struct channel_events receive_events = { receive_frame, broken };
static const struct channel_events jobs_events = { jobs_end_frame, broken };
static const struct channel_events callouts_events = { callouts_end_frame, broken };

static void channel_pair(struct scene *scene, const struct channel_events *a, const struct channel_events *b,
                         struct channel **out_a, struct channel **out_b)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    *out_a = channel_open(scene->loop, fds[0], a, scene);
    *out_b = channel_open(scene->loop, fds[1], b, scene);
}

static void segment_send(struct scene *scene)
{
    struct buffer payload = { 0 };
    int fd = dup(scene->segment_fd);
    put_u32(&payload, SEGMENT);
    channel_send_fds(scene->queue_end, DELIVER_SEGMENT, 0, buffer_text(&payload), &fd, 1);
    buffer_free(&payload);
}

static bool ask(void *context, uint64_t id, const struct route *route)
{
    struct scene *scene = context;
    scene->asked++;
    scene->ask_id = id;
    scene->asked_for = route->status;
    bool has_answer = route->status == ROUTE_ASK_MX        ? scene->mx != NULL
                      : route->status == ROUTE_ASK_SOURCES ? scene->sources != NULL
                                                           : scene->host != NULL;
    if (has_answer) loop_defer(scene->loop, &scene->answer);
    return true;
}

static void answer(void *context)
{
    struct scene *scene = context;
    if (scene->asked_for == ROUTE_ASK_SOURCES)
        pool_sources_are(scene->pool, scene->ask_id, scene->sources);
    else if (scene->asked_for == ROUTE_ASK_MX)
        pool_mx_is(scene->pool, scene->ask_id, scene->mx);
    else
        pool_host_is(scene->pool, scene->ask_id, scene->host);
}

static void is_empty(void *context)
{
    (void)context;
}

static void on_limit(void *context)
{
    struct scene *scene = context;
    scene->is_late = true;
    loop_stop(scene->loop);
}

static void tls_start(struct scene *scene)
{
    char error[200];
    scene->ground.tls_any = tls_context_client(TEXT_NONE, false, error, sizeof error);
    scene->ground.tls_verified = tls_context_client(scene->authorities, true, error, sizeof error);
}

static struct config *config_first(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct config *config = config_make(format, arguments);
    va_end(arguments);
    return config;
}

static void trust(struct scene *scene, const struct script_server *server)
{
    struct endpoint endpoint = { .port = server->port };
    assert_true(address_parse(TEXT("127.0.0.1"), &endpoint.address));
    host_learn(hosts_get(&scene->pool->hosts, &endpoint), FOUND_TELLS_APART, loop_now_ms(scene->loop));
}

struct script_server *scene_server(struct scene *scene, const char *features, struct rule *rules)
{
    struct script_server *server = &scene->servers[scene->server_count++];
    server->features = features;
    server->rules = rules;
    script_server_start(server, scene->loop);
    if (!scene->has_new_servers) trust(scene, server);
    return server;
}

void scene_start(struct scene *scene)
{
    *scene = (struct scene){ .keeps_results = true };
    scene->config = config_first("domains { example.test 127.0.0.1:1 }\n");
    scene->loop = loop_new();
    scene->answer = (struct deferred){ .run = answer, .context = scene };
    scene->arena = arena_new(0);
    scene->ground.loop = scene->loop;
    scene->ground.config = scene->config;
    tls_start(scene);
    own_addresses_configure(&scene->own, scene->config);
    int ring_fd = memfd_create("events", MFD_CLOEXEC);
    assert_int_equal(ftruncate(ring_fd, RING_FILE_BYTES), 0);
    scene->ring = ring_map(ring_fd);
    close(ring_fd);
    assert_non_null(scene->ring);
    scene->pool = pool_new(&(struct pool_start){ &scene->ground, &scene->own, ask, is_empty, scene });
    scene->jobs = jobs_new(scene->loop, scene->pool, scene->ring);
    scene->callouts = callout_new(scene->loop, scene->pool);
    scene->limit = timer_new(scene->loop, on_limit, scene);
    scene->segment_fd = memfd_create("segment", MFD_CLOEXEC);
    channel_pair(scene, &queue_events, &jobs_events, &scene->queue_end, &scene->jobs_end);
    channel_pair(scene, &receive_events, &callouts_events, &scene->receive_end, &scene->callouts_end);
    jobs_queue_opened(scene->jobs, scene->jobs_end);
    segment_send(scene);
}

void scene_configure(struct scene *scene, const char *format, ...)
{
    va_list arguments;
    struct config *old = scene->config;
    va_start(arguments, format);
    scene->config = config_make(format, arguments);
    va_end(arguments);
    scene->ground.config = scene->config;
    tls_context_free(scene->ground.tls_any);
    tls_context_free(scene->ground.tls_verified);
    tls_start(scene);
    own_addresses_configure(&scene->own, scene->config);
    callout_forget_answers(scene->callouts);
    pool_reload(scene->pool);
    config_free(old);
}

void scene_queue_restart(struct scene *scene)
{
    jobs_queue_closed(scene->jobs);
    channel_close(scene->queue_end);
    channel_close(scene->jobs_end);
    channel_pair(scene, &queue_events, &jobs_events, &scene->queue_end, &scene->jobs_end);
    jobs_queue_opened(scene->jobs, scene->jobs_end);
    segment_send(scene);
}

void scene_stop(struct scene *scene)
{
    jobs_queue_closed(scene->jobs);
    channel_close(scene->queue_end);
    channel_close(scene->jobs_end);
    channel_close(scene->receive_end);
    channel_close(scene->callouts_end);
    callout_stop(scene->callouts);
    pool_free(scene->pool);
    callout_free(scene->callouts);
    jobs_free(scene->jobs);
    own_addresses_free(&scene->own);
    for (unsigned i = 0; i < scene->server_count; i++) {
        for (int turn = 0; turn < 200 && scene->servers[i].open > 0; turn++) scene_wait_ms(scene, 1);
        script_server_stop(&scene->servers[i]);
    }
    scene_wait_ms(scene, 1);
    close(scene->segment_fd);
    ring_unmap(scene->ring);
    arena_free(scene->arena);
    timer_free(scene->limit);
    tls_context_free(scene->ground.tls_any);
    tls_context_free(scene->ground.tls_verified);
    config_free(scene->config);
    loop_free(scene->loop);
}

/* --- jobs --- */

static void append(struct scene *scene, struct text bytes)
{
    assert_int_equal(pwrite(scene->segment_fd, bytes.at, bytes.length, (off_t)scene->segment_bytes),
                     (ssize_t)bytes.length);
    scene->segment_bytes += bytes.length;
}

static void recipients_read(struct scene *scene, const struct scene_job *from, struct deliver_job *job)
{
    struct text rest = text_of(from->recipients), word;
    job->envelope.recipients =
        arena_alloc_array(scene->arena, SCENE_RECIPIENTS_MOST, sizeof *job->envelope.recipients);
    job->recipient_numbers =
        arena_alloc_array(scene->arena, SCENE_RECIPIENTS_MOST, sizeof *job->recipient_numbers);
    while (text_next_word(&rest, &word)) {
        uint32_t number = job->envelope.recipient_count++;
        job->envelope.recipients[number] =
            (struct recipient){ .address = word, .orcpt = text_of(from->orcpt), .notify = from->notify };
        job->recipient_numbers[number] = number + 100;
    }
}

uint64_t scene_send(struct scene *scene, const struct scene_job *from)
{
    struct text prefix = text_of(from->prefix ? from->prefix : "");
    struct text body = text_from(from->body, from->body_length ? from->body_length : strlen(from->body));
    struct deliver_job job = { .id = ++scene->last_id,
                               .message_id = scene->last_id + 5000,
                               .domain = text_of(from->domain ? from->domain : "example.test"),
                               .segment = SEGMENT,
                               .offset = scene->segment_bytes,
                               .length = prefix.length + body.length,
                               .prefix_length = (uint32_t)prefix.length,
                               .content = from->content,
                               .edits = from->edits };
    append(scene, prefix);
    append(scene, body);
    job.envelope.sender = text_of(from->sender ? from->sender : "sender@outside.test");
    job.envelope.smtputf8 = from->smtputf8;
    job.envelope.envid = text_of(from->envid);
    recipients_read(scene, from, &job);
    deliver_job_put(&job, channel_begin(scene->queue_end, DELIVER_JOB, job.id));
    channel_end(scene->queue_end);
    return job.id;
}

void scene_ask(struct scene *scene, const char *address)
{
    struct buffer *frame = channel_begin(scene->receive_end, DELIVER_CALL_OUT, ++scene->last_id);
    put_text(frame, TEXT("sender@outside.test"));
    put_text(frame, text_of(address));
    channel_end(scene->receive_end);
}

/* --- waiting --- */

static void wait_for(struct scene *scene, bool (*is_over)(struct scene *scene), unsigned wanted)
{
    scene->wanted = wanted;
    if (is_over(scene)) return;
    scene->is_over = is_over;
    scene->is_late = false;
    timer_set(scene->limit, WAIT_MS);
    loop_run(scene->loop);
    timer_clear(scene->limit);
    scene->is_over = NULL;
    if (scene->is_late)
        fail_msg("waited for %u: there are %u results, %u call-outs", wanted, scene->result_count,
                 scene->call_outs);
}

static bool has_results(struct scene *scene)
{
    return scene->result_count >= scene->wanted;
}

static bool has_call_outs(struct scene *scene)
{
    return scene->call_outs >= scene->wanted;
}

void scene_wait_results(struct scene *scene, unsigned count)
{
    wait_for(scene, has_results, count);
}

void scene_wait_call_outs(struct scene *scene, unsigned count)
{
    wait_for(scene, has_call_outs, count);
}

void scene_wait_ms(struct scene *scene, uint64_t ms)
{
    timer_set(scene->limit, ms);
    loop_run(scene->loop);
    timer_clear(scene->limit);
}

unsigned scene_events(struct scene *scene)
{
    uint64_t position = ring_tail(scene->ring);
    struct text record;
    unsigned count = 0;
    while (ring_next(scene->ring, &position, &record)) {
        struct event_ended event;
        assert_true(event_ended_get(record, &event));
        assert_int_equal(event.ending, ENDING_DELIVERED);
        count++;
    }
    ring_release(scene->ring, position);
    return count;
}
