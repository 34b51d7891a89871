/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The load generator: many SMTP connections from one thread, as fast as replies come or at a given rate,
   counting how each message ended and how long it took. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/die.h"
#include "bodies.h"
#include "client.h"
#include "report.h"
#include "secure.h"
#include "tool.h"

enum {
    BODIES_MADE = 16,
    EVENTS_A_TURN = 256,
    CONNECTIONS_MOST = 100000,
    RCPTS_MOST = 1000,
    BODY_BYTES_MOST = 1 << 30,
};

#define TICK_SECONDS 0.02
#define PROGRESS_AFTER 2.0
#define GRACE_SECONDS 10.0 /* after --seconds, for what was due before its end */

struct options {
    const char *to, *from, *corpus, *ids;
    const char **rcpts;
    size_t rcpt_count;
    uint64_t connections, messages, size, reuse, addresses, seed, first_id;
    double seconds, rate, timeout;
    bool poisson, tls, pipelining, unique, json;
};

struct load {
    struct options options;
    struct client_plan plan;
    struct bodies bodies;
    struct client *clients;
    uint32_t *free; /* stack of connections with nothing to do */
    uint32_t free_count;
    uint64_t started;
    double begin, end; /* end: of --seconds, else 0 */
    double due;        /* with a rate: when the next message is due */
    double next_tick, next_progress;
    uint64_t shown;
    uint64_t random;
    struct ids ids;
    struct report report;
};

static void usage(FILE *to)
{
    fputs("usage: load --to IP:PORT [options]\n"
          "  --from A            envelope sender (sender@bench.example)\n"
          "  --rcpt B            recipient; may stand more than once (user@example.test)\n"
          "  --connections N     connections at the same time (1)\n"
          "  --messages N        stop after N messages (1000 when --seconds is not given)\n"
          "  --seconds S         stop after S seconds\n"
          "  --rate R            messages a second; latency counts from when a message was due\n"
          "  --poisson           with random gaps of that mean\n"
          "  --size BYTES        made-up mails of this size, headers included (4096)\n"
          "  --corpus DIR        the files under DIR instead\n"
          "  --reuse N           messages a connection (0: no limit)\n"
          "  --pipelining        MAIL, RCPT and DATA in one write where the server offers it\n"
          "  --addresses N       each connection from the next of N addresses of 127.0.0.0/8 (to a loopback address)\n"
          "  --tls               STARTTLS, any certificate\n"
          "  --unique            an X-Bench-Id header in each message, for sink and compare\n"
          "  --first-id N        where these ids start (0)\n"
          "  --ids FILE          write the ids that were answered 250 (implies --unique)\n"
          "  --timeout S         for one message, and for reaching the server at all (60)\n"
          "  --seed N            of words, order and gaps (1)\n"
          "  --json              the result as one JSON object\n"
          "Exit 0 when every message was answered 250, else 1.\n",
          to);
}

static struct text client_commands(struct client_plan *plan, const struct options *options)
{
    struct buffer all = { 0 };
    plan->command_count = options->rcpt_count + 2;
    plan->commands = memory_alloc(plan->command_count * sizeof *plan->commands);
    size_t *ends = memory_alloc(plan->command_count * sizeof *ends);
    buffer_printf(&all, "MAIL FROM:<%s>\r\n", options->from);
    ends[0] = buffer_length(&all);
    for (size_t i = 0; i < options->rcpt_count; i++) {
        buffer_printf(&all, "RCPT TO:<%s>\r\n", options->rcpts[i]);
        ends[i + 1] = buffer_length(&all);
    }
    buffer_printf(&all, "DATA\r\n");
    ends[options->rcpt_count + 1] = buffer_length(&all);
    struct text envelope = { memory_string(buffer_text(&all)), buffer_length(&all) };
    for (size_t i = 0, start = 0; i < plan->command_count; start = ends[i++])
        plan->commands[i] = text_slice(envelope, start, ends[i]);
    free(ends);
    buffer_free(&all);
    return envelope;
}

static double gap(struct load *load)
{
    double mean = 1 / load->options.rate;
    if (!load->options.poisson) return mean;
    double draw = ((double)(bodies_random(&load->random) >> 11) + 0.5) * 0x1p-53;
    return -log(draw) * mean;
}

/* Whether a message is due now, and since when. */
static bool take_due(struct load *load, double now, double *out_since)
{
    const struct options *options = &load->options;
    if (options->messages && load->started >= options->messages) return false;
    if (options->rate == 0) {
        *out_since = now;
        return load->end == 0 || now < load->end;
    }
    if (load->due > now || (load->end > 0 && load->due >= load->end)) return false;
    *out_since = load->due;
    load->due += gap(load);
    return true;
}

static bool start_next(struct load *load, struct client *client)
{
    double since;
    if (!take_due(load, tool_now(), &since)) return false;
    uint64_t number = load->started++;
    struct client_message message = { load->options.first_id + number,
                                      load->bodies.items[number % load->bodies.count], since };
    client_start(client, &message);
    return true;
}

