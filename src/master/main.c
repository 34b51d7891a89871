/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* sekimorid: reads the configuration, binds, starts the processes, watches over them until told to stop. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/build_facts.h"
#include "base/context.h"
#include "base/log.h"
#include "base/standard_fds.h"
#include "config/difference.h"
#include "config/load.h"
#include "config/signatures.h"
#include "config/value.h"
#include "master/acts.h"
#include "master/certificates.h"
#include "master/commands.h"
#include "master/logs.h"
#include "master/own_processes.h"
#include "master/process_table.h"
#include "master/roles.h"
#include "master/systemd.h"
#include "rules/rule_folders.h"

struct node {
    enum { NODE_MAGIC = 0x7bec0cbd } magic;
    const char *config_path;
    char libexec[4096];
    bool only_prepares;
    struct loop *loop;
    struct config *config;
    struct os_users users;
    struct state state;
    struct listeners listeners;
    struct passed passed;
    struct systemd systemd;
    struct metrics_socket metrics;
    struct process_table *table;
    struct commands *control;
    struct acts *acts;
    struct certificates_seen certificates;
    struct timer *look;
    uint64_t look_ms;
    struct {
        struct commands_client *client;
        struct config *old;
        bool is_under_way, is_wanted_again; /* by a signal that came meanwhile */
        struct deferred again;
    } reload;
};

static const char usage[] =
    "usage: sekimorid [-c FILE] [--libexec FOLDER] [--prepare]\n"
    "       sekimorid --version [--json]\n"
    "The mail gateway, in the foreground. `sekimori start` starts it in the background.\n\n"
    "  -c, --config FILE     configuration (default: $SEKIMORI_CONFIG, else /etc/sekimori/sekimori.conf)\n"
    "      --libexec FOLDER  where the programs of its processes are\n"
    "      --prepare         make the folders of the state, give each to its process' user, and end\n"
    "      --version         print the version and what it was built of; with --json as JSON\n"
    "  -h, --help            print this\n\n"
    "Signals: HUP reloads the configuration, USR1 opens the log file anew, TERM and INT stop in order.\n"
    "Exit codes: 0 stopped, 64 usage, 67 no such user, 69 an address cannot be bound or a program is\n"
    "missing, 73 and 75 state folder, 78 configuration.\n";

_Noreturn static void version_say(bool as_json)
{
    struct buffer facts = { 0 };
    build_facts_print("sekimorid", as_json, &facts);
    printf("%.*s", TEXT_ARG(buffer_text(&facts)));
    exit(EX_OK);
}

