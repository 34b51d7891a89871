/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The sink verb: options, listening sockets, the end. The dialogue is in cli/sink_session.c. */
#include "cli/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/address.h"
#include "base/buffer.h"
#include "cli/sink_report.h"

static const char HELP[] =
    "usage: sekimori sink [OPTIONS]\n"
    "\n"
    "Receives messages by SMTP and keeps them in a Maildir, or misbehaves as it is told. Prints a line for\n"
    "each message and the sums at the end (Ctrl-C, --limit).\n"
    "\n"
    "  --listen ADDRESS:PORT   where (default 127.0.0.1:2526; port 0: any free one); up to 8 times\n"
    "  --maildir FOLDER        keep each message in FOLDER/new, with Return-Path, Delivered-To,\n"
    "                          X-Original-To and X-Sink-* fields on top\n"
    "  --lf                    files with LF line ends; without it the bytes stay as they came\n"
    "  --fsync                 a message is on disk before it is answered 250\n"
    "  --count-only            keep nothing, print only the sums\n"
    "  --quiet                 no line for each message\n"
    "  --json                  lines and sums as JSON\n"
    "  --limit N               end after N messages\n"
    "  --name NAME             in the greeting (default sink.localhost)\n"
    "  --size BYTES            largest message (default 268435456; 0: any)\n"
    "  --tls CERT KEY          offer STARTTLS with these PEM files\n"
    "  --xclient               offer XCLIENT to everybody\n"
    "  --help                  this text\n"
    "\n"
    "Misbehaviour. STATE is connect, hello, mail, rcpt, data (the reply to DATA) or end (the reply to the\n"
    "final dot):\n"
    "  --defer PERCENT|all[@STATE]   4xx (default STATE: end)\n"
    "  --refuse all|STATE            5xx; all is mail\n"
    "  --defer-to TEXT               450 for recipients that contain TEXT\n"
    "  --refuse-to TEXT              550 likewise\n"
    "  --stall SECONDS[@STATE]       answer late (default STATE: end)\n"
    "  --drop STATE                  hang up instead of answering; kept: after keeping the message\n"
    "  --no-ext NAME,…|all           extensions that are not offered: PIPELINING, SIZE, 8BITMIME,\n"
    "                                SMTPUTF8, CHUNKING, DSN, ENHANCEDSTATUSCODES, STARTTLS, XCLIENT\n"
    "  --control FILE                the same words without dashes, one statement a line, on top of the\n"
    "                                options; read anew when it changed (at each connection and MAIL) and\n"
    "                                at SIGUSR1\n"
    "\n"
    "Exit status: 0, 64 usage, 66 a file cannot be read, 71 no socket, 73 no Maildir.\n";

enum { LISTENERS_MOST = 8, BACKLOG = 4096, PAUSE_MS = 100, PEM_MOST = 1 << 20 };

struct listening {
    struct sink *sink;
    struct watch *watch;
    struct timer *pause; /* while descriptors are exhausted */
    struct endpoint endpoint;
    int fd;
};

struct sink_options {
    const char *maildir, *certificate, *key;
    bool sync;
    struct listening listening[LISTENERS_MOST];
    int listening_count;
};

static int wrong(const char *what, const char *value)
{
    fprintf(stderr, "sekimori sink: %s: %s\n", value, what);
    return EX_USAGE;
}

static bool read_pem(const char *path, struct buffer *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, buffer_reserve(out, PEM_MOST), PEM_MOST);
    if (got >= 0) buffer_commit(out, (size_t)got);
    if (fd >= 0) close(fd);
    if (got < 0) fprintf(stderr, "sekimori sink: %s: %m\n", path);
    return got >= 0;
}

static int load_tls(struct sink *sink, const struct sink_options *options)
{
    struct buffer certificate = { 0 }, key = { 0 };
    char why[256];
    int status = EX_NOINPUT;
    if (read_pem(options->certificate, &certificate) && read_pem(options->key, &key)) {
        sink->tls = tls_context_server(buffer_text(&certificate), buffer_text(&key), why, sizeof why);
        if (!sink->tls) fprintf(stderr, "sekimori sink: %s: %s\n", options->certificate, why);
        status = sink->tls ? EX_OK : EX_NOINPUT;
    }
    buffer_free(&certificate);
    buffer_free(&key);
    return status;
}

/* --- listening --- */