static void on_free(void *context, uint32_t index)
{
    struct load *load = context;
    if (load->options.rate > 0 || !start_next(load, &load->clients[index]))
        load->free[load->free_count++] = index;
}

static void on_finished(void *context, uint32_t index, enum client_state state, int code, struct text why)
{
    struct load *load = context;
    const struct client_message *message = &load->clients[index].message;
    double now = tool_now();
    load->report.ended = now;
    report_count(&load->report, client_state_name(state), code, why);
    if (state != CLIENT_CONTENT || code / 100 != 2) return;
    load->report.acknowledged++;
    latency_add(&load->report.latency, now - message->since);
    if (load->options.ids) ids_add(&load->ids, message->id);
}

static void start_free(struct load *load)
{
    while (load->free_count > 0) {
        uint32_t index = load->free[--load->free_count];
        if (start_next(load, &load->clients[index])) continue;
        load->free_count++;
        break;
    }
}

static bool all_started(const struct load *load, double now)
{
    const struct options *options = &load->options;
    if (options->messages && load->started >= options->messages) return true;
    if (load->end == 0) return false;
    return options->rate > 0 ? load->due >= load->end || now > load->end + GRACE_SECONDS : now >= load->end;
}

static bool over(const struct load *load)
{
    double now = tool_now();
    if (load->report.finished < load->started) return false;
    return all_started(load, now);
}

static void show_progress(struct load *load, double now)
{
    if (now < load->next_progress) return;
    bool screen = isatty(STDERR_FILENO);
    load->next_progress = now + (screen ? 1 : 5);
    fprintf(stderr, "%s%.0f s: %llu acknowledged, %llu failed%s", screen ? "\r" : "", now - load->begin,
            (unsigned long long)load->report.acknowledged,
            (unsigned long long)(load->report.finished - load->report.acknowledged), screen ? "  " : "\n");
}

static void tick(struct load *load)
{
    double now = tool_now();
    if (now < load->next_tick) return;
    load->next_tick = now + TICK_SECONDS;
    for (uint64_t i = 0; i < load->options.connections; i++) client_tick(&load->clients[i], now);
    show_progress(load, now);
}

static int wait_events(struct load *load, struct epoll_event *events)
{
    double wait = TICK_SECONDS;
    if (load->options.rate > 0 && load->free_count > 0 && !all_started(load, tool_now()))
        wait = fmin(fmax(load->due - tool_now(), 0), wait);
    struct timespec limit = { 0, (long)(wait * 1e9) };
    int count = epoll_pwait2(load->plan.epoll, events, EVENTS_A_TURN, &limit, NULL);
    if (count < 0 && errno != EINTR) die_errno("epoll_wait");
    return count;
}

static void run(struct load *load)
{
    struct epoll_event events[EVENTS_A_TURN];
    load->begin = load->due = load->report.began = load->report.ended = tool_now();
    load->next_progress = load->begin + PROGRESS_AFTER;
    load->end = load->options.seconds > 0 ? load->begin + load->options.seconds : 0;
    for (uint32_t i = 0; i < load->options.connections; i++) load->free[load->free_count++] = i;
    start_free(load);
    while (!over(load)) {
        int count = wait_events(load, events);
        for (int i = 0; i < count; i++)
            client_event(&load->clients[events[i].data.u32], events[i].events);
        if (load->options.rate > 0) start_free(load);
        tick(load);
    }
    if (load->next_progress > load->begin + PROGRESS_AFTER && isatty(STDERR_FILENO)) fputc('\n', stderr);
}

static void add_rcpt(struct options *options, const char *address)
{
    if (options->rcpt_count == RCPTS_MOST) {
        fprintf(stderr, "--rcpt: more than %d recipients\n", RCPTS_MOST);
        exit(EX_USAGE);
    }
    options->rcpts = memory_grow(options->rcpts, (options->rcpt_count + 1) * sizeof *options->rcpts);
    options->rcpts[options->rcpt_count++] = address;
}

enum option_key { TO, FROM, RCPT, CONNECTIONS, MESSAGES, SECONDS, RATE, POISSON, SIZE, CORPUS, REUSE,
                  PIPELINING, ADDRESSES, TLS, UNIQUE, FIRST_ID, IDS, TIMEOUT, SEED, JSON, HELP, UNKNOWN = '?' };

static const struct option option_table[] = {
    { "to", required_argument, NULL, TO },
    { "from", required_argument, NULL, FROM },
    { "rcpt", required_argument, NULL, RCPT },
    { "connections", required_argument, NULL, CONNECTIONS },
    { "messages", required_argument, NULL, MESSAGES },
    { "seconds", required_argument, NULL, SECONDS },
    { "rate", required_argument, NULL, RATE },
    { "poisson", no_argument, NULL, POISSON },
    { "size", required_argument, NULL, SIZE },
    { "corpus", required_argument, NULL, CORPUS },
    { "reuse", required_argument, NULL, REUSE },
    { "pipelining", no_argument, NULL, PIPELINING },
    { "addresses", required_argument, NULL, ADDRESSES },
    { "tls", no_argument, NULL, TLS },
    { "unique", no_argument, NULL, UNIQUE },
    { "first-id", required_argument, NULL, FIRST_ID },
    { "ids", required_argument, NULL, IDS },
    { "timeout", required_argument, NULL, TIMEOUT },
    { "seed", required_argument, NULL, SEED },
    { "json", no_argument, NULL, JSON },
    { "help", no_argument, NULL, HELP },
    { NULL, 0, NULL, 0 },
};

