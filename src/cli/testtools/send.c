/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Sends messages over any number of connections and says what the server answered to each. One conversation
   is a list of lines and one message; replies are taken in order, one command at a time. */
#include "cli/testtools/send.h"

#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"
#include "base/stream.h"
#include "base/tls.h"
#include "cli/mail_files.h"
#include "cli/options.h"
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
    "  --quiet              no line a message: of several the sum alone, of one nothing\n\n"
    "Exit codes: 0 all taken, 64 usage, 66 input, 69 some refused (5xx), 75 some deferred (4xx, no "
    "connection).\n";

enum {
    RECIPIENTS_MOST = 1000,
    CONNECTIONS_MOST = 1000,
    COUNT_MOST = 1000000000,
    TIMEOUT_MOST_S = 86400,
    PROGRESS_AFTER_MS = 2000
};

struct work {
    struct loop *loop;
    struct endpoint server;
    const char *server_word, *from, *helo, *mail_parameters, *rcpt_parameters, *xclient;
    const char *to[RECIPIENTS_MOST];
    size_t to_count, next, total, done;
    uint64_t count, connections;
    struct buffer headers;
    struct mail_files files;
    enum tls_level tls_level;
    struct tls_context *tls;
    uint64_t timeout_s, started_ms;
    size_t taken, deferred, refused, open;
    bool is_verbose, is_json, is_quiet;
    bool has_terminal, shows_progress; /* progress is for people who look; and has been shown */
};

enum send_stage { GREETING, XCLIENT, EHLO, STARTTLS, SECURING, MAIL, RCPT, DATA, CONTENT, QUIT };

struct connection {
    struct work *work;
    struct stream *stream;
    struct timer *timer;
    struct reply_parser parser;
    struct smtp_capabilities offers;
    struct arena *arena;
    enum send_stage stage;
    size_t message; /* its number */
    size_t rcpt_asked, rcpt_taken;
    bool has_message, is_secure, said_xclient;
    char refusal[600]; /* the first bad RCPT reply */
    uint16_t refusal_code;
};

static void next_message(struct connection *line);
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

static void report(struct connection *line, uint16_t code, struct text text)
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

static void line_end(struct connection *line)
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

static void fail(struct connection *line, const char *why)
{
    struct work *work = line->work;
    if (!line->has_message && line->stage != QUIT && work->next < work->total) {
        line->message = work->next++;
        line->has_message = true;
    }
    if (line->has_message) report(line, 451, text_of(why));
    line_end(line);
}

static void say(struct connection *line, enum send_stage stage, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(struct connection *line, enum send_stage stage, const char *format, ...)
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
    timer_set(line->timer, line->work->timeout_s * 1000);
}

static void say_recipient(struct connection *line)
{
    const struct work *work = line->work;
    const char *parameters = work->rcpt_parameters;
    say(line, RCPT, "RCPT TO:<%s>%s%s", work->to[line->rcpt_asked++], parameters ? " " : "",
        parameters ? parameters : "");
}

static void say_content(struct connection *line)
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
    timer_set(line->timer, work->timeout_s * 1000);
}

static void next_message(struct connection *line)
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

static void after_ehlo(struct connection *line, const struct smtp_reply *reply)
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
static void message_over(struct connection *line, uint16_t code, struct text lines)
{
    report(line, code, text_trim(lines));
    if (line->stage == CONTENT)
        next_message(line);
    else
        say(line, EHLO, "EHLO %s", line->work->helo); /* also ends the transaction */
}

static void after_recipient(struct connection *line, const struct smtp_reply *reply)
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
static void quit_refused(struct connection *line, const struct smtp_reply *reply)
{
    fprintf(stderr, "sekimori send: %s; the last message was not taken:\n", out_of_step);
    show_lines(stderr, "", "<", text_trim(reply->lines));
    line->work->deferred++;
}

static void take_reply(struct connection *line, const struct smtp_reply *reply)
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
        if (reply->code < 400 && reply->code != 250) /* RFC 5321 section 4.3.2: nothing else takes it over */
            fail(line, out_of_step);
        else
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
static bool is_in_step(const struct connection *line, const struct smtp_reply *reply, struct text behind)
{
    if (line->stage == STARTTLS && reply->code == 220) return true;
    return line->stage == QUIT || behind.length == 0 || text_starts(behind, TEXT("421"));
}

