/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Asks the machine: name service, folders, ports, system log. */
#include "config/machine.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/listening.h"
#include "base/log.h"
#include "config/process_kind.h"
#include "config/source.h"
#include "config/state_folder.h"
#include "config/value.h"

/* What every check needs. */
struct machine {
    const struct config *config;
    struct problem_list *problems;
    enum severity severity; /* of what hinders a start by who asks */
};

static struct place place_of(const struct machine *machine, const char *words)
{
    return source_find(machine->config->sources, schema_row_of(SCHEMA_GLOBAL, words), 0);
}

/* --- users --- */

/* All of them or none: with some alone the node does not start. */
static void own_users_check(const struct machine *machine, const char *user)
{
    struct os_user users[PROCESS_COUNT];
    char missing[PROCESS_USER_SIZE];
    int found = process_users_find(text_of(user), users, missing);
    if (!*missing) return;
    if (found)
        source_complain(machine->config->sources, place_of(machine, "user"), machine->problems,
                        geteuid() == 0 ? SEVERITY_ERROR : SEVERITY_WARNING,
                        N_("there is no user %s, though others of the processes have users of their own"),
                        missing);
    else
        source_complain(machine->config->sources, place_of(machine, "user"), machine->problems,
                        SEVERITY_WARNING,
                        N_("all processes run as %s; users of their own, %s and so on, part them: "
                           "systemd-sysusers makes them"),
                        user, missing);
}

static void user_check(const struct machine *machine)
{
    const struct config *config = machine->config;
    if (config->user.length == 0) return;
    char *name = memory_string(config->user);
    const struct passwd *entry = getpwnam(name);
    if (!entry)
        source_complain(config->sources, place_of(machine, "user"), machine->problems,
                        geteuid() == 0 ? machine->severity : SEVERITY_WARNING,
                        N_("there is no user %s on this machine; adduser --system --group %s makes it"), name,
                        name);
    else
        own_users_check(machine, name);
    free(name);
}

/* Rights of a user who does not exist are nobody's. */
static void named_users_check(const struct machine *machine)
{
    for (const struct schema_row *row = schema_rows; row < schema_rows + schema_row_count; row++) {
        if (row->type != SCHEMA_USERS) continue;
        const struct text_list *list = (const void *)((const char *)machine->config + row->offset);
        for (size_t i = 0; i < list->count; i++) {
            uint64_t number;
            char *name = memory_string(list->items[i]);
            bool is_other =
                text_to_number(list->items[i], UINT32_MAX, &number) || value_is_user_group(list->items[i]);
            if (!is_other && !getpwnam(name))
                source_complain(machine->config->sources, source_find(machine->config->sources, row, 0),
                                machine->problems, SEVERITY_WARNING,
                                N_("%s: there is no user %s on this machine"), row->words, name);
            free(name);
        }
    }
}

/* --- the state folder --- */

__attribute__((format(printf, 2, 3))) static void state_complain(const struct machine *machine,
                                                                 const char *format, ...)
{
    struct buffer message = { 0 };
    va_list arguments;
    va_start(arguments, format);
    buffer_vprintf(&message, problem_say(machine->problems, format), arguments);
    va_end(arguments);
    source_complain(machine->config->sources, place_of(machine, "state"), machine->problems,
                    machine->severity, N_("state %.*s: %.*s"), TEXT_ARG(machine->config->state),
                    TEXT_ARG(buffer_text(&message)));
    buffer_free(&message);
}

/* It is made at the first start, if the nearest folder above it that exists can be written to. */
static void parent_check(const struct machine *machine, char *path)
{
    struct stat facts;
    do {
        char *slash = strrchr(path, '/');
        if (!slash) return;
        slash[slash == path] = '\0';
    } while (stat(path, &facts) != 0 && strcmp(path, "/") != 0);
    if (!S_ISDIR(facts.st_mode))
        state_complain(machine, N_("it is not there, and %s is no folder"), path);
    else if (access(path, W_OK | X_OK) != 0)
        state_complain(machine, N_("it is not there and cannot be made: %s: %s"), path, strerror(errno));
}

static const char *name_of(uid_t uid, char room[32])
{
    const struct passwd *entry = getpwuid(uid);
    if (entry)
        snprintf(room, 32, "%.31s", entry->pw_name);
    else
        snprintf(room, 32, "%u", (unsigned)uid);
    return room;
}

/* What the processes write in belongs to whom they run as. Started by root, master gives it to them. */
static void owners_check(const struct machine *machine, const char *state)
{
    char path[PATH_MAX], is[32], wanted[32];
    if (geteuid() == 0 || machine->config->user.length) return;
    for (size_t i = 0; i < STATE_FOLDERS; i++) {
        struct stat facts;
        snprintf(path, sizeof path, "%s/%s", state, state_folders[i].name);
        if (stat(path, &facts) != 0) continue;
        if (!S_ISDIR(facts.st_mode))
            state_complain(machine, N_("%s is no folder"), path);
        else if (facts.st_uid != geteuid())
            state_complain(machine,
                           N_("%s belongs to %s, and the processes run as %s; chown -R %s gives it to them"),
                           path, name_of(facts.st_uid, is), name_of(geteuid(), wanted), wanted);
    }
}