static void option_read(struct options *options, enum option_key key, const char *name, const char *word)
{
    switch (key) {
    case TO: options->to = word; break;
    case FROM: options->from = word; break;
    case RCPT: add_rcpt(options, word); break;
    case CONNECTIONS: options->connections = tool_number(name, word, 1, CONNECTIONS_MOST); break;
    case MESSAGES: options->messages = tool_number(name, word, 1, IDS_MOST); break;
    case SECONDS: options->seconds = tool_decimal(name, word, 0.01, 1e6); break;
    case RATE: options->rate = tool_decimal(name, word, 0.001, 1e6); break;
    case POISSON: options->poisson = true; break;
    case SIZE: options->size = tool_number(name, word, 0, BODY_BYTES_MOST); break;
    case CORPUS: options->corpus = word; break;
    case REUSE: options->reuse = tool_number(name, word, 0, UINT32_MAX); break;
    case PIPELINING: options->pipelining = true; break;
    case ADDRESSES: options->addresses = tool_number(name, word, 1, CLIENT_ADDRESSES_MOST); break;
    case TLS: options->tls = true; break;
    case UNIQUE: options->unique = true; break;
    case FIRST_ID: options->first_id = tool_number(name, word, 0, IDS_MOST - 1); break;
    case IDS: options->ids = word; options->unique = true; break;
    case TIMEOUT: options->timeout = tool_decimal(name, word, 0.1, 1e5); break;
    case SEED: options->seed = tool_number(name, word, 0, UINT32_MAX); break;
    case JSON: options->json = true; break;
    case HELP: usage(stdout); exit(0);
    case UNKNOWN: usage(stderr); exit(EX_USAGE);
    }
}

static struct options options_read(int argc, char **argv)
{
    struct options options = { .from = "sender@bench.example", .connections = 1, .size = 4096, .seed = 1,
                               .timeout = 60 };
    for (int key, place = 0; (key = getopt_long(argc, argv, "", option_table, &place)) != -1;)
        option_read(&options, (enum option_key)key, option_table[place].name, optarg);
    if (!options.to || optind != argc) {
        usage(stderr);
        exit(EX_USAGE);
    }
    if (options.rcpt_count == 0) add_rcpt(&options, "user@example.test");
    if (options.messages == 0 && options.seconds == 0) options.messages = 1000;
    return options;
}

static void prepare(struct load *load)
{
    const struct options *options = &load->options;
    size_t id_bytes = options->unique ? CLIENT_ID_LINE_BYTES : 0;
    size_t size = options->size > id_bytes ? options->size - id_bytes : 0;
    load->bodies = options->corpus
                       ? bodies_read(options->corpus, options->seed)
                       : bodies_make(BODIES_MADE, size, options->from, options->rcpts[0], options->seed);
    load->random = options->seed;
    load->plan = (struct client_plan){
        .to = tool_endpoint("to", options->to),
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .tls = options->tls ? secure_context_new(false) : NULL,
        .pipelining = options->pipelining,
        .unique = options->unique,
        .reuse = options->reuse,
        .addresses = (uint32_t)options->addresses,
        .timeout = options->timeout,
        .on_finished = on_finished,
        .on_free = on_free,
        .context = load,
    };
    if (load->plan.epoll < 0) die_errno("epoll_create1");
    load->plan.envelope = client_commands(&load->plan, options);
    load->clients = memory_alloc(options->connections * sizeof *load->clients);
    load->free = memory_alloc(options->connections * sizeof *load->free);
    for (uint32_t i = 0; i < options->connections; i++) client_init(&load->clients[i], &load->plan, i);
}

static void finish(struct load *load)
{
    struct report *report = &load->report;
    for (uint64_t i = 0; i < load->options.connections; i++) {
        client_close(&load->clients[i]);
        report->connections += load->clients[i].connections;
        report->failed_connects += load->clients[i].failed_connects;
    }
    while (load->options.rate > 0 && load->end > 0 && load->due < load->end) {
        report->unsent++;
        load->due += gap(load);
    }
    if (load->options.ids) ids_write(&load->ids, load->options.ids);
    report_print(report, load->options.json);
    bodies_free(&load->bodies);
    secure_context_free(load->plan.tls);
    ids_free(&load->ids);
    free((char *)load->plan.envelope.at);
    free(load->plan.commands);
    free(load->options.rcpts);
    free(load->clients);
    free(load->free);
}

int main(int argc, char **argv)
{
    static struct load load; /* the histogram is too large for the stack to be the natural place */
    signal(SIGPIPE, SIG_IGN);
    load.options = options_read(argc, argv);
    tool_raise_file_limit();
    prepare(&load);
    run(&load);
    finish(&load);
    return load.report.acknowledged == load.report.finished && load.report.unsent == 0 ? 0 : 1;
}