static size_t on_input(void *context, struct text bytes)
{
    struct connection *line = context;
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
    struct connection *line = context;
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
    struct connection *line = memory_alloc(sizeof *line);
    line->work = work;
    line->arena = arena_new(0);
    line->timer = timer_new(work->loop, on_time, line);
    line->stream = stream_connect(work->loop, &work->server, NULL, &events, line);
    timer_set(line->timer, work->timeout_s * 1000);
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

static bool to_take(void *context, const char *word)
{
    struct work *work = context;
    if (work->to_count == RECIPIENTS_MOST) return false;
    work->to[work->to_count++] = word;
    return true;
}

static bool header_take(void *context, const char *word)
{
    struct work *work = context;
    mail_crlf(text_of(word), &work->headers);
    return true;
}

static const char *tls_level_choice(size_t position)
{
    static const char *const words[] = { "off", "offered", "required", NULL };
    return words[position];
}

static bool tls_level_take(void *context, const char *word)
{
    struct work *work = context;
    char error[200];
    if (strcmp(word, "off") == 0) return true;
    work->tls_level = strcmp(word, "required") == 0 ? TLS_REQUIRED : TLS_OFFERED;
    work->tls = tls_context_client(TEXT_NONE, false, error, sizeof error);
    return work->tls && (work->tls_level == TLS_REQUIRED || strcmp(word, "offered") == 0);
}

static const struct verb_option table[] = {
    { "server", OPTION_WORD, offsetof(struct work, server_word), NULL, NULL },
    { "from", OPTION_WORD, offsetof(struct work, from), NULL, NULL },
    { "to", OPTION_VALUE, 0, to_take, "more than 1000 recipients; one too many is " },
    { "helo", OPTION_WORD, offsetof(struct work, helo), NULL, NULL },
    { "count", OPTION_NUMBER, offsetof(struct work, count), NULL, "--count is a number from 1, not ",
      .least = 1, .most = COUNT_MOST },
    { "connections", OPTION_NUMBER, offsetof(struct work, connections), NULL,
      "--connections is a number from 1 to 1000, not ", .least = 1, .most = CONNECTIONS_MOST },
    { "tls", OPTION_VALUE, 0, tls_level_take, "--tls is off, offered or required, not ",
      .choice = tls_level_choice },
    { "mail-parameters", OPTION_WORD, offsetof(struct work, mail_parameters), NULL, NULL },
    { "rcpt-parameters", OPTION_WORD, offsetof(struct work, rcpt_parameters), NULL, NULL },
    { "xclient", OPTION_WORD, offsetof(struct work, xclient), NULL, NULL },
    { "header", OPTION_VALUE, 0, header_take, NULL },
    { "timeout", OPTION_NUMBER, offsetof(struct work, timeout_s), NULL,
      "--timeout is a number of seconds up to 86400, not ", .most = TIMEOUT_MOST_S },
    { "verbose", OPTION_SWITCH, offsetof(struct work, is_verbose), NULL, NULL },
    { "json", OPTION_SWITCH, offsetof(struct work, is_json), NULL, NULL },
    { "quiet", OPTION_SWITCH, offsetof(struct work, is_quiet), NULL, NULL },
    { 0 }
};
const struct verb_usage send_usage = { "send", help, table, .takes_files = true };

int send_main(int argc, char **argv)
{
    struct work work = { .from = "sender@example.com",
                         .helo = "localhost",
                         .server_word = "127.0.0.1:2525",
                         .connections = 1,
                         .count = 1,
                         .timeout_s = 120 };
    int code = options_read(&send_usage, argc, argv, &work);
    if (code != OPTIONS_GO_ON) return code;
    if (work.to_count == 0) work.to[work.to_count++] = "postmaster";
    if (!server_find(&work, work.server_word))
        return options_complain(&send_usage, "no such server (HOST:PORT): ", work.server_word);
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