static void accept_ready(void *context, int what)
{
    struct listening *listening = context;
    for (int fd; (fd = accept4(listening->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;)
        sink_session_open(listening->sink, fd);
    if (errno != EMFILE && errno != ENFILE) return;
    watch_set(listening->watch, 0);
    timer_set(listening->pause, PAUSE_MS);
}

static void accept_again(void *context)
{
    struct listening *listening = context;
    watch_set(listening->watch, WATCH_READ);
}

static bool listen_on(struct sink *sink, struct listening *listening)
{
    struct sockaddr_storage here;
    socklen_t length = endpoint_to_sockaddr(&listening->endpoint, &here);
    int one = 1;
    listening->sink = sink;
    listening->fd = socket(here.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listening->fd < 0) return false;
    setsockopt(listening->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listening->fd, (struct sockaddr *)&here, length) != 0 || listen(listening->fd, BACKLOG) != 0)
        return false;
    length = sizeof here;
    getsockname(listening->fd, (struct sockaddr *)&here, &length);
    endpoint_from_sockaddr((struct sockaddr *)&here, &listening->endpoint);
    listening->watch = watch_new(sink->loop, listening->fd, accept_ready, listening);
    listening->pause = timer_new(sink->loop, accept_again, listening);
    watch_set(listening->watch, WATCH_READ);
    return true;
}

static void say_listening(const struct sink *sink, const struct listening *listening)
{
    char room[ADDRESS_TEXT_SIZE];
    const char *address = address_print(&listening->endpoint.address, room);
    bool is_v4 = address_is_v4(&listening->endpoint.address);
    if (sink->as_json)
        printf("{\"listening\":\"%s%s%s:%u\"}\n", is_v4 ? "" : "[", address, is_v4 ? "" : "]",
               listening->endpoint.port);
    else
        printf("listening on %s%s%s:%u\n", is_v4 ? "" : "[", address, is_v4 ? "" : "]",
               listening->endpoint.port);
}

static int listen_all(struct sink *sink, struct sink_options *options)
{
    for (int i = 0; i < options->listening_count; i++) {
        struct listening *listening = &options->listening[i];
        if (!listen_on(sink, listening)) {
            char room[ADDRESS_TEXT_SIZE];
            fprintf(stderr, "sekimori sink: cannot listen on %s port %u: %m\n",
                    address_print(&listening->endpoint.address, room), listening->endpoint.port);
            return EX_OSERR;
        }
        say_listening(sink, listening);
    }
    return EX_OK;
}

static void listening_close(struct sink_options *options)
{
    for (int i = 0; i < options->listening_count; i++) {
        struct listening *listening = &options->listening[i];
        if (!listening->watch && listening->fd >= 0) close(listening->fd);
        watch_free(listening->watch);
        timer_free(listening->pause);
    }
}

/* --- options --- */

enum { OPTION_BEHAVIOUR = 256 };

static const struct option long_options[] = {
    { "listen", required_argument, NULL, 'l' },
    { "maildir", required_argument, NULL, 'm' },
    { "lf", no_argument, NULL, 'L' },
    { "fsync", no_argument, NULL, 'f' },
    { "count-only", no_argument, NULL, 'c' },
    { "quiet", no_argument, NULL, 'q' },
    { "json", no_argument, NULL, 'j' },
    { "limit", required_argument, NULL, 'n' },
    { "name", required_argument, NULL, 'N' },
    { "size", required_argument, NULL, 's' },
    { "tls", required_argument, NULL, 't' },
    { "xclient", no_argument, NULL, 'x' },
    { "control", required_argument, NULL, 'C' },
    { "defer", required_argument, NULL, OPTION_BEHAVIOUR },
    { "refuse", required_argument, NULL, OPTION_BEHAVIOUR },
    { "stall", required_argument, NULL, OPTION_BEHAVIOUR },
    { "drop", required_argument, NULL, OPTION_BEHAVIOUR },
    { "no-ext", required_argument, NULL, OPTION_BEHAVIOUR },
    { "defer-to", required_argument, NULL, OPTION_BEHAVIOUR },
    { "refuse-to", required_argument, NULL, OPTION_BEHAVIOUR },
    { "help", no_argument, NULL, 'h' },
    { 0 },
};

static int take_listen(struct sink_options *options)
{
    if (options->listening_count == LISTENERS_MOST) return wrong("too many addresses", optarg);
    struct listening *listening = &options->listening[options->listening_count];
    listening->fd = -1;
    if (!endpoint_parse(text_of(optarg), -1, &listening->endpoint)) return wrong("not ADDRESS:PORT", optarg);
    options->listening_count++;
    return EX_OK;
}

static int take_behaviour(struct sink *sink, const char *word)
{
    const char *error = sink_behaviour_set(&sink->base, text_of(word), text_of(optarg));
    return error ? wrong(error, optarg) : EX_OK;
}

/* --tls has two arguments: the second is the next word. */
static int take_tls(struct sink_options *options, int argc, char **argv)
{
    options->certificate = optarg;
    if (optind >= argc) return wrong("--tls wants CERT and KEY", optarg);
    options->key = argv[optind++];
    return EX_OK;
}

static int take_option(struct sink *sink, struct sink_options *options, int option)
{
    switch (option) {
    case 'l':
        return take_listen(options);
    case 'm':
        options->maildir = optarg;
        return EX_OK;
    case 'L':
        sink->keep_lf = true;
        return EX_OK;
    case 'f':
        options->sync = true;
        return EX_OK;
    case 'c':
        sink->counts_only = true;
        return EX_OK;
    case 'q':
        sink->is_quiet = true;
        return EX_OK;
    case 'j':
        sink->as_json = true;
        return EX_OK;
    case 'n':
        return text_to_number(text_of(optarg), UINT64_MAX, &sink->stop_after) ? EX_OK
                                                                              : wrong("not a number", optarg);
    case 'N':
        sink->name = optarg;
        return EX_OK;
    case 's':
        return text_to_number(text_of(optarg), UINT64_MAX, &sink->size_limit) ? EX_OK
                                                                              : wrong("not a number", optarg);
    case 'x':
        sink->takes_xclient = true;
        return EX_OK;
    case 'C':
        sink->control.path = optarg;
        return EX_OK;
    default:
        fputs(HELP, stderr);
        return EX_USAGE;
    }
}

/* -1: go on; else the exit status. */
static int read_options(struct sink *sink, struct sink_options *options, int argc, char **argv)
{
    int index = 0, status = EX_OK;
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "h", long_options, &index)) != -1;) {
        if (option == 'h') return fputs(HELP, stdout), EX_OK;
        if (option == OPTION_BEHAVIOUR)
            status = take_behaviour(sink, long_options[index].name);
        else if (option == 't')
            status = take_tls(options, argc, argv);
        else
            status = take_option(sink, options, option);
        if (status != EX_OK) return status;
    }
    if (optind < argc) return wrong("nothing but options is allowed", argv[optind]);
    if (sink->counts_only && options->maildir)
        return wrong("--count-only keeps nothing: --maildir does not go with it", options->maildir);
    if (options->listening_count == 0) {
        options->listening_count = 1;
        options->listening[0].fd = -1;
        endpoint_parse(TEXT("127.0.0.1:2526"), -1, &options->listening[0].endpoint);
    }
    return -1;
}

