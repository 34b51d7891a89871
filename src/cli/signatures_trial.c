/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Starts `scan try FOLDER` and reads its lines, "FILE: WHAT". */
#include "cli/signatures_trial.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/monotonic.h"
#include "config/signatures.h"
#include "config/source.h"

enum { LIMIT_MS = 60000, SAID_BYTES_MOST = 64 * 1024, LINES_MOST = 50 };

/* The process, whose output is read from *out_fd; -1 with errno. */
static pid_t launch(const char *program, const char *folder, int *out_fd)
{
    int ends[2];
    if (pipe(ends) != 0) return -1;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], STDOUT_FILENO);
        close_range(STDERR_FILENO + 1, ~0u, 0);
        execl(program, program, "try", folder, (char *)NULL);
        _exit(EX_UNAVAILABLE);
    }
    int error = errno;
    close(ends[1]);
    if (pid < 0) close(ends[0]);
    *out_fd = ends[0];
    errno = error;
    return pid;
}

/* Until it ends; false: its time was over before. What it says beyond a limit is dropped. */
static bool said_read(int fd, struct buffer *out)
{
    char room[4096];
    int64_t ends_ms = (int64_t)monotonic_ms() + LIMIT_MS;
    for (int64_t left_ms; (left_ms = ends_ms - (int64_t)monotonic_ms()) > 0;) {
        struct pollfd wait_for = { fd, POLLIN, 0 };
        if (poll(&wait_for, 1, (int)left_ms) <= 0) continue;
        ssize_t got = read(fd, room, sizeof room);
        if (got <= 0) return true;
        if (buffer_length(out) + (size_t)got <= SAID_BYTES_MOST)
            buffer_add_text(out, text_from(room, (size_t)got));
    }
    return false;
}

static void lines_complain(const struct config *config, struct place place, struct text said,
                           struct problem_list *problems)
{
    for (int i = 0; said.length > 0 && i < LINES_MOST; i++) {
        size_t end = text_find_char(said, '\n');
        source_complain(config->sources, place, problems, SEVERITY_WARNING,
                        N_("second set of signatures: %.*s"), TEXT_ARG(text_slice(said, 0, end)));
        said = text_slice(said, end + 1, said.length);
    }
}

static struct place place_of(const struct config *config)
{
    const char *words = config->virus.also_folder.length ? "virus engine clamav also folder"
                                                         : "virus engine clamav also command";
    return source_find(config->sources, schema_row_of(SCHEMA_GLOBAL, words), 0);
}

void signatures_trial(const struct config *config, const char *libexec, struct problem_list *problems)
{
    char program[4096];
    int fd = -1, status = 0;
    struct buffer said = { 0 };
    if (!signatures_are_wanted(config) || !config->virus.also.length) return;
    if (signatures_newest(config->virus.also) == 0 && !config->virus.also_folder.length) return;
    snprintf(program, sizeof program, "%s/scan", libexec);
    if (access(program, X_OK) != 0) return; /* `start` says it */
    char *folder = memory_string(config->virus.also);
    pid_t pid = launch(program, folder, &fd);
    bool is_over = pid > 0 && said_read(fd, &said);
    if (pid > 0 && !is_over) kill(pid, SIGKILL);
    if (pid > 0) waitpid(pid, &status, 0);
    if (fd >= 0) close(fd);
    lines_complain(config, place_of(config), buffer_text(&said), problems);
    if (!is_over || !WIFEXITED(status) || WEXITSTATUS(status) != EX_OK)
        source_complain(config->sources, place_of(config), problems, SEVERITY_ERROR,
                        is_over ? N_("%s: these signatures cannot be loaded; mail is scanned without them")
                                : N_("%s: these signatures take too long to load"),
                        folder);
    buffer_free(&said);
    free(folder);
}