static void options_read(struct node *node, int argc, char **argv)
{
    enum { OPTION_LIBEXEC = 256, OPTION_PREPARE, OPTION_VERSION, OPTION_JSON };
    static const struct option options[] = { { "config", required_argument, NULL, 'c' },
                                             { "libexec", required_argument, NULL, OPTION_LIBEXEC },
                                             { "prepare", no_argument, NULL, OPTION_PREPARE },
                                             { "version", no_argument, NULL, OPTION_VERSION },
                                             { "json", no_argument, NULL, OPTION_JSON },
                                             { "help", no_argument, NULL, 'h' },
                                             { 0 } };
    bool is_version = false, is_json = false;
    node->config_path = config_default_path();
    snprintf(node->libexec, sizeof node->libexec, "%s", SEKIMORI_LIBEXEC);
    for (int option; (option = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) switch (option) {
        case 'c':
            node->config_path = optarg;
            break;
        case OPTION_LIBEXEC:
            snprintf(node->libexec, sizeof node->libexec, "%s", optarg);
            break;
        case OPTION_PREPARE:
            node->only_prepares = true;
            break;
        case OPTION_VERSION:
            is_version = true;
            break;
        case OPTION_JSON:
            is_json = true;
            break;
        case 'h':
            fputs(usage, stdout);
            exit(EX_OK);
        default:
            fputs(usage, stderr);
            exit(EX_USAGE);
        }
    if (optind == argc && is_version) version_say(is_json);
    if (optind == argc && !is_json) return;
    fprintf(stderr, "sekimorid: unexpected argument: %s\n%s", optind < argc ? argv[optind] : "--json", usage);
    exit(EX_USAGE);
}

/* Every problem to the log, and their text to `out` for who asked. */
static void problems_tell(struct problem_list *problems, struct buffer *out)
{
    for (size_t i = 0; i < problems->count; i++) {
        struct buffer line = { 0 };
        problem_print(&problems->items[i], &line);
        log_line(problems->items[i].is_warning ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, "%.*s",
                 TEXT_ARG(buffer_text(&line)));
        buffer_add_text(out, buffer_text(&line));
        buffer_add_char(out, '\n');
        buffer_free(&line);
    }
    problem_list_free(problems);
}

/* What only the looking through it has found is no less wrong. */
static struct config *without_errors(struct config *config, const struct problem_list *problems)
{
    if (!config || problems->errors == 0) return config;
    config_free(config);
    return NULL;
}

/* A node that starts at night is not down over a rule: the file is left out, and alarms tell of it. */
static void rules_leave_out(struct config *config)
{
    struct problem_list problems;
    problem_list_start(&problems);
    rule_folders_leave_out(config, &problems);
    for (size_t i = 0; i < problems.count; i++) {
        struct buffer line = { 0 };
        problem_print(&problems.items[i], &line);
        log_error("ALARM: %.*s; the node starts without this file", TEXT_ARG(buffer_text(&line)));
        buffer_free(&line);
    }
    problem_list_free(&problems);
}

/* NULL when it has errors. At a start wrong rules are none: what is right of them is taken. */
static struct config *config_read(const char *path, bool is_start, struct buffer *out)
{
    struct problem_list problems;
    problem_list_start(&problems);
    struct config *config = config_load(path, &problems);
    if (config) signatures_check(config, &problems);
    if (config && !is_start) rule_folders_check(config, &problems);
    config = without_errors(config, &problems);
    problems_tell(&problems, out);
    if (config && is_start) rules_leave_out(config);
    return config;
}

static void on_ready(void *context)
{
    struct node *node = CONTEXT(context, struct node, NODE_MAGIC);
    size_t listeners = node->config->listener_count;
    size_t domains = node->config->domain_count - 1; /* the "*" that is always there */
    log_info("ready: %zu %s, %zu %s", listeners, text_word_for(listeners, "listener", "listeners"), domains,
             text_word_for(domains, "domain", "domains"));
    systemd_ready(&node->systemd);
}

static void on_stopped(void *context)
{
    struct node *node = CONTEXT(context, struct node, NODE_MAGIC);
    loop_stop(node->loop);
}

static void stop(void *context)
{
    struct node *node = CONTEXT(context, struct node, NODE_MAGIC);
    log_info("stopping");
    systemd_stopping(&node->systemd);
    process_table_stop(node->table);
}

static void reload_reply(struct node *node, int code, struct text text)
{
    node->reload.is_under_way = false;
    if (node->reload.client) commands_reply(node->reload.client, code, text);
    node->reload.client = NULL;
    systemd_reloaded(&node->systemd);
    if (node->reload.is_wanted_again) loop_defer(node->loop, &node->reload.again);
}

static void reload_done(void *context, const char *late)
{
    struct node *node = CONTEXT(context, struct node, NODE_MAGIC);
    config_free(node->reload.old);
    node->reload.old = NULL;
    if (late) {
        log_error("reload: not taken up in time by: %s", late);
        reload_reply(node, EX_TEMPFAIL, text_of(late));
        return;
    }
    log_info("reload: the new configuration is in force");
    reload_reply(node, EX_OK, TEXT("the new configuration is in force"));
}

static const char *fixed_setting_changed(const struct config *old, const struct config *new)
{
    if (old->role != new->role) return "role";
    if (!text_equal(old->state, new->state)) return "state";
    if (!text_equal(old->user, new->user)) return "user";
    if (old->processes.receive != new->processes.receive) return "processes receive";
    if (old->node.number != new->node.number) return "node number";
    if (courier_is_wanted(old) != courier_is_wanted(new))
        return "ledger send to or listen, from none or to none";
    return NULL;
}

/* Every process gets it; reload_done follows. False, with the reason in `error`, when an address cannot be
 * bound. */
static bool config_apply(struct node *node, struct config *config, char *error, size_t size)
{
    struct listeners listeners;
    struct metrics_socket metrics;
    if (!listeners_open(&listeners, config, &node->listeners, &node->passed, error, size)) return false;
    if (!metrics_socket_open(&metrics, config, node->users.node.gid, &node->metrics, error, size)) {
        listeners_drop(&listeners, &node->listeners);
        return false;
    }
    listeners_drop(&node->listeners, &listeners);
    metrics_socket_drop(&node->metrics, &metrics);
    node->listeners = listeners;
    node->metrics = metrics;
    if (process_table_is_drained(node->table)) listeners_serve(&node->listeners, false);
    node->reload.old = node->config;
    node->config = config;
    commands_set_config(node->control, config);
    log_set_level(config->log.level);
    process_table_reload(node->table, config, &node->listeners, reload_done, node);
    return true;
}

/* `problems`: of the file, which are in the log; `why`: what else is in the way, or NULL. */
static void reload_refuse(struct node *node, const char *why, struct buffer *problems)
{
    if (why) {
        log_error("reload: %s", why);
        buffer_printf(problems, "%s\n", why);
    }
    log_error("reload refused; the old configuration stays in force");
    buffer_add_text(problems, TEXT("refused: the old configuration stays in force"));
    reload_reply(node, EX_CONFIG, buffer_text(problems));
}

/* A good file is applied, a bad one is refused whole. */
static void reload(void *context, struct commands_client *client)
{
    struct node *node = CONTEXT(context, struct node, NODE_MAGIC);
    logs_reopen(node->table);
    if (node->reload.is_under_way) {
        node->reload.is_wanted_again |= !client;
        if (client)
            commands_reply(client, EX_TEMPFAIL, TEXT("a reload is under way"));
        else
            log_info("reload: one is under way; the file is read again after it");
        return;
    }
    node->reload.client = client;
    node->reload.is_under_way = true;
    systemd_reloading(&node->systemd);
    struct buffer problems = { 0 };
    char error[300] = "";
    struct config *config = config_read(node->config_path, false, &problems);
    const char *fixed = config ? fixed_setting_changed(node->config, config) : NULL;
    if (fixed) snprintf(error, sizeof error, "%s: a change needs a restart", fixed);
    if (!config || fixed || !config_apply(node, config, error, sizeof error)) {
        config_free(config);
        reload_refuse(node, error[0] ? error : NULL, &problems);
    }
    buffer_free(&problems);
}

static void reload_again(void *context)
{
    struct node *node = CONTEXT(context, struct node, NODE_MAGIC);
    node->reload.is_wanted_again = false;
    reload(node, NULL);
}

/* What a reload would do now: nothing is changed, and nothing logged. */
static void difference(void *context, struct commands_client *client)
{
    struct node *node = CONTEXT(context, struct node, NODE_MAGIC);
    struct problem_list problems;
    struct buffer lines = { 0 };
    problem_list_start(&problems);
    struct config *config = config_load(node->config_path, &problems);
    if (config) rule_folders_check(config, &problems);
    config = without_errors(config, &problems);
    for (size_t i = 0; i < problems.count; i++)
        if (!config || problems.items[i].is_warning) problem_show(&problems.items[i], &lines);
    size_t count = config ? config_difference(node->config, config, &lines) : 0;
    const char *fixed = config ? fixed_setting_changed(node->config, config) : NULL;
    if (fixed) buffer_printf(&lines, "%s: a change needs a restart; a reload would be refused\n", fixed);
    commands_say(client, buffer_text(&lines));
    if (!config || fixed)
        commands_reply(client, EX_CONFIG, config ? TEXT_NONE : TEXT("a reload would be refused"));
    else
        commands_reply(client, count ? 1 : EX_OK, count ? TEXT_NONE : TEXT("a reload would change nothing"));
    config_free(config);
    buffer_free(&lines);
    problem_list_free(&problems);
}

/* Renewed certificates are put in force by themselves; sekimori.conf is not read for that. */
static void certificates_look(void *context)
{
    struct node *node = CONTEXT(context, struct node, NODE_MAGIC);
    struct problem_list problems;
    struct buffer text = { 0 };
    char error[300] = "";
    timer_set(node->look, node->look_ms);
    if (node->reload.is_under_way || !certificates_have_changed(node->config, &node->certificates)) return;
    log_info("certificates have changed on disk");
    problem_list_start(&problems);
    struct config *config = config_renew(node->config, &problems);
    problems_tell(&problems, &text);
    buffer_free(&text);
    node->reload.is_under_way = config && config_apply(node, config, error, sizeof error);
    if (node->reload.is_under_way) return;
    log_error("the changed certificates are not taken, the old ones stay in force%s%s", *error ? ": " : "",
              error);
    config_free(config);
}

static void certificates_watch(struct node *node)
{
    const char *hurry = getenv("SEKIMORI_TEST_LOOK_MS"); /* for tests, which cannot wait a minute */
    node->look_ms = hurry && atoi(hurry) > 0 ? (uint64_t)atoi(hurry) : 60000;
    node->look = timer_new(node->loop, certificates_look, node);
    timer_set(node->look, node->look_ms);
}

/* --- drain --- */

static bool is_own_listener(const struct config *config, const struct endpoint *endpoint)
{
    for (size_t i = 0; i < config->listener_count; i++)
        if (config->listeners[i].endpoint.port == endpoint->port &&
            address_equal(&config->listeners[i].endpoint.address, &endpoint->address))
            return true;
    return false;
}

/* ADDRESS:PORT of the peer, or nothing. NULL, or what is wrong. */
static const char *peer_choose(const struct config *config, struct text to, struct buffer *out)
{
    struct endpoint peer;
    if (to.length == 0) to = config->drain.to;
    if (to.length == 0) return NULL;
    if (!value_endpoint_parse(to, config->deliver.port, &peer)) return "that is not ADDRESS or ADDRESS:PORT";
    if (is_own_listener(config, &peer)) return "that is a listener of this node itself";
    value_endpoint_print(&peer, 0, out);
    return NULL;
}

/* Processes hear of it before the sockets stop listening, and after they listen again. */
static void drain(void *context, bool is_on, struct text to, struct commands_client *client)
{
    struct node *node = CONTEXT(context, struct node, NODE_MAGIC);
    struct buffer peer = { 0 };
    const char *why = is_on ? peer_choose(node->config, to, &peer) : NULL;
    int code = why ? EX_USAGE : EX_OK;
    if (!why && !state_drain_write(&node->state, is_on, buffer_text(&peer))) {
        why = "run/drain cannot be written";
        code = EX_IOERR;
    }
    if (!why) {
        if (!is_on && !listeners_serve(&node->listeners, true)) log_error("not every listener listens again");
        process_table_drain(node->table, is_on, buffer_text(&peer));
        if (is_on) listeners_serve(&node->listeners, false);
        log_info(is_on ? "drained: nothing is taken any more; what waits goes to %.*s"
                       : "undrained: in service%.*s",
                 TEXT_ARG(buffer_length(&peer) || !is_on ? buffer_text(&peer) : TEXT("its usual servers")));
    }
    commands_reply(client, code, why ? text_of(why) : buffer_text(&peer));
    buffer_free(&peer);
}

/* The node was drained when it was stopped: it stays so. */
static void drain_resume(struct node *node)
{
    char to[ADDRESS_TEXT_SIZE + 8];
    if (!state_drain_read(&node->state, to, sizeof to)) return;
    log_warning("the node is drained: nothing is taken until `sekimori undrain`");
    process_table_drain(node->table, true, text_of(to));
    listeners_serve(&node->listeners, false);
}

static void signal_arrived(void *context, int number)
{
    struct node *node = CONTEXT(context, struct node, NODE_MAGIC);
    const struct commander nobody = { .uid = UINT32_MAX, .user = TEXT("signal") };
    if (number == SIGUSR1) {
        logs_reopen(node->table);
        return;
    }
    acts_record(node->acts, loop_wall_ms(node->loop), &nobody,
                number == SIGHUP ? TEXT("reload") : TEXT("stop"), text_of(strsignal(number)));
    if (number == SIGHUP)
        reload(context, NULL);
    else
        stop(context);
}

static bool programs_are_there(const struct config *config, const char *libexec)
{
    char path[4200];
    for (size_t i = 0; i < part_count; i++) {
        if (!(parts[i].roles & 1u << config->role)) continue;
        snprintf(path, sizeof path, "%s/%s", libexec, process_name(parts[i].kind));
        if (access(path, X_OK) == 0) continue;
        log_error("%s cannot be executed: %s", path, strerror(errno));
        return false;
    }
    return true;
}

static void log_start(const struct config *config)
{
    char *address = config->log.address.length ? memory_string(config->log.address) : NULL;
    log_open("master", config->log.target, address, config->log.level);
    free(address);
}

int main(int argc, char **argv)
{
    static struct node node = { .magic = NODE_MAGIC };
    static const struct commands_events control_events = { stop, reload, difference, drain };
    struct buffer problems = { 0 };
    char error[300];
    standard_open();
    logs_open();
    systemd_open(&node.systemd);
    options_read(&node, argc, argv);
    log_open("master", LOG_TARGET_STDERR, NULL, LOG_LEVEL_INFO);
    if (!passed_open(&node.passed, error, sizeof error)) {
        log_error("%s", error);
        return EX_UNAVAILABLE;
    }
    struct config *config = node.config = config_read(node.config_path, true, &problems);
    if (!config) return EX_CONFIG;
    log_start(config);
    if (!programs_are_there(config, node.libexec)) return EX_UNAVAILABLE;
    os_users_find(config, &node.users);
    if (node.only_prepares) {
        state_prepare(config, &node.users);
        log_flush();
        return EX_OK;
    }
    state_open(&node.state, config, &node.users);
    if (!listeners_open(&node.listeners, config, NULL, &node.passed, error, sizeof error) ||
        !metrics_socket_open(&node.metrics, config, node.users.node.gid, NULL, error, sizeof error)) {
        log_error("%s", error);
        return EX_UNAVAILABLE;
    }
    signal(SIGPIPE, SIG_IGN);
    node.loop = loop_new();
    node.reload.again = (struct deferred){ .run = reload_again, .context = &node };
    loop_on_signal(node.loop, SIGTERM, signal_arrived, &node);
    loop_on_signal(node.loop, SIGINT, signal_arrived, &node);
    loop_on_signal(node.loop, SIGHUP, signal_arrived, &node);
    loop_on_signal(node.loop, SIGUSR1, signal_arrived, &node);
    kinship_begin();
    struct process_table_start start = { node.loop,     config,       &node.state, &node.listeners,
                                         &node.metrics, node.libexec, &node.users, &node.systemd,
                                         on_ready,      on_stopped,   &node };
    node.table = process_table_new(&start);
    node.acts = acts_open(&node.state, config->node.number);
    node.control =
        commands_open(node.loop, &node.state, &start, node.table, node.acts, &control_events, &node);
    drain_resume(&node);
    process_table_begin(node.table);
    certificates_watch(&node);
    loop_run(node.loop);
    /* The service manager, which has them still, would take those of a drained node for broken. */
    if (node.passed.count > 0 && !listeners_serve(&node.listeners, true))
        log_warning("not every socket of the service manager listens again: %s", strerror(errno));
    commands_close(node.control);
    metrics_socket_drop(&node.metrics, NULL);
    state_close_clean(&node.state);
    log_info("stopped");
    log_flush();
    return EX_OK;
}
