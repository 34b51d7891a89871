/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Prints what monitors are told, out of the node's shared files. Asks nobody: works while the node hangs, and
   tells the last counts of one that is down. */
#include "cli/metrics_command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "cli/health_command.h"
#include "cli/options.h"
#include "exposition/exposition.h"

enum { CODE_DEAD = 2 };

static const char help[] =
    "usage: sekimori metrics [--config FILE | --state FOLDER]\n\n"
    "Prints the figures of this node for monitors, in the text form of OpenMetrics, as Prometheus reads\n"
    "it. It asks nobody, so the answer takes no time even when the node hangs. The same is answered to\n"
    "GET /metrics on the socket run/metrics of the state folder; `metrics` in the configuration says\n"
    "where else.\n\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0, 2 no word from the node (it does not run, or hangs; the last counts are printed), 64\n"
    "usage, 66 no node has run here, 74 the output cannot be written, 77 you are not allowed to look, 78\n"
    "configuration.\n";

struct options {
    struct control_target target;
};

static const struct verb_option table[] = { OPTIONS_TARGET(struct options), { 0 } };
const struct verb_usage metrics_usage = { "metrics", help, table };

/* NULL with errno. */
static const struct counters_slot *slots_map(const char *state)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/run/counters", state);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return NULL;
    const struct counters_slot *slots = counters_map_all(fd);
    int error = errno;
    close(fd);
    errno = error;
    return slots;
}

static void health_look(const char *state, struct exposition_source *source)
{
    uint64_t age_ms;
    struct health_page *page = health_command_page(state);
    if (!page) return;
    source->is_up = health_page_read(page, &source->health, &age_ms) == HEALTH_WORD_FRESH;
    health_page_unmap(page);
}

static int print(const struct exposition_source *source)
{
    struct buffer out = { 0 };
    exposition_print(source, &out);
    struct text text = buffer_text(&out);
    bool is_written = fwrite(text.at, 1, text.length, stdout) == text.length && fflush(stdout) == 0;
    if (!is_written) fprintf(stderr, "sekimori metrics: %s\n", strerror(errno));
    buffer_free(&out);
    if (!is_written) return EX_IOERR;
    return source->is_up ? EX_OK : CODE_DEAD;
}

int metrics_main(int argc, char **argv)
{
    struct options options = { 0 };
    char state[4096];
    int code = options_read_all(&metrics_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    code = control_state_folder(&options.target, state, sizeof state);
    if (code != EX_OK) return code;
    struct exposition_source source = { .slots = slots_map(state), .now_ms = (uint64_t)time(NULL) * 1000 };
    if (!source.slots) {
        bool is_denied = errno == EACCES || errno == EPERM;
        fprintf(stderr, "sekimori metrics: %s/run/counters: %s\n", state, strerror(errno));
        return is_denied ? EX_NOPERM : EX_NOINPUT;
    }
    health_look(state, &source);
    code = print(&source);
    counters_unmap_all(source.slots);
    return code;
}
