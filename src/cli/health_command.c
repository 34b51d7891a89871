/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Reads the page, prints it, and can wait for bad news. */
#include "cli/health_command.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/json.h"
#include "base/monotonic.h"
#include "cli/health_plugin.h"
#include "cli/options.h"

enum { STEP_MS = 50, WATCH_MOST_MS = 3600 * 1000, CODE_SICK = 1, CODE_DEAD = 2 };

static const char help[] =
    "usage: sekimori health [-v | --all] [--json | --plugin] [--serving] [--watch SECONDS]\n"
    "                       [--config FILE | --state FOLDER]\n\n"
    "Says in a line each what is wrong with this node, and what it does without (a rule file, a list), "
    "which\n"
    "makes no node sick. It asks nobody: the node writes down every second "
    "how\n"
    "it is, so the answer takes no time even when the node hangs. Made for keepalived and the like.\n\n"
    "  -v, --verbose    also say what is good\n"
    "      --all        also ask the node for each fact that alarms are made of, and each certificate\n"
    "      --json       everything as JSON\n"
    "      --plugin     one line for Nagios and its kin, with their exit codes\n"
    "      --serving    only what keeps the node from serving at all: it is gone, hangs or is drained\n"
    "      --watch SECONDS  look for so long, and end at once when it is not well\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0 well, 1 sick, 2 no word from the node (it does not run, or hangs), 64 usage,\n"
    "77 you are not allowed to look, 78 configuration.\n"
    "With --plugin: 0 OK, 1 WARNING (sick, or drained), 2 CRITICAL (does not serve), 3 UNKNOWN.\n";

struct options {
    struct control_target target;
    bool verbose, all, json, plugin, serving;
    uint32_t watch_ms;
};

/* The page as it was last read. */
struct page_look {
    struct health_page *page; /* NULL: it cannot be read */
    bool is_denied;           /* since this user may not */
    struct health_report report;
    uint64_t age_ms;
    struct alarm_facts facts; /* with --all */
};

static bool watch_take(void *context, const char *word)
{
    struct options *options = context;
    char *end;
    double seconds = strtod(word, &end);
    if (*end || end == word || !(seconds >= 0 && seconds * 1000 <= WATCH_MOST_MS)) return false;
    options->watch_ms = (uint32_t)(seconds * 1000);
    return true;
}

static const struct verb_option table[] = {
    { "verbose", OPTION_SWITCH, offsetof(struct options, verbose), NULL, NULL, .letter = 'v' },
    { "all", OPTION_SWITCH, offsetof(struct options, all), NULL, NULL },
    { "json", OPTION_SWITCH, offsetof(struct options, json), NULL, NULL },
    { "plugin", OPTION_SWITCH, offsetof(struct options, plugin), NULL, NULL },
    { "serving", OPTION_SWITCH, offsetof(struct options, serving), NULL, NULL },
    { "watch", OPTION_VALUE, 0, watch_take, "--watch is from 0 to 3600 seconds, not " },
    OPTIONS_TARGET(struct options),
    { 0 }
};
const struct verb_usage health_usage = { "health", help, table };

struct health_page *health_command_page(const char *state)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/run/health", state);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return NULL;
    struct health_page *page = health_page_map(fd, false);
    int why = errno;
    close(fd);
    errno = why;
    return page;
}

static void no_word(struct health_report *out, enum health_says says, uint64_t age_ms)
{
    *out = (struct health_report){ .count = 1 };
    out->findings[0] = (struct health_finding){
        .check = HEALTH_CHECK_NODE, .ends_service = true, .says = says, .numbers = { age_ms / 1000 }
    };
}

