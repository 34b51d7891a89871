/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Sends messages over any number of connections and says what the server answered to each. One conversation
   is a list of lines and one message; replies are taken in order, one command at a time. */
#include "cli/send.h"

#include <getopt.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/stream.h"
#include "base/tls.h"
#include "cli/json.h"
#include "cli/mail_files.h"
#include "config/settings.h"
#include "smtp/dotted.h"
#include "smtp/reply.h"

static const char help[] =
    "usage: sekimori send [OPTIONS] [FILE|FOLDER|-]…\n\n"
    "Sends messages by SMTP: files, every file of a folder, or standard input (also when none is given).\n\n"
    "  --server HOST:PORT   where to (default 127.0.0.1:2525)\n"
    "  --from ADDRESS       sender; \"\" is the null path (default sender@example.com)\n"
    "  --to ADDRESS         recipient; again for more (default postmaster)\n"
    "  --helo NAME          (default localhost)\n"
    "  --count N            sends the list N times\n"
    "  --connections N      at once (default 1, at most 1000)\n"
    "  --tls off|offered|required   (default off; certificates are not verified)\n"
    "  --mail-parameters S, --rcpt-parameters S   e.g. \"SMTPUTF8\", \"NOTIFY=NEVER\"\n"
    "  --xclient S          e.g. \"ADDR=192.0.2.1\", said before EHLO\n"
    "  --header LINE        put before each message; again for more\n"
    "  --timeout SECONDS    for each reply (default 120)\n"
    "  --verbose            shows the dialogue on standard error\n"
    "  --json               one object a message\n"
    "  --quiet              shows only the sum\n\n"
    "Exit codes: 0 all taken, 64 usage, 66 input, 69 some refused (5xx), 75 some deferred (4xx, no "
    "connection).\n";

enum { RECIPIENTS_MOST = 1000, CONNECTIONS_MOST = 1000, PROGRESS_AFTER_MS = 2000 };

struct work {
    struct loop *loop;
    struct endpoint server;
    const char *from, *helo, *mail_parameters, *rcpt_parameters, *xclient;
    const char *to[RECIPIENTS_MOST];
    size_t to_count, connections, next, total, done;
    struct buffer headers;
    struct mail_files files;
    size_t count;
    enum tls_level tls_level;
    struct tls_context *tls;
    uint64_t timeout_ms, started_ms;
    size_t taken, deferred, refused, open;
    bool is_verbose, is_json, is_quiet;
    bool has_terminal, shows_progress; /* progress is for people who look; and has been shown */
};

enum stage { GREETING, XCLIENT, EHLO, STARTTLS, SECURING, MAIL, RCPT, DATA, CONTENT, QUIT };

struct line {
    struct work *work;
    struct stream *stream;
    struct timer *timer;
    struct reply_parser parser;
    struct smtp_capabilities offers;
    struct arena *arena;
    enum stage stage;
    size_t message; /* its number */
    size_t rcpt_asked, rcpt_taken;
    bool has_message, is_secure, said_xclient;
    char refusal[600]; /* the first bad RCPT reply */
    uint16_t refusal_code;
};

static void next_message(struct line *line);
static void line_begin(struct work *work);

static void progress_show(struct work *work, bool last)
{
    if (!work->has_terminal || work->total < 2) return;
    if (loop_now_ms(work->loop) - work->started_ms > PROGRESS_AFTER_MS) work->shows_progress = true;
    if (!work->shows_progress) return;
    static uint64_t shown_ms;
    if (!last && loop_now_ms(work->loop) - shown_ms < 200) return;
    shown_ms = loop_now_ms(work->loop);
    enum { WIDTH = 40 };
    char bar[WIDTH + 1];
    int full = (int)(work->done * WIDTH / work->total);
    for (int i = 0; i < WIDTH; i++) bar[i] = i < full ? '#' : '.';
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r[%s] %zu of %zu%s", bar, work->done, work->total, last ? "\n" : "");
}

static const char *file_name(const struct work *work, size_t message)
{
    return work->files.items[message % work->files.count].name;
}

/* Line by line, without what would command a terminal. */
static void show_lines(FILE *file, const char *before, const char *mark, struct text text)
{
    char room[4096];
    for (struct text one; text_next_line(&text, &one);)
        fprintf(file, "%s%s %s\n", before, mark, log_escape(one, room, sizeof room));
}

