/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One request a connection: read, answered, closed. What a client sends behind its request is thrown away
   until it has closed its side, since closing a socket with unread input would take the reply from it. */
#include "metrics/http_server.h"

#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>

#include "base/acceptor.h"
#include "base/arena.h"
#include "base/context.h"
#include "base/stream.h"
#include "metrics/http_request.h"

enum { LISTENERS_MOST = 2, LINGER_MS = 1000 };

struct monitor {
    enum { MONITOR_MAGIC = 0x3c61f0d7 } magic;
    TAILQ_ENTRY(monitor) others;
    struct http_server *server;
    struct stream *stream;
    struct timer *timer;
    bool is_answered;
};

struct http_server {
    enum { HTTP_SERVER_MAGIC = 0x59d1c2ab } magic;
    struct loop *loop;
    const char *type;
    void (*compose)(void *context, struct buffer *out);
    void *context;
    struct acceptor *acceptors[LISTENERS_MOST];
    TAILQ_HEAD(monitor_list, monitor) monitors; /* the oldest first */
    struct http_server_counts counts;
};

static void monitor_close(struct monitor *monitor)
{
    struct http_server *server = monitor->server;
    TAILQ_REMOVE(&server->monitors, monitor, others);
    server->counts.connections--;
    stream_close(monitor->stream);
    timer_free(monitor->timer);
    free(monitor);
}

/* --- the reply --- */

static const char *reason_of(unsigned status)
{
    switch (status) {
    case 200:
        return "OK";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 431:
        return "Request Header Fields Too Large";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Bad Request";
    }
}

/* RFC 9110 section 5.6.7 */
static void date_add(const struct http_server *server, struct buffer *out)
{
    time_t now = (time_t)(loop_wall_ms(server->loop) / 1000);
    struct tm fields;
    char room[40];
    strftime(room, sizeof room, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &fields));
    buffer_printf(out, "Date: %s\r\n", room);
}

static void reply(struct monitor *monitor, unsigned status, bool has_content)
{
    struct http_server *server = monitor->server;
    struct buffer content = { 0 }, head = { 0 };
    if (status == 200)
        server->compose(server->context, &content);
    else
        buffer_printf(&content, "%s: GET /metrics is what is answered here.\n", reason_of(status));
    buffer_printf(&head, "HTTP/1.1 %u %s\r\n", status, reason_of(status));
    date_add(server, &head);
    buffer_printf(&head, "Content-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n",
                  status == 200 ? server->type : "text/plain; charset=utf-8", buffer_length(&content),
                  status == 405 ? "Allow: GET, HEAD\r\n" : "");
    stream_write(monitor->stream, buffer_text(&head));
    if (has_content) stream_write(monitor->stream, buffer_text(&content));
    buffer_free(&head);
    buffer_free(&content);
    monitor->is_answered = true;
    server->counts.served += status == 200;
    server->counts.refused += status != 200;
}

/* --- the stream's events --- */

static size_t on_input(void *context, struct text bytes)
{
    struct monitor *monitor = CONTEXT(context, struct monitor, MONITOR_MAGIC);
    struct http_request request;
    if (monitor->is_answered) return bytes.length;
    unsigned status = http_request_parse(bytes, &request);
    if (status == 0) return 0;
    reply(monitor, status, !request.is_head);
    return bytes.length;
}

static void on_drained(void *context)
{
    struct monitor *monitor = CONTEXT(context, struct monitor, MONITOR_MAGIC);
    shutdown(stream_fd(monitor->stream), SHUT_WR);
    timer_set(monitor->timer, LINGER_MS);
}

static void on_ended(void *context, enum stream_end end, const char *reason)
{
    monitor_close(CONTEXT(context, struct monitor, MONITOR_MAGIC));
}

static void time_is_up(void *context)
{
    monitor_close(CONTEXT(context, struct monitor, MONITOR_MAGIC));
}

static void arrived(void *context, int fd, const struct sockaddr_storage *from)
{
    static const struct stream_events events = { .on_input = on_input,
                                                 .on_drained = on_drained,
                                                 .on_ended = on_ended };
    struct http_server *server = CONTEXT(context, struct http_server, HTTP_SERVER_MAGIC);
    if (server->counts.connections == HTTP_CONNECTIONS) monitor_close(TAILQ_FIRST(&server->monitors));
    struct monitor *monitor = memory_alloc(sizeof *monitor);
    *monitor = (struct monitor){ .magic = MONITOR_MAGIC, .server = server };
    monitor->stream = stream_open(server->loop, fd, &events, monitor);
    stream_serve_half_closed(monitor->stream);
    monitor->timer = timer_new(server->loop, time_is_up, monitor);
    timer_set(monitor->timer, HTTP_TIME_MS);
    TAILQ_INSERT_TAIL(&server->monitors, monitor, others);
    server->counts.connections++;
}

/* --- the server --- */

struct http_server *http_server_new(struct loop *loop, const char *type,
                                    void (*compose)(void *context, struct buffer *out), void *context)
{
    struct http_server *server = memory_alloc(sizeof *server);
    *server = (struct http_server){
        .magic = HTTP_SERVER_MAGIC, .loop = loop, .type = type, .compose = compose, .context = context
    };
    TAILQ_INIT(&server->monitors);
    return server;
}

static void shut(struct http_server *server)
{
    for (unsigned i = 0; i < LISTENERS_MOST; i++) {
        acceptor_free(server->acceptors[i]);
        server->acceptors[i] = NULL;
    }
}

void http_server_listen(struct http_server *server, const int *fds, unsigned count)
{
    shut(server);
    for (unsigned i = 0; i < count && i < LISTENERS_MOST; i++)
        if (fds[i] >= 0) server->acceptors[i] = acceptor_new(server->loop, fds[i], arrived, server);
}

struct http_server_counts http_server_counts(const struct http_server *server)
{
    return server->counts;
}

void http_server_free(struct http_server *server)
{
    shut(server);
    for (struct monitor *next, *monitor = TAILQ_FIRST(&server->monitors); monitor; monitor = next) {
        next = TAILQ_NEXT(monitor, others);
        monitor_close(monitor);
    }
    free(server);
}