static void look_again(struct page_look *look)
{
    look->age_ms = 0;
    enum health_word word =
        look->page ? health_page_read(look->page, &look->report, &look->age_ms) : HEALTH_WORD_NONE;
    if (look->is_denied)
        no_word(&look->report, HEALTH_SAYS_NOT_ALLOWED, 0);
    else if (word == HEALTH_WORD_NONE)
        no_word(&look->report, HEALTH_SAYS_NOT_STARTED, 0);
    else if (word == HEALTH_WORD_GONE)
        no_word(&look->report, HEALTH_SAYS_GONE, 0);
    else if (word == HEALTH_WORD_STALE)
        no_word(&look->report, HEALTH_SAYS_HANGS, look->age_ms);
}

static bool is_dead(const struct page_look *look)
{
    return look->report.count == 1 && look->report.findings[0].says >= HEALTH_SAYS_NOT_STARTED;
}

static bool is_well(const struct options *options, const struct page_look *look)
{
    bool is_good = options->serving ? look->report.is_serving : look->report.is_healthy;
    return is_good && alarm_facts_are_good(&look->facts);
}

/* Looks again every few milliseconds, and at the moment at which the node's first process ends. */
static void watch(const struct options *options, struct page_look *look)
{
    uint64_t end = monotonic_ms() + options->watch_ms, now;
    struct pollfd writer = { look->page ? health_page_writer(look->page) : -1, POLLIN, 0 };
    while (is_well(options, look) && (now = monotonic_ms()) < end) {
        poll(&writer, 1, (int)(end - now < STEP_MS ? end - now : STEP_MS));
        look_again(look);
    }
    if (writer.fd >= 0) close(writer.fd);
}

static void row_print(const struct options *options, const char *state, struct text name, struct text says)
{
    if (options->verbose) printf("%s  ", state);
    printf("%-12.*s  %.*s\n", TEXT_ARG(name), TEXT_ARG(says));
}

static bool says_the_same(const struct health_finding *finding, const struct alarm_fact *fact)
{
    struct buffer says = { 0 };
    health_say(finding, health_words(finding->says), &says);
    bool is_same = text_equal(fact->says, buffer_text(&says));
    buffer_free(&says);
    return is_same;
}

/* The page has said the same under the same name. */
static bool is_said(const struct health_report *report, const struct alarm_fact *fact)
{
    for (uint32_t i = 0; i < report->count; i++) {
        const struct health_finding *finding = &report->findings[i];
        if (!finding->is_noted && says_the_same(finding, fact) &&
            text_equal(fact->name, text_of(health_check_name(finding->check))))
            return true;
    }
    return false;
}

/* What is noted is told with its fact, which is bad, where facts were asked for. */
static bool is_told_by_fact(const struct alarm_facts *facts, const struct health_finding *finding)
{
    for (size_t i = 0; finding->is_noted && i < facts->count; i++)
        if (says_the_same(finding, &facts->items[i])) return true;
    return false;
}

static void facts_print(const struct options *options, const struct page_look *look)
{
    static const char *const states[] = { "?   ", "good", "SICK" };
    for (size_t i = 0; i < look->facts.count; i++) {
        const struct alarm_fact *fact = &look->facts.items[i];
        bool is_known = fact->state != ALARM_FACT_UNKNOWN;
        if (is_said(&look->report, fact)) continue;
        row_print(options, states[fact->state], fact->name, is_known ? fact->says : TEXT("not known yet"));
    }
    if (look->facts.code != EX_OK)
        fputs("sekimori health: the other facts cannot be asked for now\n", stderr);
}

static bool is_shown(const struct options *options, const struct page_look *look,
                     const struct health_finding *finding)
{
    if (is_told_by_fact(&look->facts, finding)) return false;
    if (options->serving) return finding->ends_service || (finding->is_good && options->verbose);
    return !finding->is_good || finding->is_noted || options->verbose;
}

static const char *state_of(const struct health_finding *finding)
{
    return finding->is_noted ? "note" : finding->is_good ? "good" : "SICK";
}