static void report(struct line *line, uint16_t code, struct text text)
{
    struct work *work = line->work;
    if (work->shows_progress) fputs("\r\033[K", stderr); /* the bar makes room for a line */
    work->done++;
    *(code < 300 ? &work->taken : code < 500 ? &work->deferred : &work->refused) += 1;
    if (work->is_json) {
        struct json *object = json_new_object();
        json_set_string(object, "message", file_name(work, line->message));
        json_set_number(object, "code", code);
        json_set_text(object, "reply", text);
        json_print(object, stdout, false);
    } else if (!work->is_quiet) {
        show_lines(stdout, file_name(work, line->message), ":", text);
    }
    progress_show(work, false);
    line->has_message = false;
}

static void line_end(struct line *line)
{
    struct work *work = line->work;
    stream_close(line->stream);
    timer_free(line->timer);
    arena_free(line->arena);
    free(line);
    work->open--;
    if (work->next < work->total) line_begin(work);
    if (work->open == 0) loop_stop(work->loop);
}

static void fail(struct line *line, const char *why)
{
    struct work *work = line->work;
    if (!line->has_message && line->stage != QUIT && work->next < work->total) {
        line->message = work->next++;
        line->has_message = true;
    }
    if (line->has_message) report(line, 451, text_of(why));
    line_end(line);
}

