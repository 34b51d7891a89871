/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Reads the page, prints it, and can wait for bad news. */
#include "cli/wellness.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "cli/json.h"

enum { STEP_MS = 50, WATCH_MOST_MS = 3600 * 1000 };

static const char help[] =
    "usage: sekimori health [-v] [--json] [--serving] [--watch SECONDS] [--config FILE | --state FOLDER]\n\n"
    "Says in a line each what is wrong with this node. It asks nobody: the node writes down every second "
    "how\n"
    "it is, so the answer takes no time even when the node hangs. Made for keepalived and the like.\n\n"
    "  -v, --verbose    also say what is good\n"
    "      --json       everything as JSON\n"
    "      --serving    only what keeps the node from serving at all: it is gone, hangs or is drained\n"
    "      --watch SECONDS  look for so long, and end at once when it is not well\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0 well, 1 not, 64 usage, 78 configuration.\n";

struct options {
    struct control_target target;
    bool verbose, json, serving;
    uint32_t watch_ms;
};

static bool seconds_read(const char *word, uint32_t *out_ms)
{
    char *end;
    double seconds = strtod(word, &end);
    if (*end || end == word || !(seconds >= 0 && seconds * 1000 <= WATCH_MOST_MS)) return false;
    *out_ms = (uint32_t)(seconds * 1000);
    return true;
}

/* -1: go on; else the exit code. */
static int options_read(int argc, char **argv, struct options *options)
{
    static const struct option longs[] = {
        { "config", required_argument, NULL, 'c' }, { "state", required_argument, NULL, 's' },
        { "verbose", no_argument, NULL, 'v' },      { "json", no_argument, NULL, 'j' },
        { "serving", no_argument, NULL, 'r' },      { "watch", required_argument, NULL, 'w' },
        { "help", no_argument, NULL, 'h' },         { 0 }
    };
    *options = (struct options){ 0 };
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "c:vh", longs, NULL)) != -1;) {
        bool is_good = option != '?';
        if (option == 'h') {
            fputs(help, stdout);
            return EX_OK;
        }
        if (option == 'c') options->target.config = optarg;
        if (option == 's') options->target.state = optarg;
        if (option == 'v') options->verbose = true;
        if (option == 'j') options->json = true;
        if (option == 'r') options->serving = true;
        if (option == 'w') is_good = seconds_read(optarg, &options->watch_ms);
        if (is_good) continue;
        fputs(help, stderr);
        return EX_USAGE;
    }
    if (optind == argc) return -1;
    fprintf(stderr, "sekimori health: unexpected argument: %s\n%s", argv[optind], help);
    return EX_USAGE;
}

struct health_page *wellness_page(const char *state)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/run/health", state);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct health_page *page = fd < 0 ? NULL : health_page_map(fd, false);
    if (fd >= 0) close(fd);
    return page;
}

static void no_word(struct health_report *out, enum health_says says, uint64_t age_ms)
{
    *out = (struct health_report){ .count = 1 };
    out->findings[0] = (struct health_finding){
        .check = HEALTH_CHECK_NODE, .ends_service = true, .says = says, .numbers = { age_ms / 1000 }
    };
}

void wellness_read(const struct health_page *page, struct health_report *out, uint64_t *out_age_ms)
{
    *out_age_ms = 0;
    enum health_word word = page ? health_page_read(page, out, out_age_ms) : HEALTH_WORD_NONE;
    if (word == HEALTH_WORD_NONE) no_word(out, HEALTH_SAYS_NOT_STARTED, 0);
    if (word == HEALTH_WORD_GONE) no_word(out, HEALTH_SAYS_GONE, 0);
    if (word == HEALTH_WORD_STALE) no_word(out, HEALTH_SAYS_HANGS, *out_age_ms);
}

static bool is_well(const struct options *options, const struct health_report *report)
{
    return options->serving ? report->is_serving : report->is_healthy;
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Looks again every few milliseconds, and at the moment at which the node's first process ends. */
static void watch(const struct options *options, const struct health_page *page, struct health_report *report,
                  uint64_t *age_ms)
{
    uint64_t end = now_ms() + options->watch_ms, now;
    struct pollfd writer = { page ? health_page_writer(page) : -1, POLLIN, 0 };
    while (is_well(options, report) && (now = now_ms()) < end) {
        poll(&writer, 1, (int)(end - now < STEP_MS ? end - now : STEP_MS));
        wellness_read(page, report, age_ms);
    }
    if (writer.fd >= 0) close(writer.fd);
}

static void print(const struct options *options, const struct health_report *report)
{
    struct buffer says = { 0 };
    for (uint32_t i = 0; i < report->count; i++) {
        const struct health_finding *finding = &report->findings[i];
        bool is_shown = finding->is_good ? options->verbose : !options->serving || finding->ends_service;
        if (!is_shown) continue;
        if (options->verbose) printf("%s  ", finding->is_good ? "good" : "SICK");
        buffer_clear(&says);
        health_say(finding, health_words(finding->says), &says);
        printf("%-8s  %.*s\n", health_check_name(finding->check), TEXT_ARG(buffer_text(&says)));
    }
    buffer_free(&says);
    if (is_well(options, report) && !options->verbose) puts("well");
}

static void print_json(const struct options *options, const struct health_report *report, uint64_t age_ms)
{
    struct json *whole = json_new_object(), *findings = json_new_array();
    struct buffer says = { 0 };
    for (uint32_t i = 0; i < report->count; i++) {
        const struct health_finding *finding = &report->findings[i];
        struct json *one = json_new_object();
        json_set_string(one, "check", health_check_name(finding->check));
        json_set_bool(one, "good", finding->is_good);
        json_set_bool(one, "ends_service", finding->ends_service);
        buffer_clear(&says);
        health_say(finding, health_words(finding->says), &says);
        json_set_text(one, "says", buffer_text(&says));
        json_add(findings, one);
    }
    json_set_bool(whole, "healthy", report->is_healthy);
    json_set_bool(whole, "serving", report->is_serving);
    json_set_bool(whole, "draining", report->is_draining);
    json_set_bool(whole, "drained", report->is_drained);
    json_set_number(whole, "age_ms", (int64_t)age_ms);
    json_set_number(whole, "sessions", (int64_t)report->sessions);
    json_set_number(whole, "messages", (int64_t)report->messages);
    json_set_number(whole, "deliveries", (int64_t)report->deliveries);
    json_set_number(whole, "held", (int64_t)report->held);
    json_set(whole, "findings", findings);
    json_print(whole, stdout, false);
    buffer_free(&says);
}

int health_main(int argc, char **argv)
{
    struct options options;
    struct health_report report;
    uint64_t age_ms;
    char state[4096];
    int code = options_read(argc, argv, &options);
    if (code >= 0) return code;
    code = control_state_folder(&options.target, state, sizeof state);
    if (code != EX_OK) return code;
    struct health_page *page = wellness_page(state);
    wellness_read(page, &report, &age_ms);
    watch(&options, page, &report, &age_ms);
    if (options.json)
        print_json(&options, &report, age_ms);
    else
        print(&options, &report);
    if (page) health_page_unmap(page);
    return is_well(&options, &report) ? EX_OK : 1;
}