/* --- life --- */

static void on_signal(void *context, int number)
{
    struct sink *sink = context;
    if (number != SIGUSR1) {
        sink_session_stop_all(sink);
        return;
    }
    sink->control.changed = (struct timespec){ .tv_nsec = -1 };
    sink_session_behave(sink);
}

static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int prepare(struct sink *sink, struct sink_options *options)
{
    raise_descriptors();
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (options->certificate) {
        int status = load_tls(sink, options);
        if (status != EX_OK) return status;
    }
    if (options->maildir && !sink_store_open(&sink->store, options->maildir, options->sync)) {
        fprintf(stderr, "sekimori sink: %s: %m\n", options->maildir);
        return EX_CANTCREAT;
    }
    return listen_all(sink, options);
}

int sink_main(int argc, char **argv)
{
    struct sink sink = { .store.folder = -1, .name = "sink.localhost", .size_limit = 1 << 28 };
    struct sink_options options = { 0 };
    sink_behaviour_start(&sink.base);
    int status = read_options(&sink, &options, argc, argv);
    if (status >= 0) return status;
    sink.behaviour = sink.base;
    sink.loop = loop_new();
    loop_on_signal(sink.loop, SIGINT, on_signal, &sink);
    loop_on_signal(sink.loop, SIGTERM, on_signal, &sink);
    loop_on_signal(sink.loop, SIGUSR1, on_signal, &sink);
    sink_session_behave(&sink);
    status = prepare(&sink, &options);
    if (status == EX_OK) {
        loop_run(sink.loop);
        sink_report_sums(&sink);
    }
    listening_close(&options);
    if (sink.store.folder >= 0) close(sink.store.folder);
    tls_context_free(sink.tls);
    loop_free(sink.loop);
    return status;
}
