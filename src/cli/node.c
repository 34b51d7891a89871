/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Starts, stops and reloads a node. */
#include "cli/node.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/monotonic.h"
#include "cli/check.h"
#include "cli/control.h"
#include "cli/lists_tool.h"
#include "cli/locale_words.h"
#include "cli/options.h"
#include "config/load.h"
#include "ipc/counters.h"

enum { READY_LIMIT_MS = 60000, STOP_LIMIT_MS = 30000, STEP_MS = 50 };

struct options {
    struct control_target target;
    const char *sekimorid, *libexec, *log;
};

static const struct verb_option table[] = {
    { "sekimorid", OPTION_WORD, offsetof(struct options, sekimorid), NULL, NULL },
    { "libexec", OPTION_WORD, offsetof(struct options, libexec), NULL, NULL },
    { "log", OPTION_WORD, offsetof(struct options, log), NULL, NULL },
    OPTIONS_TARGET(struct options),
    { 0 }
};

static int node_options(const struct verb_usage *usage, int argc, char **argv, struct options *options)
{
    *options = (struct options){ .sekimorid = SEKIMORI_SBIN "/sekimorid" };
    return options_read_all(usage, argc, argv, options);
}

static void wait_step(void)
{
    nanosleep(&(struct timespec){ 0, STEP_MS * 1000000l }, NULL);
}

/* --- start --- */

static const char start_help[] =
    "usage: sekimori start [--config FILE] [--log FILE]\n\n"
    "Checks the configuration, starts sekimorid in the background and waits until it is "
    "ready.\n\n" CONTROL_OPTIONS_HELP
    "  --log FILE      where lines for standard error go (default: STATE/log)\n"
    "  --sekimorid FILE, --libexec FOLDER  where the programs are, if not installed\n\n"
    "Exit codes: 0 ready, 67 no such user, 69 it did not come up, 73 no state folder, 75 one is running,\n"
    "78 configuration.\n";
const struct verb_usage start_usage = { "start", start_help, table };

/* The log of the first start is older than the state folder, whose owner sekimorid sets. */
static bool folder_make(const char *folder)
{
    char path[4096];
    snprintf(path, sizeof path, "%s", folder);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
    mkdir(path, 0750);
    if (access(path, W_OK) == 0) return true;
    fprintf(stderr, "sekimori: state %s: %s\n", folder, strerror(errno));
    return false;
}

/* What the log says since `from`, at most its last lines. */
static void log_show(const char *log, off_t from)
{
    char room[4096];
    int fd = open(log, O_RDONLY | O_CLOEXEC);
    off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    off_t begin = end - from > (off_t)sizeof room ? end - (off_t)sizeof room : from;
    ssize_t got = end < 0 ? -1 : pread(fd, room, sizeof room, begin);
    struct text lines = { room, got > 0 ? (size_t)got : 0 };
    if (begin > from) lines = text_slice(lines, text_find_char(lines, '\n') + 1, lines.length);
    if (lines.length == 0) fprintf(stderr, "the log says why; `log` of the configuration says where it is\n");
    fprintf(stderr, "%.*s", TEXT_ARG(lines));
    if (fd >= 0) close(fd);
}

static off_t log_size(const char *log)
{
    struct stat facts;
    return stat(log, &facts) == 0 ? facts.st_size : 0;
}

static pid_t launch(const struct options *options, const char *config, const char *log)
{
    pid_t pid = fork();
    if (pid != 0) return pid;
    setsid();
    int null = open("/dev/null", O_RDONLY), out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0640);
    if (out < 0) {
        fprintf(stderr, "sekimori: %s: %s\n", log, strerror(errno));
        _exit(EX_CANTCREAT);
    }
    dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    if (options->libexec)
        execl(options->sekimorid, "sekimorid", "-c", config, "--libexec", options->libexec, (char *)NULL);
    else
        execl(options->sekimorid, "sekimorid", "-c", config, (char *)NULL);
    fprintf(stderr, "sekimori: %s: %s\n", options->sekimorid, strerror(errno));
    _exit(EX_UNAVAILABLE);
}

static bool is_ready(const struct control_target *target)
{
    struct buffer json = { 0 };
    bool ready = control_is_running(target) &&
                 control_ask(target, TEXT("status"), 3000, NULL, NULL, &json) == EX_OK &&
                 text_find(buffer_text(&json), TEXT("\"ready\":true")) < buffer_length(&json);
    buffer_free(&json);
    return ready;
}

/* False, with the reason on stderr, and where the programs of a build stand that is not installed. */
static bool is_program(const char *path)
{
    if (access(path, X_OK) == 0) return true;
    fprintf(stderr, "sekimori: %s: %s\n", path, strerror(errno));
    fputs(locale_words_say(
              N_("--sekimorid FILE and --libexec FOLDER say where the programs are; of a build:\n")),
          stderr);
    fputs("  --sekimorid BUILD/src/master/sekimorid --libexec BUILD/src/libexec\n", stderr);
    return false;
}

