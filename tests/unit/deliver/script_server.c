/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Just enough of a server: lines in, replies by rule or by default. */
#include "script_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/stream.h"
#include "smtp/dotted.h"

struct session {
    struct script_server *server;
    struct stream *stream;
    struct dotted dotted;
    bool in_data;
    uint64_t chunk; /* bytes of BDAT still to come */
    bool chunk_is_last, has_mail;
    unsigned recipients;
};

static void session_end(struct session *session)
{
    session->server->open--;
    stream_close(session->stream);
    free(session);
}

static struct rule *rule_for(struct script_server *server, const char *command)
{
    for (struct rule *rule = server->rules; rule && rule->command; rule++) {
        bool is_exact = !*rule->command || strcmp(rule->command, ".") == 0;
        if (is_exact ? strcmp(command, rule->command) != 0
                     : strncasecmp(command, rule->command, strlen(rule->command)) != 0)
            continue;
        if (!rule->times || rule->used < rule->times) return rule;
    }
    return NULL;
}

/* False: the session is gone. */
static bool answer(struct session *session, const char *command, const char *reply)
{
    struct rule *rule = rule_for(session->server, command);
    if (rule) rule->used++;
    if (rule && rule->closes_first) {
        session_end(session);
        return false;
    }
    const char *line = rule ? rule->reply : reply;
    if (line) stream_write(session->stream, text_of(line));
    if (rule && rule->closes) {
        session_end(session);
        return false;
    }
    return true;
}

static bool ehlo(struct session *session, const char *line)
{
    struct buffer reply = { 0 };
    const char *features = session->server->features ? session->server->features : "";
    struct text rest = text_of(features), feature;
    buffer_add_text(&reply, rest.length ? TEXT("250-script\r\n") : TEXT("250 script\r\n"));
    while (text_next_line(&rest, &feature))
        buffer_printf(&reply, "250%c%.*s\r\n", rest.length ? '-' : ' ', TEXT_ARG(feature));
    buffer_add_char(&reply, 0);
    bool goes_on = answer(session, line, reply.memory);
    buffer_free(&reply);
    return goes_on;
}

static bool content_end(struct session *session)
{
    bool has_recipients = session->recipients > 0;
    session->in_data = session->has_mail = false;
    session->recipients = 0;
    if (has_recipients) session->server->messages++;
    return answer(session, ".", has_recipients ? "250 2.0.0 kept\r\n" : "503 5.5.1 no recipients\r\n");
}

static bool bdat(struct session *session, const char *line)
{
    char last[8] = "";
    unsigned long long size = 0;
    if (sscanf(line, "%*s %llu %7s", &size, last) < 1) return false;
    session->chunk = size;
    session->chunk_is_last = strcasecmp(last, "LAST") == 0;
    buffer_clear(&session->server->content);
    return size > 0 || content_end(session);
}

static bool starttls(struct session *session, const char *line, bool is_refused)
{
    if (!answer(session, line, "220 2.0.0 go\r\n")) return false;
    if (is_refused) return true;
    stream_start_tls(session->stream, session->server->tls, true, TEXT_NONE);
    return true;
}

static bool quit(struct session *session)
{
    stream_write(session->stream, TEXT("221 2.0.0 bye\r\n"));
    session_end(session);
    return false;
}

static bool reset(struct session *session, const char *line)
{
    session->has_mail = false;
    session->recipients = 0;
    return answer(session, line, "250 2.0.0 reset\r\n");
}

static bool mail(struct session *session, const char *line, bool is_refused)
{
    if (session->has_mail) return answer(session, line, "503 5.5.1 nested MAIL\r\n");
    session->has_mail = !is_refused;
    return answer(session, line, "250 2.1.0 ok\r\n");
}

static bool rcpt(struct session *session, const char *line, bool is_refused)
{
    if (!session->has_mail) return answer(session, "(no mail)", "503 5.5.1 no MAIL\r\n");
    if (!is_refused) session->recipients++;
    return answer(session, line, "250 2.1.5 ok\r\n");
}