static void print(const struct options *options, const struct page_look *look)
{
    struct buffer says = { 0 };
    for (uint32_t i = 0; i < look->report.count; i++) {
        const struct health_finding *finding = &look->report.findings[i];
        if (!is_shown(options, look, finding)) continue;
        buffer_clear(&says);
        health_say(finding, health_words(finding->says), &says);
        row_print(options, state_of(finding), text_of(health_check_name(finding->check)), buffer_text(&says));
    }
    buffer_free(&says);
    facts_print(options, look);
    if (is_well(options, look) && !options->verbose) puts("well");
}

static struct json *findings_json(const struct health_report *report)
{
    struct json *findings = json_new_array();
    struct buffer says = { 0 };
    for (uint32_t i = 0; i < report->count; i++) {
        const struct health_finding *finding = &report->findings[i];
        struct json *one = json_new_object();
        json_set_string(one, "check", health_check_name(finding->check));
        json_set_bool(one, "good", finding->is_good);
        json_set_bool(one, "noted", finding->is_noted);
        json_set_bool(one, "ends_service", finding->ends_service);
        buffer_clear(&says);
        health_say(finding, health_words(finding->says), &says);
        json_set_text(one, "says", buffer_text(&says));
        json_add(findings, one);
    }
    buffer_free(&says);
    return findings;
}

static struct json *numbers_json(const struct health_facts *told)
{
    struct json *numbers = json_new_object();
    for (int fact = 0; fact < HEALTH_FACT_COUNT; fact++)
        if (health_knows(told, (enum health_fact)fact))
            json_set_number(numbers, health_fact_name((enum health_fact)fact), (int64_t)told->values[fact]);
    return numbers;
}

static void print_json(const struct options *options, const struct page_look *look)
{
    const struct health_report *report = &look->report;
    struct json *whole = json_new_object();
    json_set_bool(whole, "healthy", report->is_healthy);
    json_set_bool(whole, "serving", report->is_serving);
    json_set_bool(whole, "known", !look->is_denied);
    json_set_bool(whole, "draining", report->is_draining);
    json_set_bool(whole, "drained", report->is_drained);
    json_set_number(whole, "age_ms", (int64_t)look->age_ms);
    json_set_number(whole, "sessions", (int64_t)report->sessions);
    json_set_number(whole, "messages", (int64_t)report->messages);
    json_set_number(whole, "deliveries", (int64_t)report->deliveries);
    json_set_number(whole, "held", (int64_t)report->held);
    json_set(whole, "numbers", numbers_json(&report->told));
    json_set(whole, "findings", findings_json(report));
    if (options->all) json_set(whole, "facts", alarm_facts_json(&look->facts));
    json_print(whole, stdout, false);
}

static int show(const struct options *options, const struct page_look *look)
{
    if (options->plugin) return health_plugin(&look->report, !look->is_denied, &look->facts);
    if (options->json)
        print_json(options, look);
    else
        print(options, look);
    if (look->is_denied) return EX_NOPERM;
    if (is_dead(look)) return CODE_DEAD;
    return is_well(options, look) ? EX_OK : CODE_SICK;
}

int health_main(int argc, char **argv)
{
    struct options options = { 0 };
    struct page_look look = { 0 };
    char state[4096];
    int code = options_read_all(&health_usage, argc, argv, &options);
    if (code == EX_USAGE && options.plugin) return health_plugin_unknown("wrong use");
    if (code != OPTIONS_GO_ON) return code;
    options.verbose |= options.all;
    code = control_state_folder(&options.target, state, sizeof state);
    if (code != EX_OK && options.plugin) return health_plugin_unknown("the state folder is not known");
    if (code != EX_OK) return code;
    look.page = health_command_page(state);
    look.is_denied = !look.page && (errno == EACCES || errno == EPERM);
    look_again(&look);
    watch(&options, &look);
    if (options.all && !is_dead(&look)) alarm_facts_ask(&options.target, &look.facts);
    code = show(&options, &look);
    if (look.page) health_page_unmap(look.page);
    alarm_facts_free(&look.facts);
    return code;
}