static void say(struct line *line, enum stage stage, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(struct line *line, enum stage stage, const char *format, ...)
{
    struct buffer out = { 0 };
    va_list arguments;
    va_start(arguments, format);
    buffer_vprintf(&out, format, arguments);
    va_end(arguments);
    if (line->work->is_verbose) fprintf(stderr, "> %.*s\n", TEXT_ARG(buffer_text(&out)));
    buffer_add(&out, "\r\n", 2);
    line->stage = stage;
    stream_write(line->stream, buffer_text(&out));
    buffer_free(&out);
    timer_set(line->timer, line->work->timeout_ms);
}

static void say_recipient(struct line *line)
{
    const struct work *work = line->work;
    const char *parameters = work->rcpt_parameters;
    say(line, RCPT, "RCPT TO:<%s>%s%s", work->to[line->rcpt_asked++], parameters ? " " : "",
        parameters ? parameters : "");
}

static void say_content(struct line *line)
{
    struct work *work = line->work;
    struct buffer out = { 0 };
    bool at_start = true;
    dotted_encode(buffer_text(&work->headers), &at_start, &out);
    dotted_encode(buffer_text(&work->files.items[line->message % work->files.count].content), &at_start,
                  &out);
    buffer_add_text(&out, TEXT(".\r\n"));
    line->stage = CONTENT;
    stream_write(line->stream, buffer_text(&out));
    buffer_free(&out);
    timer_set(line->timer, work->timeout_ms);
}

static void next_message(struct line *line)
{
    struct work *work = line->work;
    const char *parameters = work->mail_parameters;
    if (work->next == work->total) {
        say(line, QUIT, "QUIT");
        return;
    }
    line->message = work->next++;
    line->has_message = true;
    line->rcpt_asked = line->rcpt_taken = 0;
    line->refusal_code = 0;
    say(line, MAIL, "MAIL FROM:<%s>%s%s", work->from, parameters ? " " : "", parameters ? parameters : "");
}

static void after_ehlo(struct line *line, const struct smtp_reply *reply)
{
    struct work *work = line->work;
    smtp_capabilities_parse(reply, &line->offers);
    if (work->xclient && !line->said_xclient) {
        line->said_xclient = true;
        say(line, XCLIENT, "XCLIENT %s", work->xclient);
    } else if (work->tls_level >= TLS_OFFERED && line->offers.starttls && !line->is_secure) {
        say(line, STARTTLS, "STARTTLS");
    } else if (work->tls_level >= TLS_REQUIRED && !line->is_secure) {
        fail(line, "the server does not offer STARTTLS");
    } else {
        next_message(line);
    }
}

/* Ends the message under way; the conversation goes on with the next. */
static void message_over(struct line *line, uint16_t code, struct text lines)
{
    report(line, code, text_trim(lines));
    if (line->stage == CONTENT)
        next_message(line);
    else
        say(line, EHLO, "EHLO %s", line->work->helo); /* also ends the transaction */
}

static void after_recipient(struct line *line, const struct smtp_reply *reply)
{
    if (reply->code < 300) {
        line->rcpt_taken++;
    } else if (line->refusal_code == 0) {
        line->refusal_code = reply->code;
        snprintf(line->refusal, sizeof line->refusal, "%.*s", TEXT_ARG(text_trim(reply->lines)));
    }
    if (line->rcpt_asked < line->work->to_count)
        say_recipient(line);
    else if (line->rcpt_taken == 0)
        message_over(line, line->refusal_code, text_of(line->refusal));
    else
        say(line, DATA, "DATA");
}

static const char out_of_step[] = "the server is out of step: it sent a reply too many";

/* QUIT is never refused: this is the reply to the last content, and what was taken for it was another. */
static void quit_refused(struct line *line, const struct smtp_reply *reply)
{
    fprintf(stderr, "sekimori send: %s; the last message was not taken:\n", out_of_step);
    show_lines(stderr, "", "<", text_trim(reply->lines));
    line->work->deferred++;
}

static void take_reply(struct line *line, const struct smtp_reply *reply)
{
    if (line->work->is_verbose) show_lines(stderr, "", "<", text_trim(reply->lines));
    bool good = reply->code / 100 == 2;
    switch (line->stage) {
    case GREETING:
    case XCLIENT:
        if (good)
            say(line, EHLO, "EHLO %s", line->work->helo);
        else
            fail(line, memory_string(text_trim(reply->lines)));
        return;
    case EHLO:
        if (good)
            after_ehlo(line, reply);
        else
            fail(line, memory_string(text_trim(reply->lines)));
        return;
    case STARTTLS:
        if (reply->code == 220) {
            line->stage = SECURING;
            stream_start_tls(line->stream, line->work->tls, false, TEXT_NONE);
        } else {
            fail(line, "the server refused STARTTLS");
        }
        return;
    case MAIL:
        if (good)
            say_recipient(line);
        else
            message_over(line, reply->code, reply->lines);
        return;
    case RCPT:
        after_recipient(line, reply);
        return;
    case DATA:
        if (reply->code == 354)
            say_content(line);
        else if (reply->code < 400)
            fail(line, out_of_step);
        else
            message_over(line, reply->code, reply->lines);
        return;
    case CONTENT:
        message_over(line, reply->code, reply->lines);
        return;
    case QUIT:
        if (reply->code >= 400) quit_refused(line, reply);
        line_end(line);
        return;
    default:
        line_end(line);
    }
}

/* One command is out at a time, so nothing can be behind its reply but a goodbye, or what is thrown away
   before TLS. */
static bool is_in_step(const struct line *line, const struct smtp_reply *reply, struct text behind)
{
    if (line->stage == STARTTLS && reply->code == 220) return true;
    return line->stage == QUIT || behind.length == 0 || text_starts(behind, TEXT("421"));
}

static size_t on_input(void *context, struct text bytes)
{
    struct line *line = context;
    struct smtp_reply reply;
    size_t used = 0;
    enum reply_outcome outcome = reply_parse(&line->parser, bytes, &reply, &used);
    if (outcome == REPLY_WHOLE && !is_in_step(line, &reply, text_slice(bytes, used, bytes.length)))
        fail(line, out_of_step);
    else if (outcome == REPLY_WHOLE)
        take_reply(line, &reply);
    else if (outcome != REPLY_MORE)
        fail(line, reply_outcome_name(outcome));
    return outcome == REPLY_WHOLE ? used : 0;
}

static void on_secured(void *context)
{
    struct line *line = context;
    line->is_secure = true;
    say(line, EHLO, "EHLO %s", line->work->helo);
}

static void on_ended(void *context, enum stream_end end, const char *reason)
{
    char text[200];
    snprintf(text, sizeof text, "the connection ended: %s", reason);
    fail(context, text);
}

static void on_time(void *context)
{
    fail(context, "no reply in time");
}

static void line_begin(struct work *work)
{
    static const struct stream_events events = { .on_input = on_input,
                                                 .on_secured = on_secured,
                                                 .on_ended = on_ended };
    struct line *line = memory_alloc(sizeof *line);
    line->work = work;
    line->arena = arena_new(0);
    line->timer = timer_new(work->loop, on_time, line);
    line->stream = stream_connect(work->loop, &work->server, NULL, &events, line);
    timer_set(line->timer, work->timeout_ms);
    work->open++;
}

/* --- options --- */

/* The first address of a host; the port stays as it is. */
static bool host_find(struct text name, struct endpoint *out)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
    char *host = memory_string(name);
    uint16_t port = out->port;
    bool good = getaddrinfo(host, NULL, &hints, &found) == 0 && endpoint_from_sockaddr(found->ai_addr, out);
    if (found) freeaddrinfo(found);
    free(host);
    out->port = port;
    return good;
}

static bool server_find(struct work *work, const char *server)
{
    struct text text = text_of(server);
    size_t colon = text_find_last_char(text, ':');
    uint64_t port;
    if (endpoint_parse(text, -1, &work->server)) return true;
    if (!text_to_number(text_slice(text, colon + 1, text.length), 65535, &port)) return false;
    work->server.port = (uint16_t)port;
    return host_find(text_slice(text, 0, colon), &work->server);
}

