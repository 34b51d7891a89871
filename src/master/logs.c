/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The log's descriptors, and their way to every process. */
#include "master/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/log.h"
#include "master/process_table_private.h"

static char path[PATH_MAX]; /* of standard error; empty: it is no file */

void logs_open(void)
{
    struct stat facts;
    bool is_file = fstat(STDERR_FILENO, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_nlink > 0;
    if (!is_file || !file_path_of(STDERR_FILENO, path, sizeof path)) path[0] = '\0';
}

static void hand_round(struct process_table *table, enum master_log which, int fd)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->members[i].channel) member_send_log(&table->members[i], which, fd);
}

/* Who owned the old one owns the new one, as far as we may say so. */
static int file_open(void)
{
    struct stat old;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
    if (fd < 0 || geteuid() != 0 || fstat(STDERR_FILENO, &old) != 0) return fd;
    if (fchown(fd, old.st_uid, old.st_gid) != 0) log_warning("%s keeps its owner: %s", path, strerror(errno));
    return fd;
}

void logs_reopen(struct process_table *table)
{
    if (!path[0]) return;
    int fd = file_open();
    if (fd < 0) {
        log_error("the log %s cannot be opened again (%s): lines go on to the old file", path,
                  strerror(errno));
        return;
    }
    hand_round(table, MASTER_LOG_STDERR, fd);
    log_take_stderr(fd);
}

void logs_reconnect(struct process_table *table, const struct config *config)
{
    enum log_target target = log_target_now();
    if (target == LOG_TARGET_STDERR) return;
    char *address = config->log.address.length ? memory_string(config->log.address) : NULL;
    int fd = log_target_connect(target, target == LOG_TARGET_SYSLOG ? address : NULL);
    free(address);
    if (fd < 0) return;
    hand_round(table, MASTER_LOG_TARGET, fd);
    log_take_target(fd);
}
