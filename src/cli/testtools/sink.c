/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The sink verb: options, listening sockets, the end. The dialogue is in cli/sink_session.c. */
#include "cli/testtools/sink.h"

#include <errno.h>
#include <fcntl.h>
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
#include "cli/options.h"
#include "cli/testtools/sink_report.h"

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

/* What the words go to. */
struct sink_words {
    struct sink sink;
    struct sink_options options;
};

static const char *listen_say(void *context, const char *name, const char *word)
{
    struct sink_options *options = &((struct sink_words *)context)->options;
    if (options->listening_count == LISTENERS_MOST) return "too many addresses";
    struct listening *listening = &options->listening[options->listening_count];
    listening->fd = -1;
    if (!endpoint_parse(text_of(word), -1, &listening->endpoint)) return "not ADDRESS:PORT";
    options->listening_count++;
    return NULL;
}

static const char *behaviour_say(void *context, const char *name, const char *word)
{
    return sink_behaviour_set(&((struct sink_words *)context)->sink.base, text_of(name), text_of(word));
}

#define SINK(field) offsetof(struct sink_words, sink.field), NULL, NULL
#define OPTION(field) offsetof(struct sink_words, options.field), NULL, NULL
#define BEHAVIOUR(name)                          \
    {                                            \
        name, OPTION_NAMED, .say = behaviour_say \
    }

static const struct verb_option table[] = {
    { "listen", OPTION_NAMED, .say = listen_say },
    { "maildir", OPTION_WORD, OPTION(maildir) },
    { "lf", OPTION_SWITCH, SINK(keep_lf) },
    { "fsync", OPTION_SWITCH, OPTION(sync) },
    { "count-only", OPTION_SWITCH, SINK(counts_only) },
    { "quiet", OPTION_SWITCH, SINK(is_quiet) },
    { "json", OPTION_SWITCH, SINK(as_json) },
    { "limit", OPTION_NUMBER, offsetof(struct sink_words, sink.stop_after), NULL, "--limit is a number, not ",
      .most = UINT64_MAX },
    { "name", OPTION_WORD, SINK(name) },
    { "size", OPTION_NUMBER, offsetof(struct sink_words, sink.size_limit), NULL,
      "--size is a number of bytes, not ", .most = UINT64_MAX },
    { "tls", OPTION_WORD, OPTION(certificate) },
    { "xclient", OPTION_SWITCH, SINK(takes_xclient) },
    { "control", OPTION_WORD, SINK(control.path) },
    BEHAVIOUR("defer"),
    BEHAVIOUR("refuse"),
    BEHAVIOUR("stall"),
    BEHAVIOUR("drop"),
    BEHAVIOUR("no-ext"),
    BEHAVIOUR("defer-to"),
    BEHAVIOUR("refuse-to"),
    { 0 }
};
const struct verb_usage sink_usage = { "sink", HELP, table };

/* Behind --tls stands a second word, which is the only one that is no option's. OPTIONS_GO_ON, or the exit
   code. */
static int words_read(struct sink_words *words, int argc, char **argv)
{
    struct sink_options *options = &words->options;
    int code = options_read(&sink_usage, argc, argv, words);
    if (code != OPTIONS_GO_ON) return code;
    if (options->certificate && optind == argc)
        return options_complain(&sink_usage, "--tls wants CERT and KEY: ", options->certificate);
    if (options->certificate) options->key = argv[optind++];
    if (optind < argc) return options_complain(&sink_usage, "unexpected argument: ", argv[optind]);
    if (words->sink.counts_only && options->maildir)
        return options_complain(
            &sink_usage, "--count-only keeps nothing: --maildir does not go with it: ", options->maildir);
    if (options->listening_count == 0) listen_say(words, "listen", "127.0.0.1:2526");
    return OPTIONS_GO_ON;
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

static int run(struct sink *sink, struct sink_options *options)
{
    sink->behaviour = sink->base;
    sink->loop = loop_new();
    loop_on_signal(sink->loop, SIGINT, on_signal, sink);
    loop_on_signal(sink->loop, SIGTERM, on_signal, sink);
    loop_on_signal(sink->loop, SIGUSR1, on_signal, sink);
    sink_session_behave(sink);
    int status = prepare(sink, options);
    if (status == EX_OK) {
        loop_run(sink->loop);
        sink_report_sums(sink);
    }
    listening_close(options);
    if (sink->store.folder >= 0) close(sink->store.folder);
    tls_context_free(sink->tls);
    loop_free(sink->loop);
    return status;
}

int sink_main(int argc, char **argv)
{
    struct sink_words words = { .sink = {
                                    .store.folder = -1, .name = "sink.localhost", .size_limit = 1 << 28 } };
    sink_behaviour_start(&words.sink.base);
    int status = words_read(&words, argc, argv);
    return status == OPTIONS_GO_ON ? run(&words.sink, &words.options) : status;
}