static void state_check(const struct machine *machine)
{
    char *state = memory_string(machine->config->state);
    struct stat facts;
    if (stat(state, &facts) != 0 && (errno == ENOENT || errno == ENOTDIR))
        parent_check(machine, state);
    else if (stat(state, &facts) != 0)
        state_complain(machine, "%s", strerror(errno));
    else if (!S_ISDIR(facts.st_mode))
        state_complain(machine, N_("is no folder"));
    else if (access(state, W_OK | X_OK) != 0)
        state_complain(machine, N_("%s may not write to it: %s"), name_of(geteuid(), (char[32]){ 0 }),
                       strerror(errno));
    else
        owners_check(machine, state);
    free(state);
}

/* --- ports --- */

/* Of the node that runs on the state folder; 0: none does, or its folder is not for us to see. */
static pid_t own_master(const struct config *config)
{
    char path[PATH_MAX];
    int pid = 0;
    snprintf(path, sizeof path, "%.*s/run/lock", TEXT_ARG(config->state));
    FILE *file = fopen(path, "re");
    if (!file || fscanf(file, "%d", &pid) != 1) pid = 0;
    if (file) fclose(file);
    return pid;
}

static void taken_complain(const struct machine *machine, struct place place, const char *listen,
                           const struct endpoint *endpoint)
{
    struct listening_holder holder;
    struct buffer by = { 0 };
    listening_find_holder(endpoint, &holder);
    listening_holder_print(&holder, &by);
    /* Where /proc hides whose it is, it may be the node itself. */
    enum severity severity = holder.is_found && holder.pid == 0 ? SEVERITY_WARNING : machine->severity;
    source_complain(machine->config->sources, place, machine->problems, severity,
                    N_("%s: the port is taken%s%.*s"), listen, holder.is_found ? " " : "",
                    TEXT_ARG(buffer_text(&by)));
    buffer_free(&by);
}

static void port_check(const struct machine *machine, struct place place, const struct endpoint *endpoint,
                       pid_t master)
{
    struct buffer listen = { 0 };
    int fd = listening_bind(endpoint), why = errno;
    if (fd >= 0) close(fd);
    if (fd >= 0 || (master && listening_is_of(endpoint, master))) return;
    buffer_printf(&listen, "listen ");
    value_endpoint_print(endpoint, 0, &listen);
    buffer_add_char(&listen, '\0');
    const char *words = buffer_text(&listen).at;
    if (why == EADDRINUSE)
        taken_complain(machine, place, words, endpoint);
    else if (why == EACCES)
        source_complain(machine->config->sources, place, machine->problems, machine->severity,
                        N_("%s: a port below 1024 is for root, or for a program with CAP_NET_BIND_SERVICE"),
                        words);
    else
        source_complain(machine->config->sources, place, machine->problems, machine->severity, "%s: %s",
                        words, strerror(why));
    buffer_free(&listen);
}

static void ports_check(const struct machine *machine)
{
    const struct config *config = machine->config;
    struct endpoint collector, monitors;
    pid_t master = own_master(config);
    for (size_t i = 0; i < config->listener_count; i++)
        port_check(machine, config->sources->items[SCHEMA_LISTENER][i].self, &config->listeners[i].endpoint,
                   master);
    if (value_endpoint_parse(config->ledger.listen, 0, &collector))
        port_check(machine, place_of(machine, "ledger listen"), &collector, master);
    if (value_endpoint_parse(config->metrics.listen, 0, &monitors))
        port_check(machine, place_of(machine, "metrics listen"), &monitors, master);
}

/* --- the system log --- */

static void log_check(const struct machine *machine)
{
    const struct config *config = machine->config;
    char *address = config->log.address.length ? memory_string(config->log.address) : NULL;
    const char *target = log_target_address(config->log.target, address);
    int fd = target ? log_target_connect(config->log.target, address) : -1;
    if (target && fd < 0)
        source_complain(config->sources, place_of(machine, "log to"), machine->problems, SEVERITY_ERROR,
                        N_("nothing takes log lines at %s (%s): install rsyslog, or say `log to stderr`"),
                        target, strerror(errno));
    if (fd >= 0) close(fd);
    free(address);
}

void machine_check(const struct config *config, struct problem_list *problems)
{
    bool is_starter = geteuid() == 0 || config->user.length == 0;
    struct machine machine = { .config = config,
                               .problems = problems,
                               .severity = is_starter ? SEVERITY_ERROR : SEVERITY_WARNING };
    user_check(&machine);
    named_users_check(&machine);
    state_check(&machine);
    ports_check(&machine);
    log_check(&machine);
}

void machine_check_for_start(const struct config *config, struct problem_list *problems)
{
    struct machine machine = { .config = config, .problems = problems, .severity = SEVERITY_WARNING };
    user_check(&machine);
    named_users_check(&machine);
    log_check(&machine);
}
