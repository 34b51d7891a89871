/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The load generator: many SMTP connections, one thread, as little processor as possible. Without --rate each
   connection sends its next message when the last is answered; with --rate each message has a time at which
   it is due, and its latency counts from there, however late it could be sent. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/die.h"
#include "base/log.h"
#include "bodies.h"
#include "client.h"
#include "ids.h"
#include "load_report.h"
#include "secure.h"
#include "tool.h"

enum { MADE_BODIES = 64, EVENTS_A_TURN = 256, CONNECTIONS_MOST = 60000, RECIPIENTS_MOST = 100 };

#define TICK_SECONDS 0.05

static const char usage_text[] =
    "usage: load --to HOST:PORT [options]\n"
    "  --from ADDRESS --rcpt ADDRESS   the envelope; --rcpt may be repeated\n"
    "  --connections N                 at once (1)\n"
    "  --messages N | --seconds S      when to end (1000 messages)\n"
    "  --rate R [--poisson]            messages a second on a schedule; else as fast as replies come\n"
    "  --size BYTES | --corpus DIR     made-up mails (4096), or each file below DIR\n"
    "  --reuse[=N]                     messages a connection (no limit); without: one\n"
    "  --tls --pipelining              STARTTLS; commands of a message in one write\n"
    "  --unique                        X-Bench-Id: N in front of each message\n"
    "  --ids FILE                      writes the ids that were acknowledged (with --unique)\n"
    "  --timeout S --seed N --json\n";

struct load {
    struct client_plan plan;
    struct client *clients;
    uint32_t connections, *free_clients, free_count;
    struct bodies bodies;
    uint64_t messages; /* 0: no limit */
    double seconds;    /* 0: no limit */
    double rate;       /* 0: as fast as replies come */
    bool is_poisson;
    uint64_t seed;
    double next_due;
    uint64_t started, finished;
    struct ids acknowledged;
    const char *ids_path;
    struct load_report report;
};

_Noreturn static void usage(FILE *to, int status)
{
    fputs(usage_text, to);
    exit(status);
}

static void on_finished(void *context, uint32_t index, enum client_state state, int code, struct text why)
{
    struct load *load = context;
    const struct client_message *message = &load->clients[index].message;
    load->finished++;
    load_report_ending(&load->report, client_state_name(state), code, why);
    if (state != CLIENT_CONTENT || code != 250) return;
    load->report.acknowledged++;
    load->report.last_reply = tool_now();
    latency_add(&load->report.latency, load->report.last_reply - message->since);
    if (load->ids_path) ids_add(&load->acknowledged, message->id);
}

static void on_free(void *context, uint32_t index)
{
    struct load *load = context;
    load->free_clients[load->free_count++] = index;
}

static bool is_all_started(const struct load *load, double now)
{
    if (load->messages && load->started >= load->messages) return true;
    return load->seconds > 0 && now >= load->report.begun + load->seconds;
}

static void advance_schedule(struct load *load)
{
    double gap = 1 / load->rate;
    /* 53 bits of (0, 1]: its logarithm is finite. */
    if (load->is_poisson) gap *= -log((double)((bodies_random(&load->seed) >> 11) + 1) * 0x1p-53);
    load->next_due += gap;
}

/* Gives each free connection the next message that is due. */
static void start_due(struct load *load, double now)
{
    while (load->free_count > 0 && !is_all_started(load, now) && (load->rate <= 0 || load->next_due <= now)) {
        uint32_t index = load->free_clients[--load->free_count];
        struct client_message message = { load->started,
                                          load->bodies.items[load->started % load->bodies.count],
                                          load->rate > 0 ? load->next_due : now };
        load->started++;
        if (load->rate > 0) advance_schedule(load);
        client_start(&load->clients[index], &message);
    }
}

static struct timespec wait_of(const struct load *load, double now, double next_tick)
{
    double until = next_tick;
    if (load->rate > 0 && load->free_count > 0 && load->next_due < until) until = load->next_due;
    double wait = until > now ? until - now : 0;
    return (struct timespec){ (time_t)wait, (long)((wait - (double)(time_t)wait) * 1e9) };
}