static bool tls_level_take(struct work *work, const char *word)
{
    if (strcmp(word, "off") == 0) return true;
    char error[200];
    work->tls_level = strcmp(word, "required") == 0 ? TLS_REQUIRED : TLS_OFFERED;
    work->tls = tls_context_client(TEXT_NONE, false, error, sizeof error);
    return work->tls && (work->tls_level == TLS_REQUIRED || strcmp(word, "offered") == 0);
}

static int wrong(const char *what)
{
    fprintf(stderr, "sekimori send: %s\n", what);
    return EX_USAGE;
}

static int options_read(int argc, char **argv, struct work *work, const char **server)
{
    static const struct option longs[] = { { "server", required_argument, NULL, 's' },
                                           { "from", required_argument, NULL, 'f' },
                                           { "to", required_argument, NULL, 't' },
                                           { "helo", required_argument, NULL, 'e' },
                                           { "count", required_argument, NULL, 'n' },
                                           { "connections", required_argument, NULL, 'c' },
                                           { "tls", required_argument, NULL, 'l' },
                                           { "mail-parameters", required_argument, NULL, 'M' },
                                           { "rcpt-parameters", required_argument, NULL, 'R' },
                                           { "xclient", required_argument, NULL, 'x' },
                                           { "header", required_argument, NULL, 'H' },
                                           { "timeout", required_argument, NULL, 'T' },
                                           { "verbose", no_argument, NULL, 'v' },
                                           { "json", no_argument, NULL, 'j' },
                                           { "quiet", no_argument, NULL, 'q' },
                                           { "help", no_argument, NULL, 'h' },
                                           { 0 } };
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "h", longs, NULL)) != -1;) switch (option) {
        case 's':
            *server = optarg;
            break;
        case 'f':
            work->from = optarg;
            break;
        case 't':
            if (work->to_count == RECIPIENTS_MOST) return wrong("too many --to: 1000 are allowed");
            work->to[work->to_count++] = optarg;
            break;
        case 'e':
            work->helo = optarg;
            break;
        case 'n':
            work->count = strtoul(optarg, NULL, 10);
            break;
        case 'c':
            work->connections = strtoul(optarg, NULL, 10);
            break;
        case 'l':
            if (!tls_level_take(work, optarg)) return wrong("--tls is off, offered or required");
            break;
        case 'M':
            work->mail_parameters = optarg;
            break;
        case 'R':
            work->rcpt_parameters = optarg;
            break;
        case 'x':
            work->xclient = optarg;
            break;
        case 'H':
            mail_crlf(text_of(optarg), &work->headers);
            break;
        case 'T':
            work->timeout_ms = strtoull(optarg, NULL, 10) * 1000;
            break;
        case 'v':
            work->is_verbose = true;
            break;
        case 'j':
            work->is_json = true;
            break;
        case 'q':
            work->is_quiet = true;
            break;
        case 'h':
            fputs(help, stdout);
            exit(EX_OK);
        default:
            return EX_USAGE;
        }
    if (work->count == 0) return wrong("--count is a number from 1");
    if (work->connections == 0 || work->connections > CONNECTIONS_MOST)
        return wrong("--connections is a number from 1 to 1000");
    return EX_OK;
}

int send_main(int argc, char **argv)
{
    static struct work work = {
        .from = "sender@example.com", .helo = "localhost", .connections = 1, .count = 1, .timeout_ms = 120000
    };
    const char *server = "127.0.0.1:2525";
    if (options_read(argc, argv, &work, &server) != EX_OK) {
        fputs(help, stderr);
        return EX_USAGE;
    }
    if (work.to_count == 0) work.to[work.to_count++] = "postmaster";
    if (!server_find(&work, server)) {
        fprintf(stderr, "sekimori send: %s: no such server (HOST:PORT)\n", server);
        return EX_USAGE;
    }
    bool good = optind < argc || mail_files_add(&work.files, "-");
    for (int i = optind; good && i < argc; i++) good = mail_files_add(&work.files, argv[i]);
    if (!good) return EX_NOINPUT;
    if (work.files.count == 0) {
        fputs("sekimori send: no message in what was named\n", stderr);
        return EX_NOINPUT;
    }
    signal(SIGPIPE, SIG_IGN);
    work.total = work.files.count * work.count;
    work.loop = loop_new();
    work.started_ms = loop_now_ms(work.loop);
    work.has_terminal = isatty(STDERR_FILENO) && !work.is_verbose && !work.is_json && !work.is_quiet;
    for (size_t i = 0; i < work.connections && i < work.total; i++) line_begin(&work);
    loop_run(work.loop);
    progress_show(&work, true);
    if (work.total > 1 && !work.is_json)
        printf("%zu taken, %zu deferred, %zu refused\n", work.taken, work.deferred, work.refused);
    return work.deferred ? EX_TEMPFAIL : work.refused ? EX_UNAVAILABLE : EX_OK;
}
