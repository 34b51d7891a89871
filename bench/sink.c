/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The far end of a bench: an SMTP server that takes everything, keeps nothing and counts. One thread; a
   pipelined message costs it two reads and two writes. sink_session.c speaks; this file waits and reports. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/die.h"
#include "base/log.h"
#include "secure.h"
#include "sink_session.h"
#include "tool.h"

enum { EVENTS_A_TURN = 256, TICK_MS = 50 };

static const char usage_text[] =
    "usage: sink --listen HOST:PORT [options]\n"
    "  --expect N        ends when N messages have come (with ids: N different ones)\n"
    "  --linger S        stays so long after that, to see doubled ones and to answer what follows (0.2)\n"
    "  --idle S          ends after so long without a message, once one has come\n"
    "  --ids FILE        writes which X-Bench-Id came, and how often\n"
    "  --no-pipelining --no-8bitmime --no-size --no-chunking --smtputf8 --tls\n"
    "  --json\n"
    "Exit 1 when --expect was not reached.\n";

struct sink {
    struct sink_plan plan;
    struct endpoint listen;
    int epoll, listener, signals;
    uint64_t expected; /* 0: until a signal */
    double linger, idle, reached;
    const char *ids_path;
    bool has_listen, json, is_over;
};

/* The marks in epoll's data that are no session. */
static char listener_mark, signals_mark;

static void epoll_add(int epoll, int fd, void *mark)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = mark };
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) die_errno("epoll_ctl");
}

static void accept_all(struct sink *sink)
{
    for (int fd; (fd = accept4(sink->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        struct sink_session *session = sink_session_open(&sink->plan, fd);
        if (session) epoll_add(sink->epoll, fd, session);
    }
    if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) die_errno("accept");
}

static void session_event(struct sink *sink, struct sink_session *session, uint32_t happened)
{
    bool wanted_write = sink_session_wants_write(session);
    if (!sink_session_ready(session, (happened & EPOLLOUT) != 0)) {
        sink_session_close(session); /* closing the descriptor takes it out of epoll */
        return;
    }
    bool wants_write = sink_session_wants_write(session);
    if (wants_write == wanted_write) return;
    struct epoll_event event = { .events = wants_write ? EPOLLOUT : EPOLLIN, .data.ptr = session };
    if (epoll_ctl(sink->epoll, EPOLL_CTL_MOD, sink_session_descriptor(session), &event) != 0)
        die_errno("epoll_ctl");
}

static void end_when_due(struct sink *sink)
{
    const struct sink_counts *counts = &sink->plan.counts;
    /* Messages without an id each count as a different one. */
    uint64_t different = counts->ids.distinct + counts->without_id;
    double now = tool_now();
    if (sink->expected && different >= sink->expected && sink->reached <= 0) sink->reached = now;
    if (sink->reached > 0 && now >= sink->reached + sink->linger) sink->is_over = true;
    if (sink->idle > 0 && counts->last > 0 && now >= counts->last + sink->idle) sink->is_over = true;
}

static void run(struct sink *sink)
{
    struct epoll_event events[EVENTS_A_TURN];
    while (!sink->is_over) {
        int count = epoll_wait(sink->epoll, events, EVENTS_A_TURN, TICK_MS);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == &listener_mark)
                accept_all(sink);
            else if (events[i].data.ptr == &signals_mark)
                sink->is_over = true;
            else
                session_event(sink, events[i].data.ptr, events[i].events);
        }
        end_when_due(sink);
    }
}

static void watch_signals(struct sink *sink)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    sink->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (sink->signals < 0) die_errno("signalfd");
    epoll_add(sink->epoll, sink->signals, &signals_mark);
}

