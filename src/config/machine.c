/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Asks the machine: name service, system log. */
#include "config/machine.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "config/source.h"

static struct place place_of(const struct config *config, const char *words)
{
    for (const struct schema_row *row = schema_rows; row < schema_rows + schema_row_count; row++)
        if (row->scope == SCHEMA_GLOBAL && strcmp(row->words, words) == 0)
            return source_find(config->sources, row, 0);
    return (struct place){ 0 };
}

__attribute__((format(printf, 5, 6))) static void complain(const struct config *config,
                                                           struct problem_list *problems, const char *words,
                                                           bool is_warning, const char *format, ...)
{
    struct place place = place_of(config, words);
    struct buffer message = { 0 };
    va_list arguments;
    va_start(arguments, format);
    buffer_vprintf(&message, format, arguments);
    va_end(arguments);
    problem_add(problems, &(struct problem){ .is_warning = is_warning,
                                             .file = config->sources->files[place.file],
                                             .line = place.line,
                                             .column = place.column,
                                             .message = buffer_text(&message) });
    buffer_free(&message);
}

/* It may be made after the file; the node says the same and does not start. */
static void user_check(const struct config *config, struct problem_list *problems)
{
    if (config->user.length == 0) return;
    char *name = memory_string(config->user);
    if (!getpwnam(name))
        complain(config, problems, "user", true,
                 "there is no user %s on this machine; adduser --system --group %s makes it", name, name);
    free(name);
}

static void log_check(const struct config *config, struct problem_list *problems)
{
    char *address = config->log.address.length ? memory_string(config->log.address) : NULL;
    const char *target = log_target_address(config->log.target, address);
    int fd = target ? log_target_connect(config->log.target, address) : -1;
    if (target && fd < 0)
        complain(config, problems, "log to", false,
                 "nothing takes log lines at %s (%s): install rsyslog, or say `log to stderr`", target,
                 strerror(errno));
    if (fd >= 0) close(fd);
    free(address);
}

void machine_check(const struct config *config, struct problem_list *problems)
{
    user_check(config, problems);
    log_check(config, problems);
}