static void run(struct load *load)
{
    struct epoll_event events[EVENTS_A_TURN];
    double now = load->report.begun = load->next_due = tool_now(), next_tick = now + TICK_SECONDS;
    for (;;) {
        start_due(load, now);
        if (load->finished == load->started && is_all_started(load, now)) break;
        struct timespec wait = wait_of(load, now, next_tick);
        int count = epoll_pwait2(load->plan.epoll, events, EVENTS_A_TURN, &wait, NULL);
        for (int i = 0; i < count; i++) client_event(&load->clients[events[i].data.u32], events[i].events);
        now = tool_now();
        if (now < next_tick) continue;
        for (uint32_t i = 0; i < load->connections; i++) client_tick(&load->clients[i], now);
        next_tick = now + TICK_SECONDS;
    }
    load->report.ended = tool_now();
}

static void command_add(struct client_plan *plan, struct buffer *envelope, const char *verb,
                        const char *address)
{
    struct buffer line = { 0 };
    if (address)
        buffer_printf(&line, "%s:<%s>\r\n", verb, address);
    else
        buffer_printf(&line, "%s\r\n", verb);
    buffer_add_text(envelope, buffer_text(&line));
    plan->commands = memory_grow(plan->commands, (plan->command_count + 1) * sizeof *plan->commands);
    plan->commands[plan->command_count++] =
        text_from(memory_string(buffer_text(&line)), buffer_length(&line));
    buffer_free(&line);
}

static void plan_envelope(struct client_plan *plan, const char *from, const char *const *recipients,
                          size_t count)
{
    struct buffer envelope = { 0 };
    command_add(plan, &envelope, "MAIL FROM", from);
    for (size_t i = 0; i < count; i++) command_add(plan, &envelope, "RCPT TO", recipients[i]);
    command_add(plan, &envelope, "DATA", NULL);
    plan->envelope = text_from(memory_string(buffer_text(&envelope)), buffer_length(&envelope));
    buffer_free(&envelope);
}

static void open_clients(struct load *load)
{
    tool_raise_file_limit();
    load->plan.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load->plan.epoll < 0) die_errno("epoll_create1");
    load->plan.context = load;
    load->plan.on_finished = on_finished;
    load->plan.on_free = on_free;
    load->clients = memory_alloc(load->connections * sizeof *load->clients);
    load->free_clients = memory_alloc(load->connections * sizeof *load->free_clients);
    for (uint32_t i = load->connections; i-- > 0;) {
        client_init(&load->clients[i], &load->plan, i);
        on_free(load, i);
    }
}

static void close_clients(struct load *load)
{
    for (uint32_t i = 0; i < load->connections; i++) {
        load->report.connections += load->clients[i].connections;
        load->report.failed_connects += load->clients[i].failed_connects;
        client_close(&load->clients[i]);
    }
    for (size_t i = 0; i < load->plan.command_count; i++) free((char *)load->plan.commands[i].at);
    free(load->plan.commands);
    free((char *)load->plan.envelope.at);
    secure_context_free(load->plan.tls);
    close(load->plan.epoll);
    bodies_free(&load->bodies);
    free(load->clients);
    free(load->free_clients);
}

static const struct option options[] = {
    { "to", required_argument, NULL, 't' },       { "from", required_argument, NULL, 'f' },
    { "rcpt", required_argument, NULL, 'r' },     { "connections", required_argument, NULL, 'c' },
    { "messages", required_argument, NULL, 'm' }, { "seconds", required_argument, NULL, 's' },
    { "rate", required_argument, NULL, 'R' },     { "poisson", no_argument, NULL, 'P' },
    { "size", required_argument, NULL, 'z' },     { "corpus", required_argument, NULL, 'C' },
    { "reuse", optional_argument, NULL, 'u' },    { "tls", no_argument, NULL, 'T' },
    { "pipelining", no_argument, NULL, 'p' },     { "unique", no_argument, NULL, 'U' },
    { "ids", required_argument, NULL, 'i' },      { "json", no_argument, NULL, 'j' },
    { "timeout", required_argument, NULL, 'w' },  { "seed", required_argument, NULL, 'S' },
    { "help", no_argument, NULL, 'h' },           { NULL, 0, NULL, 0 },
};