static void report(const struct sink *sink)
{
    const struct sink_counts *counts = &sink->plan.counts;
    double seconds = counts->last - counts->first;
    double cpu_us = counts->messages ? tool_cpu_seconds() * 1e6 / (double)counts->messages : 0;
    printf(sink->json
               ? "{\"messages\":%llu,\"distinct\":%llu,\"doubled\":%llu,\"without_id\":%llu,\"bytes\":%llu,"
                 "\"connections\":%llu,\"first\":%.6f,\"last\":%.6f,\"seconds\":%.4f,\"cpu_seconds\":%.4f,"
                 "\"cpu_us\":%.2f}\n"
               : "messages %llu, different ids %llu, doubled %llu, without id %llu, bytes %llu, connections "
                 "%llu\n"
                 "first message at %.6f, last at %.6f: %.3f s; own CPU %.3f s, %.1f us a message\n",
           (unsigned long long)counts->messages, (unsigned long long)counts->ids.distinct,
           (unsigned long long)counts->ids.doubled, (unsigned long long)counts->without_id,
           (unsigned long long)counts->bytes, (unsigned long long)counts->connections, counts->first,
           counts->last, seconds, tool_cpu_seconds(), cpu_us);
}

_Noreturn static void usage(FILE *to, int status)
{
    fputs(usage_text, to);
    exit(status);
}

static const struct option options[] = {
    { "listen", required_argument, NULL, 'l' }, { "expect", required_argument, NULL, 'e' },
    { "linger", required_argument, NULL, 'L' }, { "idle", required_argument, NULL, 'I' },
    { "ids", required_argument, NULL, 'i' },    { "no-pipelining", no_argument, NULL, 'p' },
    { "no-8bitmime", no_argument, NULL, '8' },  { "no-size", no_argument, NULL, 's' },
    { "no-chunking", no_argument, NULL, 'c' },  { "smtputf8", no_argument, NULL, 'u' },
    { "tls", no_argument, NULL, 't' },          { "json", no_argument, NULL, 'j' },
    { "help", no_argument, NULL, 'h' },         { NULL, 0, NULL, 0 },
};

static void option_read(struct sink *sink, int option, const char *word)
{
    switch (option) {
    case 'l':
        sink->listen = tool_endpoint("listen", word), sink->has_listen = true;
        break;
    case 'e':
        sink->expected = tool_number("expect", word, 1, IDS_MOST);
        break;
    case 'L':
        sink->linger = tool_decimal("linger", word, 0, 1e5);
        break;
    case 'I':
        sink->idle = tool_decimal("idle", word, 0.1, 1e5);
        break;
    case 'i':
        sink->ids_path = word;
        break;
    case 'p':
        sink->plan.without |= SINK_PIPELINING;
        break;
    case '8':
        sink->plan.without |= SINK_8BITMIME;
        break;
    case 's':
        sink->plan.without |= SINK_SIZE;
        break;
    case 'c':
        sink->plan.without |= SINK_CHUNKING;
        break;
    case 'u':
        sink->plan.without &= ~(unsigned)SINK_SMTPUTF8;
        break;
    case 't':
        sink->plan.tls = sink->plan.tls ? sink->plan.tls : secure_context_new(true);
        break;
    case 'j':
        sink->json = true;
        break;
    case 'h':
        usage(stdout, 0);
    default:
        usage(stderr, EX_USAGE);
    }
}

int main(int argc, char **argv)
{
    static struct sink sink = { .plan.without = SINK_SMTPUTF8, .linger = 0.2 };
    log_open("sink", LOG_TARGET_STDERR, NULL, LOG_LEVEL_WARNING);
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        option_read(&sink, option, optarg);
    if (optind != argc || !sink.has_listen) usage(stderr, EX_USAGE);
    tool_raise_file_limit();
    sink.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (sink.epoll < 0) die_errno("epoll_create1");
    sink.listener = tool_listen(&sink.listen);
    epoll_add(sink.epoll, sink.listener, &listener_mark);
    watch_signals(&sink);
    run(&sink);
    if (sink.ids_path) ids_write(&sink.plan.counts.ids, sink.ids_path);
    report(&sink);
    bool missed = sink.expected && sink.reached <= 0;
    ids_free(&sink.plan.counts.ids);
    secure_context_free(sink.plan.tls);
    return missed ? 1 : 0;
}