int start_main(int argc, char **argv)
{
    struct options options;
    int code = node_options(&start_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    char state[4096], room[4200];
    const char *config = options.target.config ? options.target.config : config_default_path();
    options.target = (struct control_target){ .config = config };
    if (!check_is_good(config)) return EX_CONFIG;
    code = control_state_folder(&options.target, state, sizeof state);
    if (code != EX_OK) return code;
    options.target = (struct control_target){ .state = state };
    if (control_is_running(&options.target)) {
        fprintf(stderr, "sekimori: a node is running on %s\n", state);
        return EX_TEMPFAIL;
    }
    if (!is_program(options.sekimorid)) return EX_UNAVAILABLE;
    snprintf(room, sizeof room, "%s/log", state);
    const char *log = options.log ? options.log : room;
    if (!options.log && !folder_make(state)) return EX_CANTCREAT;
    off_t log_begin = log_size(log);
    pid_t pid = launch(&options, config, log);
    for (uint64_t end = monotonic_ms() + READY_LIMIT_MS; pid > 0 && monotonic_ms() < end; wait_step()) {
        int status;
        if (waitpid(pid, &status, WNOHANG) == pid) {
            fputs("sekimori: sekimorid ended at once:\n", stderr);
            log_show(log, log_begin);
            return WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : EX_UNAVAILABLE;
        }
        if (is_ready(&options.target)) {
            printf("sekimorid is ready (pid %d)\n", (int)pid);
            return EX_OK;
        }
    }
    fprintf(stderr, "sekimori: sekimorid is not ready after %d s; it tries on. Its log: %s\n",
            READY_LIMIT_MS / 1000, log);
    return EX_UNAVAILABLE;
}

/* --- stop and reload --- */

static const char stop_help[] =
    "usage: sekimori stop [--config FILE | --state FOLDER]\n\n"
    "Ends sessions in order, waits until the node has stopped, and says what waits in its queue, which "
    "stays.\n\n" CONTROL_OPTIONS_HELP "\nExit codes: 0 stopped, 69 none is running or it does not stop.\n";
const struct verb_usage stop_usage = { "stop", stop_help, table };

/* What the node that has stopped left in its queue, by the counters, which outlive it; nothing where this
   user may not read them. */
static void stopped_print(const struct control_target *target)
{
    char state[4096], path[4200];
    struct counters_slot *slot = NULL;
    if (control_state_folder(target, state, sizeof state) == EX_OK) {
        snprintf(path, sizeof path, "%s/run/counters", state);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        slot = fd < 0 ? NULL : counters_map(fd, COUNTERS_SLOT_QUEUE, false);
        if (fd >= 0) close(fd);
    }
    uint64_t live = slot ? slot->queue.live : 0;
    fputs("stopped", stdout);
    if (slot && live == 0) fputs("; nothing waits in the queue", stdout);
    if (live > 0) printf("; %" PRIu64 " recipient%s in the queue", live, live == 1 ? " waits" : "s wait");
    putchar('\n');
    counters_unmap(slot);
}

int stop_main(int argc, char **argv)
{
    struct options options;
    struct buffer answer = { 0 };
    int code = node_options(&stop_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    code = control_ask(&options.target, TEXT("stop"), STOP_LIMIT_MS, NULL, NULL, &answer);
    buffer_free(&answer);
    if (code != EX_OK) return code;
    for (int waited = 0; waited < STOP_LIMIT_MS; waited += STEP_MS) {
        if (!control_is_running(&options.target)) {
            stopped_print(&options.target);
            return EX_OK;
        }
        wait_step();
    }
    fputs("sekimori: it has not stopped yet\n", stderr);
    return EX_UNAVAILABLE;
}

static const char reload_help[] =
    "usage: sekimori reload [--diff] [--config FILE | --state FOLDER]\n\n"
    "Puts the changed configuration in force without dropping a session. A file with errors is\n"
    "refused whole; the old one stays in force. Files of lists are read anew; one that is refused leaves\n"
    "the list as it was.\n\n"
    "  --diff          only show what would change against what is in force: - what goes, + what comes,\n"
    "                  ~ a file with another content\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0 in force, 65 in force, but for a file of a list that is refused, 69 no node, 75 not "
    "taken up by all in time, 78 refused; with --diff 0 "
    "nothing\n"
    "would change, 1 something would, 78 it would be refused.\n";

struct reload_options {
    struct control_target target;
    bool is_diff;
};

static const struct verb_option reload_table[] = { { "diff", OPTION_SWITCH,
                                                     offsetof(struct reload_options, is_diff), NULL, NULL },
                                                   OPTIONS_TARGET(struct reload_options),
                                                   { 0 } };
const struct verb_usage reload_usage = { "reload", reload_help, reload_table };

int reload_main(int argc, char **argv)
{
    struct reload_options options = { 0 };
    struct buffer answer = { 0 };
    int code = options_read_all(&reload_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    code = control_ask(&options.target, options.is_diff ? TEXT("difference") : TEXT("reload"),
                       STOP_LIMIT_MS + 5000, NULL, NULL, &answer);
    struct text text = text_trim(buffer_text(&answer));
    bool is_good = code == EX_OK || (options.is_diff && code == 1);
    if (text.length) fprintf(is_good ? stdout : stderr, "%.*s\n", TEXT_ARG(text));
    buffer_free(&answer);
    bool has_refused = code == EX_OK && !options.is_diff && lists_tool_settle(&options.target) == EX_DATAERR;
    return has_refused ? EX_DATAERR : code;
}