static bool data(struct session *session, const char *line, const struct rule *rule)
{
    session->in_data = rule ? rule->reply && rule->reply[0] == '3' : session->recipients > 0;
    dotted_start(&session->dotted, false, false);
    buffer_clear(&session->server->content);
    return answer(session, line, session->in_data ? "354 go on\r\n" : "554 5.5.1 no recipients\r\n");
}

static bool command(struct session *session, const char *line)
{
    const struct rule *rule = rule_for(session->server, line);
    bool is_refused = rule && !(rule->reply && rule->reply[0] == '2');
    if (strncasecmp(line, "EHLO", 4) == 0) return ehlo(session, line);
    if (strncasecmp(line, "HELO", 4) == 0) return answer(session, line, "250 script\r\n");
    if (strncasecmp(line, "STARTTLS", 8) == 0) return starttls(session, line, is_refused);
    if (strncasecmp(line, "MAIL", 4) == 0) return mail(session, line, is_refused);
    if (strncasecmp(line, "RCPT", 4) == 0) return rcpt(session, line, is_refused);
    if (strncasecmp(line, "DATA", 4) == 0) return data(session, line, rule);
    if (strncasecmp(line, "BDAT", 4) == 0) return bdat(session, line);
    if (strncasecmp(line, "RSET", 4) == 0) return reset(session, line);
    if (strncasecmp(line, "QUIT", 4) == 0) return quit(session);
    return answer(session, line, "500 5.5.2 what\r\n");
}

static void line_take(struct session *session, struct text text)
{
    char *line = memory_string(text_trim(text));
    buffer_printf(&session->server->said, "%s\n", line);
    command(session, line);
    free(line);
}

static size_t on_input(void *context, struct text bytes)
{
    struct session *session = context;
    size_t used = 0;
    if (session->in_data) {
        if (dotted_decode(&session->dotted, bytes, &session->server->content, &used) == DOTTED_END)
            content_end(session);
        return used;
    }
    if (session->chunk > 0) {
        struct text part = text_slice(bytes, 0, session->chunk);
        buffer_add_text(&session->server->content, part);
        session->chunk -= part.length;
        if (session->chunk == 0) content_end(session);
        return part.length;
    }
    size_t end = text_find_char(bytes, '\n');
    if (end == bytes.length) return 0;
    line_take(session, text_slice(bytes, 0, end));
    return end + 1;
}

static void on_secured(void *context)
{
    struct session *session = context;
    buffer_add_text(&session->server->said, TEXT("(secure)\n"));
}

static void on_ended(void *context, enum stream_end end, const char *reason)
{
    (void)end;
    (void)reason;
    session_end(context);
}

static const struct stream_events stream_events = { on_input, NULL, NULL, on_secured, on_ended };

static void on_connection(void *context, int what)
{
    (void)what;
    struct script_server *server = context;
    int fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    struct session *session = memory_alloc(sizeof *session);
    session->server = server;
    session->stream = stream_open(server->loop, fd, &stream_events, session);
    server->connections++;
    server->open++;
    answer(session, "", "220 script ESMTP\r\n");
}

void script_server_start(struct script_server *server, struct loop *loop)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    server->loop = loop;
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server->fd < 0 || bind(server->fd, (struct sockaddr *)&address, size) != 0 ||
        listen(server->fd, 100) != 0 || getsockname(server->fd, (struct sockaddr *)&address, &size) != 0) {
        perror("script server");
        exit(1);
    }
    server->port = ntohs(address.sin_port);
    server->watch = watch_new(loop, server->fd, on_connection, server);
    watch_set(server->watch, WATCH_READ);
}

void script_server_stop(struct script_server *server)
{
    watch_free(server->watch);
    server->watch = NULL;
    buffer_free(&server->said);
    buffer_free(&server->content);
}