struct words {
    const char *from, *corpus, *recipients[RECIPIENTS_MOST];
    size_t recipient_count, size_bytes;
    bool has_to, json;
};

static void option_read(struct load *load, struct words *words, int option, const char *word)
{
    switch (option) {
    case 't':
        load->plan.to = tool_endpoint("to", word), words->has_to = true;
        break;
    case 'f':
        words->from = word;
        break;
    case 'r':
        if (words->recipient_count == RECIPIENTS_MOST) usage(stderr, EX_USAGE);
        words->recipients[words->recipient_count++] = word;
        break;
    case 'c':
        load->connections = (uint32_t)tool_number("connections", word, 1, CONNECTIONS_MOST);
        break;
    case 'm':
        load->messages = tool_number("messages", word, 1, IDS_MOST);
        break;
    case 's':
        load->seconds = tool_decimal("seconds", word, 0.001, 1e6);
        break;
    case 'R':
        load->rate = tool_decimal("rate", word, 0.001, 1e6);
        break;
    case 'P':
        load->is_poisson = true;
        break;
    case 'z':
        words->size_bytes = tool_number("size", word, 1, 1u << 30);
        break;
    case 'C':
        words->corpus = word;
        break;
    case 'u':
        load->plan.reuse = word ? tool_number("reuse", word, 1, IDS_MOST) : 0;
        break;
    case 'T':
        load->plan.tls = load->plan.tls ? load->plan.tls : secure_context_new(false);
        break;
    case 'p':
        load->plan.pipelining = true;
        break;
    case 'U':
        load->plan.unique = true;
        break;
    case 'i':
        load->ids_path = word;
        break;
    case 'j':
        words->json = true;
        break;
    case 'w':
        load->plan.timeout = tool_decimal("timeout", word, 0.01, 1e5);
        break;
    case 'S':
        load->seed = tool_number("seed", word, 0, UINT64_MAX - 1);
        break;
    case 'h':
        usage(stdout, 0);
    default:
        usage(stderr, EX_USAGE);
    }
}

static void complain_of_options(const struct load *load, const struct words *words)
{
    const char *wrong = NULL;
    if (!words->has_to) wrong = "--to HOST:PORT is needed";
    if (load->is_poisson && load->rate <= 0) wrong = "--poisson needs --rate";
    if (load->ids_path && !load->plan.unique) wrong = "--ids needs --unique";
    if (!wrong) return;
    fprintf(stderr, "load: %s\n", wrong);
    usage(stderr, EX_USAGE);
}

int main(int argc, char **argv)
{
    static struct load load = { .connections = 1, .seed = 1, .plan = { .reuse = 1, .timeout = 60 } };
    static struct words words = { .from = "sender@outside.example", .size_bytes = 4096 };
    log_open("load", LOG_TARGET_STDERR, NULL, LOG_LEVEL_WARNING);
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        option_read(&load, &words, option, optarg);
    if (optind != argc) usage(stderr, EX_USAGE);
    complain_of_options(&load, &words);
    if (words.recipient_count == 0) words.recipients[words.recipient_count++] = "user@example.test";
    if (!load.messages && load.seconds <= 0) load.messages = 1000;
    plan_envelope(&load.plan, words.from, words.recipients, words.recipient_count);
    load.bodies =
        words.corpus ? bodies_read(words.corpus, load.seed)
                     : bodies_make(MADE_BODIES, words.size_bytes, words.from, words.recipients[0], load.seed);
    open_clients(&load);
    run(&load);
    close_clients(&load);
    if (load.ids_path) ids_write(&load.acknowledged, load.ids_path);
    load_report_print(&load.report, words.json);
    ids_free(&load.acknowledged);
    return load.report.acknowledged == load.finished ? 0 : 1;
}
